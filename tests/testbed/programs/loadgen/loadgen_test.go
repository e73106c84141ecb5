// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mainstay.test/testbed/websocket"
)

// drive runs one client against the server until enough was counted, and gives the report.
func drive(t *testing.T, server *httptest.Server, client func(*load, context.Context), enough func(report) bool) report {
	t.Helper()
	return driveAt(t, server.URL, client, enough)
}

func driveAt(t *testing.T, url string, client func(*load, context.Context), enough func(report) bool) report {
	t.Helper()
	o := options{
		url: url, insecure: true, clients: 1, h2: 1, fresh: 1, slow: 1, sockets: 1, cookies: true,
		interval: time.Millisecond, timeout: 5 * time.Second, path: "/api/echo",
		slowPath: "/api/echo", wsPath: "/socket.io/", headers: headerFlag{header: http.Header{}},
	}
	where, err := o.target()
	if err != nil {
		t.Fatal(err)
	}
	l := &load{options: o, target: where, results: newResults(1)}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		client(l, ctx)
	}()
	for ctx.Err() == nil && !enough(l.results.report()) {
		time.Sleep(time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Fatalf("the load never got that far: %+v", l.results.report().Totals)
	}
	cancel()
	<-done
	return l.results.report()
}

var clients = map[string]func(*load, context.Context){
	"keepalive": func(l *load, ctx context.Context) { l.keepAlive(ctx, 0) },
	"h2":        func(l *load, ctx context.Context) { l.http2(ctx, 0) },
	"fresh":     func(l *load, ctx context.Context) { l.fresh(ctx, 0) },
	"slow":      func(l *load, ctx context.Context) { l.slow(ctx, 0) },
	"websocket": func(l *load, ctx context.Context) { l.webSocket(ctx, 0) },
}

func after(requests int) func(report) bool {
	return func(r report) bool { return r.Totals.Requests >= requests }
}

func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Version", "1.0.0")
	if r.URL.Path == "/socket.io/" {
		conn, err := websocket.Accept(w, r)
		if err != nil {
			return
		}
		for opcode, message, err := conn.Read(); err == nil; opcode, message, err = conn.Read() {
			_ = conn.Write(opcode, message)
		}
		_ = conn.Drop()
		return
	}
	body, _ := io.ReadAll(r.Body)
	_, _ = w.Write(body)
}

func start(t *testing.T, handler http.HandlerFunc, h2 bool) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = h2
	if h2 {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	return server
}

func TestGoodServerHasNoFailures(t *testing.T) {
	for name, client := range clients {
		name, client := name, client
		t.Run(name, func(t *testing.T) {
			got := drive(t, start(t, echo, name == "h2"), client, after(2))
			if got.Totals.Failed != 0 || got.Totals.Cut != 0 {
				t.Fatalf("found %+v %+v", got.Totals, got.First)
			}
			version := got.Versions["1.0.0"]
			if version == nil || version.Answers != got.Totals.Requests || version.First.After(version.Last) {
				t.Fatalf("found versions %+v", version)
			}
			if kept := got.Modes[name].Connections == 1; kept == (name == "fresh") {
				t.Fatalf("%d connections for %d requests", got.Modes[name].Connections, got.Totals.Requests)
			}
		})
	}
}

// A server that reads a request on a kept connection and ends it without a word: the race of a
// reload, made certain. Each request must arrive exactly once.
func TestRequestOnAClosingConnectionIsAFailureAndIsNotSentAgain(t *testing.T) {
	for name, reset := range map[string]bool{"end of file": false, "reset": true} {
		reset := reset
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = listener.Close() }()
			var seen atomic.Int64
			go answerOnce(listener, &seen, reset)
			got := driveAt(t, "http://"+listener.Addr().String(), clients["keepalive"], after(6))
			if int64(got.Totals.Requests) != seen.Load() {
				t.Fatalf("%d requests were counted and %d arrived", got.Totals.Requests, seen.Load())
			}
			if got.Totals.Failed != got.Totals.Requests/2 {
				t.Fatalf("every second request was dropped, and %d of %d failed", got.Totals.Failed, got.Totals.Requests)
			}
			if sum := got.Failures["eof"] + got.Failures["reset"]; sum != got.Totals.Failed {
				t.Fatalf("found %v", got.Failures)
			}
		})
	}
}

func answerOnce(listener net.Listener, seen *atomic.Int64, reset bool) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			in := bufio.NewReader(conn)
			for turn := 0; ; turn++ {
				request, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				body, _ := io.ReadAll(request.Body)
				seen.Add(1)
				if turn == 1 {
					if tcp, is := conn.(*net.TCPConn); is && reset {
						_ = tcp.SetLinger(0)
					}
					_ = conn.Close()
					return
				}
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			}
		}()
	}
}

func TestConnectionClosedWhileIdleIsNoFailure(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				body, _ := io.ReadAll(request.Body)
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			}
			_ = conn.Close()
		}
	}()
	client := func(l *load, ctx context.Context) {
		// Long enough for the reader to see the end before the next request is due.
		l.options.interval = 50 * time.Millisecond
		l.keepAlive(ctx, 0)
	}
	got := driveAt(t, "http://"+listener.Addr().String(), client, after(4))
	if got.Totals.Failed != 0 || got.Modes["keepalive"].ClosedIdle == 0 {
		t.Fatalf("found %+v, %+v", got.Totals, got.Modes["keepalive"])
	}
}

// Nothing is sent again over HTTP/2 either, whatever the server does to the request.
func TestAbortedHTTP2RequestIsNotSentAgain(t *testing.T) {
	var seen atomic.Int64
	server := start(t, func(http.ResponseWriter, *http.Request) {
		seen.Add(1)
		panic(http.ErrAbortHandler)
	}, true)
	got := drive(t, server, clients["h2"], after(5))
	if got.Totals.Good != 0 || int64(got.Totals.Failed) != seen.Load() {
		t.Fatalf("%d arrived, found %+v", seen.Load(), got.Totals)
	}
}

func TestBadAnswersAreToldApart(t *testing.T) {
	for name, one := range map[string]struct {
		handler http.HandlerFunc
		class   string
	}{
		"error": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Version", "2.0.0")
			http.Error(w, "broken", http.StatusInternalServerError)
		}, "status_500"},
		"not found":       {http.NotFound, "status_404"},
		"another's body":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "other") }, "wrong_answer"},
		"half an answer":  {halfAnAnswer, "eof"},
		"no answer ever":  {never, "timeout"},
		"wrong handshake": {nil, "refused"},
	} {
		one := one
		t.Run(name, func(t *testing.T) {
			server := start(t, one.handler, false)
			if one.handler == nil {
				server.Close()
			}
			client := func(l *load, ctx context.Context) {
				if one.class == "timeout" {
					l.options.timeout = 20 * time.Millisecond
				}
				l.keepAlive(ctx, 0)
			}
			got := drive(t, server, client, after(2))
			if got.Failures[one.class] == 0 {
				t.Fatalf("found %v", got.Failures)
			}
			if name := "2.0.0"; one.class == "status_500" && got.Versions[name].Failed != got.Totals.Failed {
				t.Fatalf("the failures of %s are %+v", name, got.Versions[name])
			}
		})
	}
}

func never(_ http.ResponseWriter, r *http.Request) {
	// The end of the connection is noticed only when the body has been read.
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func halfAnAnswer(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
	_ = conn.Close()
}

func TestCutWebSocketsTellWho(t *testing.T) {
	for name, one := range map[string]struct {
		end func(*websocket.Conn)
		by  string
	}{
		"close frame": {func(c *websocket.Conn) {
			_ = c.CloseWith(websocket.GoingAway, "ends")
			_, _, _ = c.Read()
		}, "close frame: ends"},
		"end of file": {func(c *websocket.Conn) { _ = c.Drop() }, "eof"},
	} {
		one := one
		t.Run(name, func(t *testing.T) {
			server := start(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Version", "1.0.0")
				conn, err := websocket.Accept(w, r)
				if err != nil {
					return
				}
				opcode, message, _ := conn.Read()
				_ = conn.Write(opcode, message)
				one.end(conn)
				_ = conn.Drop()
			}, false)
			got := drive(t, server, clients["websocket"], func(r report) bool { return r.Totals.Cut > 0 })
			if cut := got.Cuts[0]; cut.By != one.by || cut.Version != "1.0.0" {
				t.Fatalf("found %+v", cut)
			}
		})
	}
}

func TestTheEndOfTheLoadIsNoCut(t *testing.T) {
	defer func(before time.Duration) { messageEvery = before }(messageEvery)
	messageEvery = 20 * time.Microsecond
	server := start(t, func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r)
		for err == nil {
			var opcode byte
			var message []byte
			if opcode, message, err = conn.Read(); err == nil {
				err = conn.Write(opcode, message)
			}
		}
	}, false)
	for number := 0; number < 1000; number++ {
		got := drive(t, server, clients["websocket"], func(r report) bool { return r.Totals.Good > 0 })
		if got.Totals.Cut != 0 {
			t.Fatalf("load %d: %+v", number, got.Cuts)
		}
	}
}

func TestCookiesStayWithTheirClient(t *testing.T) {
	var without atomic.Int64
	server := start(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Cookie"), "group=a") {
			without.Add(1)
			http.SetCookie(w, &http.Cookie{Name: "group", Value: "a"})
		}
		echo(w, r)
	}, false)
	drive(t, server, clients["fresh"], after(5))
	if without.Load() != 1 {
		t.Fatalf("%d requests came without the cookie, expected the first one", without.Load())
	}
}

// The latency of an answer counts from when its request was due, so a stall is not hidden.
func TestAStallShowsInEveryRequestThatItHeldUp(t *testing.T) {
	release := make(chan struct{})
	var first atomic.Bool
	server := start(t, func(w http.ResponseWriter, r *http.Request) {
		if first.CompareAndSwap(false, true) {
			<-release
		}
		echo(w, r)
	}, false)
	time.AfterFunc(300*time.Millisecond, func() { close(release) })
	got := drive(t, server, clients["keepalive"], after(40))
	if got.Modes["keepalive"].Latency.P50 < 0.1 {
		t.Fatalf("found %+v: only the stalled request itself was counted as slow", got.Modes["keepalive"].Latency)
	}
}

func TestBadArgumentsAreRefused(t *testing.T) {
	for _, arguments := range [][]string{
		{"-duration", "2h"}, {"-interval", "0s"}, {"-header", "nothing"}, {"-unknown"},
	} {
		if _, err := parse(arguments); err == nil {
			t.Errorf("%v was taken", arguments)
		}
	}
	for _, url := range []string{"", "edge1", "ftp://edge1", "https://"} {
		if _, err := (options{url: url}).target(); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}

func TestConnectionsComeFromEachSourceInTurn(t *testing.T) {
	seen := make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		seen <- host
	}))
	defer server.Close()
	where, err := options{url: server.URL, sources: "127.0.0.2,127.0.0.3"}.target()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for range [4]int{} {
		raw, err := where.dial(context.Background(), "http/1.1", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(raw, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		counts[<-seen]++
		_ = raw.Close()
	}
	if counts["127.0.0.2"] != 2 || counts["127.0.0.3"] != 2 {
		t.Errorf("found %v, expected two from each", counts)
	}
	if _, err := (options{url: server.URL, sources: "here"}).target(); err == nil {
		t.Error("a source that is no address was taken")
	}
}
