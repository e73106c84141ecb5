// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// load is what all clients share.
type load struct {
	options options
	target  target
	results *results
}

// timetable gives the times at which a client's requests are due. Clients start spread over one
// interval, so that they do not all send at the same moment.
type timetable struct {
	next     time.Time
	interval time.Duration
}

func (l *load) timetable(number, of int) *timetable {
	offset := l.options.interval * time.Duration(number) / time.Duration(of)
	return &timetable{next: time.Now().Add(offset), interval: l.options.interval}
}

// wait returns the time at which the next request is due, when that time has come; false at the end.
func (t *timetable) wait(ctx context.Context) (time.Time, bool) {
	due := t.next
	t.next = due.Add(t.interval)
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return due, false
	case <-timer.C:
		return due, ctx.Err() == nil
	}
}

// skip leaves out what became due while a failure was waited for: it was counted as that failure.
func (t *timetable) skip() {
	if now := time.Now(); t.next.Before(now) {
		t.next = now
	}
}

// jar holds the cookies of one client.
type jar struct {
	kept    bool
	cookies map[string]string
	base    http.Header
}

func (l *load) jar() *jar {
	return &jar{kept: l.options.cookies, cookies: map[string]string{}, base: l.options.headers.header}
}

func (j *jar) header() http.Header {
	header := j.base.Clone()
	if header == nil {
		header = http.Header{}
	}
	pairs := make([]string, 0, len(j.cookies))
	for name, value := range j.cookies {
		pairs = append(pairs, name+"="+value)
	}
	if len(pairs) > 0 {
		header.Set("Cookie", strings.Join(pairs, "; "))
	}
	return header
}

func (j *jar) take(header http.Header) {
	if !j.kept {
		return
	}
	for _, cookie := range (&http.Response{Header: header}).Cookies() {
		j.cookies[cookie.Name] = cookie.Value
	}
}

// calls alternates GET and POST.
func (l *load) call(client string, number int) call {
	if number%2 == 0 {
		return call{method: http.MethodGet, path: l.options.path}
	}
	body := []byte(fmt.Sprintf("%s request %d", client, number))
	return call{method: http.MethodPost, path: l.options.path, body: body}
}

func (l *load) note(client, mode string, request call, due time.Time, got answer) bool {
	class, detail := classify(request, got)
	l.results.add(client, outcome{
		mode: mode, method: request.method, path: request.path, due: due, ended: time.Now(),
		class: class, detail: detail, version: got.header.Get("X-Version"),
	})
	return class == ""
}

// keepAlive uses one connection for as long as the server lets it.
func (l *load) keepAlive(ctx context.Context, number int) {
	const mode = "keepalive"
	client := fmt.Sprintf("%s-%d", mode, number)
	jar, times := l.jar(), l.timetable(number, l.options.clients)
	var conn *connection
	defer func() {
		if conn != nil {
			conn.close()
		}
	}()
	for sent := 0; ; sent++ {
		due, more := times.wait(ctx)
		if !more {
			return
		}
		if conn != nil && conn.idleClosed() {
			l.results.count(mode, func(m *modeReport) { m.ClosedIdle++ })
			conn.close()
			conn = nil
		}
		request := l.call(client, sent)
		var got answer
		if conn, got = l.send(mode, conn, request, jar, l.options.timeout); got.err != nil {
			times.skip()
		}
		l.note(client, mode, request, due, got)
	}
}

// send sends over the connection, or over a new one when there is none; the connection to go on with
// comes back, nil when it is at its end.
func (l *load) send(
	mode string, conn *connection, request call, jar *jar, timeout time.Duration,
) (*connection, answer) {
	if conn == nil {
		var err error
		if conn, err = connect(context.Background(), l.target, l.options.timeout); err != nil {
			return nil, answer{err: err}
		}
		l.results.count(mode, func(m *modeReport) { m.Connections++ })
	}
	got := conn.do(request, jar.header(), timeout)
	jar.take(got.header)
	if got.closing {
		l.results.count(mode, func(m *modeReport) { m.Announced++ })
	}
	if got.err != nil || got.closing {
		conn.close()
		return nil, got
	}
	return conn, got
}

// fresh opens a connection for each request.
func (l *load) fresh(ctx context.Context, number int) {
	const mode = "fresh"
	client := fmt.Sprintf("%s-%d", mode, number)
	jar, times := l.jar(), l.timetable(number, l.options.fresh)
	for sent := 0; ; sent++ {
		due, more := times.wait(ctx)
		if !more {
			return
		}
		request := l.call(client, sent)
		conn, got := l.send(mode, nil, request, jar, l.options.timeout)
		if conn != nil {
			conn.close()
		}
		if !l.note(client, mode, request, due, got) {
			times.skip()
		}
	}
}

// slow has one slow request open at nearly all times, over one connection.
func (l *load) slow(ctx context.Context, number int) {
	const mode = "slow"
	client := fmt.Sprintf("%s-%d", mode, number)
	jar := l.jar()
	// As much longer as the service takes on purpose.
	timeout := l.options.timeout + patience/2
	var conn *connection
	for ctx.Err() == nil {
		if conn != nil && conn.idleClosed() {
			l.results.count(mode, func(m *modeReport) { m.ClosedIdle++ })
			conn.close()
			conn = nil
		}
		request := call{method: http.MethodGet, path: l.options.slowPath}
		due := time.Now()
		var got answer
		conn, got = l.send(mode, conn, request, jar, timeout)
		if !l.note(client, mode, request, due, got) {
			// A service that refuses at once must not be asked without end.
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
	if conn != nil {
		conn.close()
	}
}
