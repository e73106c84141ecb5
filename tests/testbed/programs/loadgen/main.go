// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Loadgen sends constant load and never retries, so that every request that a switch of versions
// costs is seen. It is an open loop: requests are due at fixed times, whether or not the answers
// before them were slow, and a late answer counts from the time at which its request was due.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	maxDuration = time.Hour
	// What is still open at the end may finish within this time.
	patience    = 15 * time.Second
	stopEvery   = 100 * time.Millisecond
	reportEvery = 5 * time.Second
)

type options struct {
	url       string
	resolve   string
	sources   string
	host      string
	authority string
	insecure  bool
	clients   int
	interval  time.Duration
	h2        int
	fresh     int
	slow      int
	sockets   int
	duration  time.Duration
	timeout   time.Duration
	stopFile  string
	readyFile string
	output    string
	path      string
	slowPath  string
	wsPath    string
	headers   headerFlag
	cookies   bool
	check     bool
}

type headerFlag struct{ header http.Header }

func (h *headerFlag) String() string { return "" }

func (h *headerFlag) Set(text string) error {
	name, value, found := strings.Cut(text, ":")
	if !found {
		return fmt.Errorf("found %q, expected Name: value", text)
	}
	h.header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	return nil
}

func parse(arguments []string) (options, error) {
	o := options{headers: headerFlag{header: http.Header{}}}
	f := flag.NewFlagSet("loadgen", flag.ContinueOnError)
	f.StringVar(&o.url, "url", "https://127.0.0.1", "scheme, host and port that is asked")
	f.StringVar(&o.resolve, "resolve", "", "address to connect to instead of the host's, with or without port")
	f.StringVar(&o.sources, "sources", "", "addresses of this machine, with commas between, that connections come from in turn")
	f.StringVar(&o.host, "host", "", "name for the Host header and for TLS; default: the host of -url")
	f.StringVar(&o.authority, "ca", "", "file with the certificates to trust")
	f.BoolVar(&o.insecure, "insecure", false, "trust every certificate")
	f.IntVar(&o.clients, "clients", 0, "keep-alive clients that send GET and POST in turn")
	f.DurationVar(&o.interval, "interval", 50*time.Millisecond, "time between two requests of a client")
	f.IntVar(&o.h2, "h2", 0, "HTTP/2 clients, each with one connection")
	f.IntVar(&o.fresh, "fresh", 0, "clients that open a connection for each request")
	f.IntVar(&o.slow, "slow", 0, "clients that ask for the slow path, one request after the other")
	f.IntVar(&o.sockets, "ws", 0, "WebSockets that send a message each second")
	f.DurationVar(&o.duration, "duration", 300*time.Second, "end after this time, at most 1h")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second, "an answer that takes longer is a failure")
	f.StringVar(&o.stopFile, "stop-file", "", "end when this file appears")
	f.StringVar(&o.readyFile, "ready-file", "", "write this file when every client has had an answer")
	f.StringVar(&o.output, "output", "-", "file for the report; - is standard output")
	f.StringVar(&o.path, "path", "/api/echo", "path of the requests")
	f.StringVar(&o.slowPath, "slow-path", "/api/slow?seconds=5", "path of the slow requests")
	f.StringVar(&o.wsPath, "ws-path", "/socket.io/", "path of the WebSockets")
	f.Var(&o.headers, "header", "header to send, as Name: value; may be repeated")
	f.BoolVar(&o.cookies, "cookies", false, "keep cookies, each client its own")
	f.BoolVar(&o.check, "check", false, "exit status 1 when anything failed or was cut, or nothing was sent")
	if err := f.Parse(arguments); err != nil {
		return o, err
	}
	if o.clients+o.h2+o.fresh+o.slow+o.sockets == 0 {
		o.clients = 150
	}
	if o.duration <= 0 || o.duration > maxDuration || o.interval <= 0 {
		return o, fmt.Errorf("-duration and -interval: expected more than 0, and at most %s", maxDuration)
	}
	return o, nil
}

// target is where the load goes to.
type target struct {
	address string
	host    string
	tls     *tls.Config // nil for plain HTTP
	sources *sources
}

// sources are the addresses that connections come from, one after the other; none leaves the choice
// to the system. One address that opens many connections uses its ports again while connection
// tracking still knows them, and then meets pods that are gone.
type sources struct {
	addresses []net.IP
	used      atomic.Uint64
}

func parseSources(text string) (*sources, error) {
	found := &sources{}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		address := net.ParseIP(part)
		if address == nil {
			return nil, fmt.Errorf("-sources: found %q, expected an address", part)
		}
		found.addresses = append(found.addresses, address)
	}
	return found, nil
}

func (s *sources) next() net.Addr {
	if s == nil || len(s.addresses) == 0 {
		return nil
	}
	number := s.used.Add(1) - 1
	return &net.TCPAddr{IP: s.addresses[number%uint64(len(s.addresses))]}
}

func (o options) target() (target, error) {
	parsed, err := url.Parse(o.url)
	if err != nil || parsed.Hostname() == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return target{}, fmt.Errorf("-url: found %q, expected http://HOST or https://HOST", o.url)
	}
	port := parsed.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[parsed.Scheme]
	}
	from, err := parseSources(o.sources)
	if err != nil {
		return target{}, err
	}
	t := target{address: net.JoinHostPort(parsed.Hostname(), port), host: parsed.Host, sources: from}
	if o.resolve != "" {
		t.address = o.resolve
		if _, _, err := net.SplitHostPort(o.resolve); err != nil {
			t.address = net.JoinHostPort(o.resolve, port)
		}
	}
	name := parsed.Hostname()
	if o.host != "" {
		t.host, name = o.host, strings.Split(o.host, ":")[0]
	}
	if parsed.Scheme == "https" {
		t.tls = &tls.Config{ServerName: name, InsecureSkipVerify: o.insecure, MinVersion: tls.VersionTLS12} //nolint:gosec // asked for by a flag
		if o.authority != "" {
			text, err := os.ReadFile(o.authority)
			if err != nil {
				return t, err
			}
			t.tls.RootCAs = x509.NewCertPool()
			if !t.tls.RootCAs.AppendCertsFromPEM(text) {
				return t, fmt.Errorf("-ca: no certificate in %s", o.authority)
			}
		}
	}
	return t, nil
}

// dial opens a connection; protocol is what TLS shall agree on.
func (t target) dial(ctx context.Context, protocol string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	raw, err := (&net.Dialer{LocalAddr: t.sources.next()}).DialContext(ctx, "tcp", t.address)
	if err != nil || t.tls == nil {
		return raw, err
	}
	settings := t.tls.Clone()
	settings.NextProtos = []string{protocol}
	conn := tls.Client(raw, settings)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	if agreed := conn.ConnectionState().NegotiatedProtocol; protocol == "h2" && agreed != "h2" {
		_ = raw.Close()
		return nil, fmt.Errorf("the server does not speak HTTP/2")
	}
	return conn, nil
}

func main() {
	o, err := parse(os.Args[1:])
	if err == nil {
		err = run(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(2)
	}
}

func run(o options) error {
	where, err := o.target()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.duration)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, stopped := context.WithCancel(ctx)
	defer stopped()
	results := newResults(o.clients + o.h2 + o.fresh + o.slow + o.sockets)
	go watch(ctx, o, results, stopped)
	var clients sync.WaitGroup
	start := func(count int, client func(int)) {
		for i := 0; i < count; i++ {
			i := i
			clients.Add(1)
			go func() {
				defer clients.Done()
				client(i)
			}()
		}
	}
	load := &load{options: o, target: where, results: results}
	start(o.clients, func(i int) { load.keepAlive(ctx, i) })
	start(o.h2, func(i int) { load.http2(ctx, i) })
	start(o.fresh, func(i int) { load.fresh(ctx, i) })
	start(o.slow, func(i int) { load.slow(ctx, i) })
	start(o.sockets, func(i int) { load.webSocket(ctx, i) })
	awaitAll(ctx, &clients)
	return finish(o, results.report())
}

// awaitAll waits for the end of the load, and then for what is open, but not for ever.
func awaitAll(ctx context.Context, clients *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		clients.Wait()
		close(done)
	}()
	<-ctx.Done()
	select {
	case <-done:
	case <-time.After(patience):
	}
}

// watch looks for the stop file, tells that all clients are at work, and reports now and then.
func watch(ctx context.Context, o options, results *results, stop context.CancelFunc) {
	ready := false
	next := time.Now().Add(reportEvery)
	ticker := time.NewTicker(stopEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if o.stopFile != "" {
				if _, err := os.Stat(o.stopFile); err == nil {
					stop()
					return
				}
			}
			if !ready && o.readyFile != "" && results.allAnswered() {
				ready = os.WriteFile(o.readyFile, []byte("ready\n"), 0o644) == nil
			}
			if now.After(next) {
				next = now.Add(reportEvery)
				fmt.Fprintln(os.Stderr, results.line())
			}
		}
	}
}

func finish(o options, report report) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if o.output == "-" {
		_, err = os.Stdout.Write(text)
	} else if err = os.MkdirAll(filepath.Dir(o.output), 0o755); err == nil {
		err = os.WriteFile(o.output, text, 0o644)
	}
	if err == nil && o.check && (report.Totals.Failed > 0 || report.Totals.Cut > 0 || report.Totals.Requests == 0) {
		os.Exit(1)
	}
	return err
}
