// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// call is one request and what must come back.
type call struct {
	method string
	path   string
	body   []byte
}

// answer is what came back, or why nothing did.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	closing bool
	err     error
}

// connection is one HTTP/1.1 connection, written by hand: net/http's Transport would send a request
// again when a kept-alive connection turns out to be closed, and hide what is looked for here.
// A reader of its own notices at once when the server closes the connection while it is idle, as
// every real client does; what remains is the race that no client can see coming.
type connection struct {
	raw     net.Conn
	host    string
	calls   chan *http.Request // what the reader is to expect
	answers chan answer
	closed  chan struct{} // the reader has ended
}

func connect(ctx context.Context, t target, timeout time.Duration) (*connection, error) {
	raw, err := t.dial(ctx, "http/1.1", timeout)
	if err != nil {
		return nil, err
	}
	c := &connection{
		raw: raw, host: t.host,
		calls: make(chan *http.Request, 1), answers: make(chan answer, 1), closed: make(chan struct{}),
	}
	go c.read()
	return c, nil
}

func (c *connection) read() {
	defer close(c.closed)
	in := bufio.NewReader(c.raw)
	for {
		if _, err := in.Peek(1); err != nil {
			c.deliver(answer{err: err})
			return
		}
		var request *http.Request
		select {
		case request = <-c.calls:
		default:
			// An answer that nobody asked for, such as 408 before an idle close.
			return
		}
		got := receive(in, request)
		c.answers <- got
		if got.err != nil || got.closing {
			return
		}
	}
}

// deliver hands an error to whoever waits for an answer; when nobody does, the connection was idle.
func (c *connection) deliver(a answer) {
	select {
	case <-c.calls:
		c.answers <- a
	default:
	}
}

func receive(in *bufio.Reader, request *http.Request) answer {
	response, err := http.ReadResponse(in, request)
	if err != nil {
		return answer{err: err}
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	return answer{
		status: response.StatusCode, header: response.Header, body: body, closing: response.Close, err: err,
	}
}

// idleClosed tells whether the server has closed the connection while no request was open.
func (c *connection) idleClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

func (c *connection) close() { _ = c.raw.Close() }

// do sends one request and waits for its answer.
func (c *connection) do(request call, header http.Header, timeout time.Duration) answer {
	expected := &http.Request{Method: request.method}
	c.calls <- expected
	_ = c.raw.SetWriteDeadline(time.Now().Add(timeout))
	if _, err := c.raw.Write(encode(request, c.host, header)); err != nil {
		return c.afterFailedWrite(err)
	}
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case got := <-c.answers:
		return got
	case <-c.closed:
		// The reader may have answered and ended at the same moment.
		select {
		case got := <-c.answers:
			return got
		default:
			return answer{err: io.EOF}
		}
	case <-limit.C:
		return answer{err: os.ErrDeadlineExceeded}
	}
}

// afterFailedWrite prefers an answer that arrived before the connection broke.
func (c *connection) afterFailedWrite(err error) answer {
	select {
	case got := <-c.answers:
		if got.err == nil {
			return got
		}
	case <-time.After(100 * time.Millisecond):
	}
	return answer{err: err}
}

func encode(request call, host string, header http.Header) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", request.method, request.path, host)
	if request.method == http.MethodPost {
		fmt.Fprintf(&b, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", len(request.body))
	}
	_ = header.Write(&b)
	b.WriteString("\r\n")
	b.Write(request.body)
	return b.Bytes()
}

// classify names a failure; empty means a good answer.
func classify(request call, got answer) (class, detail string) {
	if got.err != nil {
		return classOf(got.err), got.err.Error()
	}
	if got.status != http.StatusOK {
		return fmt.Sprintf("status_%d", got.status), excerpt(got.body)
	}
	if request.method == http.MethodPost && !bytes.Equal(request.body, got.body) {
		return "wrong_answer", excerpt(got.body)
	}
	return "", ""
}

func excerpt(body []byte) string {
	text := strings.Join(strings.Fields(string(body)), " ")
	if len(text) > 120 {
		text = text[:120]
	}
	return text
}

func classOf(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "eof"
	case strings.Contains(err.Error(), "GOAWAY"):
		return "goaway"
	}
	return "other"
}
