// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package websocket is the part of RFC 6455 that the test bed needs, for both ends: handshake,
// text and binary messages, fragments, ping, pong and close. There are no extensions.
package websocket

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it; nothing is protected by it.
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Opcodes of frames.
const (
	Continuation = 0x0
	Text         = 0x1
	Binary       = 0x2
	closing      = 0x8
	ping         = 0x9
	pong         = 0xA
)

// Close codes.
const (
	Normal    = 1000
	GoingAway = 1001
)

const (
	acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	maxPayload   = 1 << 20
	writeTimeout = 5 * time.Second
)

// CloseError is a close frame from the other end.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("closed with %d %s", e.Code, e.Reason) }

// Conn is one end of an open WebSocket. Reading and writing may go on at the same time.
type Conn struct {
	raw    net.Conn
	in     *bufio.Reader
	client bool
	write  sync.Mutex
}

// Accept answers the handshake of a client and takes the connection over.
func Accept(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || key == "" {
		http.Error(w, "expected a WebSocket handshake", http.StatusUpgradeRequired)
		return nil, errors.New("no WebSocket handshake")
	}
	hijacker, can := w.(http.Hijacker)
	if !can {
		http.Error(w, "this connection cannot be taken over", http.StatusInternalServerError)
		return nil, errors.New("the connection cannot be taken over")
	}
	header := w.Header().Clone()
	raw, buffered, err := hijacker.Hijack()
	if err != nil {
		return nil, err
	}
	header.Set("Upgrade", "websocket")
	header.Set("Connection", "Upgrade")
	header.Set("Sec-WebSocket-Accept", acceptFor(key))
	var answer strings.Builder
	answer.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = header.Write(&answer)
	answer.WriteString("\r\n")
	_ = raw.SetDeadline(time.Time{})
	if _, err = raw.Write([]byte(answer.String())); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return &Conn{raw: raw, in: buffered.Reader}, nil
}

// Open does the handshake of a client over a connection that is there already. The headers of the
// answer come back too.
func Open(raw net.Conn, host, path string, header http.Header) (*Conn, http.Header, error) {
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return nil, nil, err
	}
	key := base64.StdEncoding.EncodeToString(nonce)
	var request strings.Builder
	fmt.Fprintf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, host)
	request.WriteString("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n")
	fmt.Fprintf(&request, "Sec-WebSocket-Key: %s\r\n", key)
	_ = header.Write(&request)
	request.WriteString("\r\n")
	if _, err := raw.Write([]byte(request.String())); err != nil {
		return nil, nil, err
	}
	in := bufio.NewReader(raw)
	answer, err := http.ReadResponse(in, &http.Request{Method: http.MethodGet})
	if err != nil {
		return nil, nil, err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return nil, answer.Header, fmt.Errorf("handshake answered with %s", answer.Status)
	}
	if answer.Header.Get("Sec-WebSocket-Accept") != acceptFor(key) {
		return nil, answer.Header, errors.New("the handshake was answered for another key")
	}
	return &Conn{raw: raw, in: in, client: true}, answer.Header, nil
}

func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + acceptSuffix)) //nolint:gosec // see the import
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Read returns the next message; pings are answered on the way. A close frame is answered and comes
// back as *CloseError.
func (c *Conn) Read() (opcode byte, message []byte, err error) {
	for {
		final, op, payload, err := c.readFrame()
		if err != nil {
			return 0, nil, err
		}
		switch op {
		case ping:
			if err := c.writeFrame(pong, payload); err != nil {
				return 0, nil, err
			}
			continue
		case pong:
			continue
		case closing:
			closed := parseClose(payload)
			_ = c.writeFrame(closing, payload)
			return 0, nil, closed
		case Continuation:
			message = append(message, payload...)
		default:
			opcode, message = op, payload
		}
		if len(message) > maxPayload {
			return 0, nil, fmt.Errorf("message of more than %d bytes", maxPayload)
		}
		if final {
			return opcode, message, nil
		}
	}
}

func parseClose(payload []byte) *CloseError {
	if len(payload) < 2 {
		return &CloseError{Code: 1005}
	}
	return &CloseError{Code: int(binary.BigEndian.Uint16(payload)), Reason: string(payload[2:])}
}

func (c *Conn) readFrame() (final bool, opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err = io.ReadFull(c.in, head[:]); err != nil {
		return false, 0, nil, err
	}
	length, err := c.readLength(head[1] & 0x7f)
	if err != nil {
		return false, 0, nil, err
	}
	masked := head[1]&0x80 != 0
	if masked == c.client {
		return false, 0, nil, errors.New("a frame was masked by the wrong end")
	}
	var mask [4]byte
	if masked {
		if _, err = io.ReadFull(c.in, mask[:]); err != nil {
			return false, 0, nil, err
		}
	}
	payload = make([]byte, length)
	if _, err = io.ReadFull(c.in, payload); err != nil {
		return false, 0, nil, err
	}
	if masked {
		apply(mask, payload)
	}
	return head[0]&0x80 != 0, head[0] & 0x0f, payload, nil
}

func (c *Conn) readLength(short byte) (uint64, error) {
	length := uint64(short)
	var long [8]byte
	switch short {
	case 126:
		if _, err := io.ReadFull(c.in, long[6:]); err != nil {
			return 0, err
		}
		length = binary.BigEndian.Uint64(long[:])
	case 127:
		if _, err := io.ReadFull(c.in, long[:]); err != nil {
			return 0, err
		}
		length = binary.BigEndian.Uint64(long[:])
	}
	if length > maxPayload {
		return 0, fmt.Errorf("frame of %d bytes, at most %d are taken", length, maxPayload)
	}
	return length, nil
}

// Write sends one message.
func (c *Conn) Write(opcode byte, message []byte) error { return c.writeFrame(opcode, message) }

// Ping sends a ping.
func (c *Conn) Ping() error { return c.writeFrame(ping, nil) }

// CloseWith sends a close frame; the other end answers with one, which Read returns.
func (c *Conn) CloseWith(code int, reason string) error {
	payload := make([]byte, 2, 2+len(reason))
	binary.BigEndian.PutUint16(payload, uint16(code))
	return c.writeFrame(closing, append(payload, reason...))
}

// Drop ends the connection with no further word.
func (c *Conn) Drop() error { return c.raw.Close() }

// SetReadDeadline limits how long Read waits.
func (c *Conn) SetReadDeadline(at time.Time) error { return c.raw.SetReadDeadline(at) }

func (c *Conn) writeFrame(opcode byte, payload []byte) error {
	frame := []byte{0x80 | opcode, 0}
	switch length := len(payload); {
	case length < 126:
		frame[1] = byte(length)
	case length < 1<<16:
		frame[1] = 126
		frame = binary.BigEndian.AppendUint16(frame, uint16(length))
	default:
		frame[1] = 127
		frame = binary.BigEndian.AppendUint64(frame, uint64(length))
	}
	start := len(frame)
	if c.client {
		var mask [4]byte
		if _, err := rand.Read(mask[:]); err != nil {
			return err
		}
		frame[1] |= 0x80
		frame = append(frame, mask[:]...)
		start = len(frame)
		frame = append(frame, payload...)
		apply(mask, frame[start:])
	} else {
		frame = append(frame, payload...)
	}
	c.write.Lock()
	defer c.write.Unlock()
	_ = c.raw.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := c.raw.Write(frame)
	return err
}

func apply(mask [4]byte, payload []byte) {
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
}
