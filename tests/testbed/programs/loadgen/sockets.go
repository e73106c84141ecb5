// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"mainstay.test/testbed/websocket"
)

// messageEvery is the time between two messages of a socket.
var messageEvery = time.Second

// webSocket keeps one WebSocket open, and opens another one when it is cut.
func (l *load) webSocket(ctx context.Context, number int) {
	client := fmt.Sprintf("websocket-%d", number)
	jar := l.jar()
	for ctx.Err() == nil {
		conn, version, err := l.openSocket(jar)
		if err != nil {
			request := call{method: http.MethodGet, path: l.options.wsPath}
			l.note(client, "websocket", request, time.Now(), answer{err: err})
			select {
			case <-ctx.Done():
			case <-time.After(messageEvery):
			}
			continue
		}
		l.useSocket(ctx, client, conn, version)
	}
}

func (l *load) openSocket(jar *jar) (*websocket.Conn, string, error) {
	raw, err := l.target.dial(context.Background(), "http/1.1", l.options.timeout)
	if err != nil {
		return nil, "", err
	}
	_ = raw.SetDeadline(time.Now().Add(l.options.timeout))
	conn, header, err := websocket.Open(raw, l.target.host, l.options.wsPath, jar.header())
	if err != nil {
		_ = raw.Close()
		return nil, "", err
	}
	_ = raw.SetDeadline(time.Time{})
	jar.take(header)
	l.results.count("websocket", func(m *modeReport) { m.Connections++ })
	return conn, header.Get("X-Version"), nil
}

// useSocket exchanges messages until the load ends or the socket does.
func (l *load) useSocket(ctx context.Context, client string, conn *websocket.Conn, version string) {
	opened := time.Now()
	// The end of the load is no cut, whichever of the two that see it comes first.
	ours := func() bool { return ctx.Err() != nil }
	go func() {
		<-ctx.Done()
		_ = conn.CloseWith(websocket.Normal, "the load ends")
	}()
	defer func() { _ = conn.Drop() }()
	request := call{method: "MESSAGE", path: l.options.wsPath}
	for sent := 0; ; sent++ {
		due := time.Now()
		err := exchange(conn, fmt.Sprintf("%s message %d", client, sent), l.options.timeout)
		if ours() {
			return
		}
		if err != nil {
			l.results.cut(describeCut(err, version, opened))
			return
		}
		l.results.add(client, outcome{
			mode: "websocket", method: request.method, path: request.path, due: due, ended: time.Now(),
			version: version,
		})
		if closed := idle(ctx, conn, messageEvery); closed != nil {
			if !ours() {
				l.results.cut(describeCut(closed, version, opened))
			}
			return
		}
	}
}

func exchange(conn *websocket.Conn, text string, timeout time.Duration) error {
	if err := conn.Write(websocket.Text, []byte(text)); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(timeout))
	_, got, err := conn.Read()
	if err != nil {
		return err
	}
	if !bytes.Equal(got, []byte(text)) {
		return fmt.Errorf("the echo of %q was %q", text, got)
	}
	return nil
}

// idle listens until the next message is due, so that a cut is noticed when it happens. Nothing may
// arrive in this time, so a deadline that passes has lost no part of a frame.
func idle(ctx context.Context, conn *websocket.Conn, wait time.Duration) error {
	_ = conn.SetReadDeadline(time.Now().Add(wait))
	_, _, err := conn.Read()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && classOf(err) == "timeout" {
		return nil
	}
	if err == nil {
		return errors.New("a message that nobody asked for")
	}
	return err
}

func describeCut(err error, version string, opened time.Time) cut {
	found := cut{
		At: time.Now().UTC(), By: classOf(err), Version: version, Open: time.Since(opened).Seconds(),
	}
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		found.By, found.Code = "close frame: "+closed.Reason, closed.Code
	} else if found.By == "other" {
		found.By = err.Error()
	}
	return found
}
