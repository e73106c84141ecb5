// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"math/rand"
	"net/http"
	"strconv"
	"sync"
	"time"

	"mainstay.test/testbed/websocket"
)

const (
	maxBody = 1 << 20
	maxSlow = 60 * time.Second
)

// application is what api and web have in common.
type application struct {
	settings
	log     *logger
	metrics *metrics
	started time.Time
	routes  map[string]http.HandlerFunc

	mutex      sync.Mutex
	draining   bool
	handshakes int
	sockets    map[*websocket.Conn]struct{}
}

func newApplication(role string, s settings, log *logger) *application {
	a := &application{
		settings: s, log: log, metrics: newMetrics(s.version), started: time.Now(),
		sockets: map[*websocket.Conn]struct{}{},
	}
	if role == "web" {
		a.routes = map[string]http.HandlerFunc{
			"/": a.page, "/health": a.health, "/_health": a.health, "/metrics": a.showMetrics,
		}
		return a
	}
	a.routes = map[string]http.HandlerFunc{
		"/health": a.health, "/health/live": a.health, "/health/ready": a.ready,
		"/health/readiness": a.ready,
		"/api/health":       a.health, "/api/ready": a.ready, "/api/metrics": a.showMetrics,
		"/api/version": a.showVersion, "/api/echo": a.echo, "/api/slow": a.slowly,
		"/socket.io/": a.webSocket,
	}
	return a
}

// watched are paths that machines ask for; faults of the service do not show there.
var watched = map[string]bool{
	"/health": true, "/health/live": true, "/health/ready": true, "/health/readiness": true,
	"/_health":    true,
	"/api/health": true, "/api/ready": true, "/api/metrics": true, "/metrics": true,
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// ServeHTTP adds what every answer has, counts it, and lets the service misbehave.
func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	w.Header().Set("X-Version", a.version)
	w.Header().Set("X-Replica", a.hostname)
	if id := r.Header.Get("X-Request-Id"); id != "" {
		w.Header().Set("X-Request-Id", id)
	}
	if a.isDraining() {
		w.Header().Set("Connection", "close")
	}
	path := r.URL.Path
	if a.routes[path] == nil {
		path = "other"
	}
	answer := &recorder{ResponseWriter: w, status: http.StatusOK}
	a.answer(path, answer, r)
	a.metrics.observe(r.Method, path, answer.status, time.Since(begun))
}

func (a *application) answer(path string, w *recorder, r *http.Request) {
	handler := a.routes[path]
	if handler == nil {
		http.NotFound(w, r)
		return
	}
	if !watched[path] {
		if a.faults[faultSlow] {
			time.Sleep(a.slow)
		}
		if a.faults[faultErrors] && rand.Float64() < a.errorShare { //nolint:gosec // no secret
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
	}
	if path == "/socket.io/" {
		// A WebSocket takes the connection over, which the recorder cannot pass on.
		w.status = http.StatusSwitchingProtocols
		handler(w.ResponseWriter, r)
		return
	}
	handler(w, r)
}

func (a *application) healthy() bool {
	if a.faults[faultHang] {
		time.Sleep(maxSlow)
	}
	late := a.faults[faultTurnsUnhealthy] && time.Since(a.started) > a.faultAfter
	return !a.faults[faultNeverHealthy] && !late
}

func (a *application) health(w http.ResponseWriter, _ *http.Request) {
	a.report(w, a.healthy())
}

// ready is health, and no when the end has come: who asks shall send no new requests.
func (a *application) ready(w http.ResponseWriter, _ *http.Request) {
	a.report(w, a.healthy() && !a.isDraining())
}

func (a *application) report(w http.ResponseWriter, good bool) {
	status, word := http.StatusOK, "ok"
	if !good {
		status, word = http.StatusServiceUnavailable, "failed"
	}
	writeJSON(w, status, map[string]interface{}{
		"status": word, "version": a.version, "uptime": time.Since(a.started).Seconds(),
	})
}

func (a *application) showMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	a.metrics.write(w)
}

func (a *application) showVersion(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]interface{}{
		"version": a.version, "replica": a.hostname, "secrets": a.secrets,
	})
}

func (a *application) echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
		return
	}
	if r.Method == http.MethodPost {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(body)
		return
	}
	writeJSON(w, http.StatusOK, map[string]interface{}{
		"method": r.Method, "query": r.URL.RawQuery, "version": a.version, "host": r.Host,
		"forwarded_for": r.Header.Get("X-Forwarded-For"), "proto": r.Header.Get("X-Forwarded-Proto"),
	})
}

func (a *application) slowly(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.ParseFloat(r.URL.Query().Get("seconds"), 64)
	wait := time.Duration(seconds * float64(time.Second))
	if err != nil || wait < 0 || wait > maxSlow {
		http.Error(w, "seconds: expected a number from 0 to 60", http.StatusBadRequest)
		return
	}
	time.Sleep(wait)
	writeJSON(w, http.StatusOK, map[string]interface{}{"slept": seconds, "version": a.version})
}

func (a *application) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html>\n<html lang=\"en\"><head><title>Sample</title></head>"+
		"<body><h1>Sample platform</h1><p>Version <b id=\"version\">%s</b> answered by %s.</p></body></html>\n",
		html.EscapeString(a.version), html.EscapeString(a.hostname))
}

func (a *application) isDraining() bool {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.draining
}

func writeJSON(w http.ResponseWriter, status int, content interface{}) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content)
}
