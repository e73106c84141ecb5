// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package websocket

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The example of RFC 6455, section 1.3.
func TestAcceptKeyOfTheStandard(t *testing.T) {
	if got := acceptFor("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("found %q", got)
	}
}

func echoServer(t *testing.T, serve func(*Conn)) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := Accept(w, r)
		if err != nil {
			return
		}
		defer func() { _ = conn.Drop() }()
		serve(conn)
	}))
	t.Cleanup(server.Close)
	return server
}

func open(t *testing.T, server *httptest.Server) *Conn {
	t.Helper()
	raw, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	conn, _, err := Open(raw, "example.test", "/", http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func echo(conn *Conn) {
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

func TestMessagesOfEveryLengthForm(t *testing.T) {
	conn := open(t, echoServer(t, echo))
	for _, length := range []int{0, 1, 125, 126, 65535, 65536, 300000} {
		sent := bytes.Repeat([]byte("x"), length)
		if err := conn.Write(Binary, sent); err != nil {
			t.Fatal(err)
		}
		opcode, got, err := conn.Read()
		if err != nil || opcode != Binary || !bytes.Equal(got, sent) {
			t.Fatalf("length %d: opcode %d, %d bytes, %v", length, opcode, len(got), err)
		}
	}
}

func TestPingIsAnsweredAndFragmentsAreJoined(t *testing.T) {
	conn := open(t, echoServer(t, func(server *Conn) {
		_ = server.Ping()
		_, _ = server.raw.Write([]byte{Text, 2, 'a', 'b'})
		_ = server.Ping()
		_, _ = server.raw.Write([]byte{0x80 | Continuation, 1, 'c'})
		for i := 0; i < 2; i++ {
			if _, opcode, _, err := server.readFrame(); err != nil || opcode != pong {
				t.Errorf("expected a pong, found %d, %v", opcode, err)
			}
		}
		_ = server.CloseWith(Normal, "seen")
		_, _, _ = server.Read()
	}))
	_, message, err := conn.Read()
	if err != nil || string(message) != "abc" {
		t.Fatalf("found %q, %v", message, err)
	}
	if _, _, err = conn.Read(); err == nil {
		t.Fatal("expected the close frame")
	}
}

func TestCloseFrameTellsWhoAndWhy(t *testing.T) {
	conn := open(t, echoServer(t, func(server *Conn) {
		_ = server.CloseWith(GoingAway, "going away")
		_, _, _ = server.Read()
	}))
	_, _, err := conn.Read()
	var closed *CloseError
	if !errors.As(err, &closed) || closed.Code != GoingAway || closed.Reason != "going away" {
		t.Fatalf("found %v", err)
	}
}

func TestOversizedAndWronglyMaskedFramesAreRefused(t *testing.T) {
	for name, frame := range map[string][]byte{
		"oversized": {0x80 | Text, 127, 0, 0, 1, 0, 0, 0, 0, 0},
		"masked":    {0x80 | Text, 0x80 | 1, 0, 0, 0, 0, 'x'},
	} {
		frame := frame
		t.Run(name, func(t *testing.T) {
			conn := open(t, echoServer(t, func(server *Conn) {
				_, _ = server.raw.Write(frame)
				_, _, _ = server.Read()
			}))
			if _, _, err := conn.Read(); err == nil {
				t.Fatal("the frame was taken")
			}
		})
	}
}

func TestNoHandshakeIsRefused(t *testing.T) {
	server := echoServer(t, echo)
	answer, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusUpgradeRequired {
		t.Fatalf("found %s", answer.Status)
	}
}
