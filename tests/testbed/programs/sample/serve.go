// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"mainstay.test/testbed/websocket"
)

// serve answers requests until SIGTERM, then drains.
func serve(role string, s settings) int {
	log := newLogger(role, s)
	if status := misbehaveAtStart(s, log); status != 0 {
		return status
	}
	stop := make(chan os.Signal, 2)
	// SIGQUIT is how a platform with Nginx in its image asks for a graceful end.
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT)
	time.Sleep(s.startDelay)
	listener, err := net.Listen("tcp", ":"+s.port)
	if err == nil && s.faults[faultPortTaken] {
		_, err = net.Listen("tcp", listener.Addr().String())
	}
	if err != nil {
		log.say("error", "cannot listen", "error", err.Error())
		return 1
	}
	app := newApplication(role, s, log)
	connections := newTracker()
	server := &http.Server{Handler: app, ConnState: connections.changed, ReadHeaderTimeout: 75 * time.Second}
	go func() { _ = server.Serve(listener) }()
	log.say("info", "listening", "port", s.port, "secrets", s.secrets)
	if s.faults[faultLeak] {
		go leak()
	}
	<-stop
	for s.faults[faultIgnoreTerm] {
		log.say("warning", "told to end, and going on")
		<-stop
	}
	app.drain(listener, server, connections)
	return 0
}

func misbehaveAtStart(s settings, log *logger) int {
	if len(s.missingSecrets) > 0 {
		log.say("error", "secrets are missing", "names", s.missingSecrets)
		return 1
	}
	if s.faults[faultExit] {
		log.say("error", "cannot start: the configuration is broken on purpose")
		return 3
	}
	return 0
}

// drain ends without cutting anybody off: no new connections; answers say that the connection
// closes; idle connections get some time to be used for the last time, since closing one at once
// races with the next request on it; open requests are finished; WebSockets may stay until the
// grace is over, and are then told.
func (a *application) drain(listener net.Listener, server *http.Server, connections *tracker) {
	end := time.Now().Add(a.grace)
	_ = listener.Close()
	a.mutex.Lock()
	a.draining = true
	a.mutex.Unlock()
	a.log.say("info", "draining")
	connections.awaitNone(time.Now().Add(a.drainTime))
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	// Closes idle connections and waits for open requests; WebSockets are ours to end.
	if err := server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		a.log.say("warning", "requests were still open at the end of the grace")
	}
	for a.openSockets() > 0 && time.Now().Before(end) {
		time.Sleep(20 * time.Millisecond)
	}
	a.closeSockets()
	a.log.say("info", "ended")
}

func (a *application) openSockets() int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return len(a.sockets) + a.handshakes
}

func (a *application) opening(change int) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.handshakes += change
}

func (a *application) closeSockets() {
	a.mutex.Lock()
	open := make([]*websocket.Conn, 0, len(a.sockets))
	for conn := range a.sockets {
		open = append(open, conn)
	}
	a.mutex.Unlock()
	for _, conn := range open {
		_ = conn.CloseWith(websocket.GoingAway, "the service ends")
	}
	for limit := time.Now().Add(time.Second); a.openSockets() > 0 && time.Now().Before(limit); {
		time.Sleep(10 * time.Millisecond)
	}
}

// webSocket echoes every message.
func (a *application) webSocket(w http.ResponseWriter, r *http.Request) {
	// Counted before the client knows that it is open: a drain must not overlook it.
	a.opening(1)
	conn, err := websocket.Accept(w, r)
	if err != nil {
		a.opening(-1)
		return
	}
	a.track(conn, true)
	a.opening(-1)
	defer a.track(conn, false)
	defer func() { _ = conn.Drop() }()
	for {
		opcode, message, err := conn.Read()
		if err != nil {
			return
		}
		if conn.Write(opcode, message) != nil {
			return
		}
	}
}

func (a *application) track(conn *websocket.Conn, opened bool) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if opened {
		a.sockets[conn] = struct{}{}
		a.metrics.webSocketOpened(1)
		return
	}
	delete(a.sockets, conn)
	a.metrics.webSocketOpened(-1)
}

// tracker counts the connections that speak HTTP.
type tracker struct {
	mutex sync.Mutex
	open  map[net.Conn]struct{}
}

func newTracker() *tracker { return &tracker{open: map[net.Conn]struct{}{}} }

func (t *tracker) changed(conn net.Conn, state http.ConnState) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	switch state {
	case http.StateNew, http.StateActive, http.StateIdle:
		t.open[conn] = struct{}{}
	case http.StateHijacked, http.StateClosed:
		delete(t.open, conn)
	}
}

func (t *tracker) awaitNone(until time.Time) {
	for time.Now().Before(until) {
		t.mutex.Lock()
		open := len(t.open)
		t.mutex.Unlock()
		if open == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// leak takes 5 MB every 50 ms and touches every page of it.
func leak() {
	var kept [][]byte
	for {
		block := make([]byte, 5<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		kept = append(kept, block)
		time.Sleep(50 * time.Millisecond)
	}
}
