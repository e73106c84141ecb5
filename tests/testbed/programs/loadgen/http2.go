// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/net/http2"
)

// http2 sends over one connection at a time. Requests go to the ClientConn itself: the retries of
// HTTP/2 in Go are made one level above, by Transport.RoundTrip, which is not used.
func (l *load) http2(ctx context.Context, number int) {
	const mode = "h2"
	client := fmt.Sprintf("%s-%d", mode, number)
	jar, times := l.jar(), l.timetable(number, l.options.h2)
	var conn *http2.ClientConn
	for sent := 0; ; sent++ {
		due, more := times.wait(ctx)
		if !more {
			break
		}
		if conn != nil && !conn.CanTakeNewRequest() {
			// The server said so beforehand (GOAWAY), or closed while nothing was open.
			l.results.count(mode, func(m *modeReport) { m.Announced++ })
			_ = conn.Close()
			conn = nil
		}
		request := l.call(client, sent)
		var got answer
		if conn, got = l.send2(mode, conn, request, jar); got.err != nil {
			times.skip()
		}
		l.note(client, mode, request, due, got)
	}
	if conn != nil {
		_ = conn.Close()
	}
}

func (l *load) send2(
	mode string, conn *http2.ClientConn, request call, jar *jar,
) (*http2.ClientConn, answer) {
	if conn == nil {
		raw, err := l.target.dial(context.Background(), "h2", l.options.timeout)
		if err != nil {
			return nil, answer{err: err}
		}
		if conn, err = (&http2.Transport{AllowHTTP: true}).NewClientConn(raw); err != nil {
			return nil, answer{err: err}
		}
		l.results.count(mode, func(m *modeReport) { m.Connections++ })
	}
	got := l.roundTrip(conn, request, jar)
	if got.err != nil {
		_ = conn.Close()
		return nil, got
	}
	return conn, got
}

func (l *load) roundTrip(conn *http2.ClientConn, request call, jar *jar) answer {
	ctx, cancel := context.WithTimeout(context.Background(), l.options.timeout)
	defer cancel()
	scheme := "http"
	if l.target.tls != nil {
		scheme = "https"
	}
	url := scheme + "://" + l.target.host + request.path
	sent, err := http.NewRequestWithContext(ctx, request.method, url, bytes.NewReader(request.body))
	if err != nil {
		return answer{err: err}
	}
	// With no GetBody, nothing could send the body again even if it wanted to.
	sent.GetBody = nil
	sent.Header = jar.header()
	begun := time.Now()
	response, err := conn.RoundTrip(sent)
	if err != nil {
		return answer{err: fmt.Errorf("after %s: %w", time.Since(begun).Round(time.Millisecond), err)}
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	jar.take(response.Header)
	return answer{status: response.StatusCode, header: response.Header, body: body, err: err}
}
