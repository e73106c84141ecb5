// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mainstay.test/testbed/websocket"
)

func made(t *testing.T, environment map[string]string) settings {
	t.Helper()
	s, err := settingsFrom(func(name string) string { return environment[name] })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(t *testing.T, app http.Handler, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	app.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return answer
}

func TestRoutes(t *testing.T) {
	api := newApplication("api", made(t, map[string]string{"SAMPLE_VERSION": "1.2.3"}), nil)
	web := newApplication("web", made(t, map[string]string{"SAMPLE_VERSION": "1.2.3"}), nil)
	for _, one := range []struct {
		app                *application
		method, path, body string
		status             int
		part               string
	}{
		{api, "GET", "/api/health", "", 200, `"status":"ok"`},
		{api, "GET", "/api/ready", "", 200, `"status":"ok"`},
		{api, "GET", "/api/version", "", 200, `"version":"1.2.3"`},
		{api, "GET", "/api/echo?a=1", "", 200, `"query":"a=1"`},
		{api, "POST", "/api/echo", "hello", 200, "hello"},
		{api, "GET", "/api/slow?seconds=0", "", 200, `"slept":0`},
		{api, "GET", "/api/slow?seconds=x", "", 400, "seconds"},
		{api, "GET", "/nothing", "", 404, ""},
		{api, "GET", "/socket.io/", "", 426, ""},
		{web, "GET", "/", "", 200, `<b id="version">1.2.3</b>`},
		{web, "GET", "/health", "", 200, `"status":"ok"`},
	} {
		got := ask(t, one.app, one.method, one.path, one.body)
		if got.Code != one.status || !strings.Contains(got.Body.String(), one.part) {
			t.Errorf("%s %s: found %d %s", one.method, one.path, got.Code, got.Body)
		}
		if got.Header().Get("X-Version") != "1.2.3" {
			t.Errorf("%s: no version", one.path)
		}
	}
}

func TestMetricsAreTrue(t *testing.T) {
	app := newApplication("api", made(t, nil), nil)
	for i := 0; i < 3; i++ {
		ask(t, app, "GET", "/api/echo", "")
	}
	ask(t, app, "GET", "/nothing/1", "")
	ask(t, app, "GET", "/nothing/2", "")
	text := ask(t, app, "GET", "/api/metrics", "").Body.String()
	for _, line := range []string{
		`http_requests_total{method="GET",path="/api/echo",status="200"} 3`,
		`http_requests_total{method="GET",path="other",status="404"} 2`,
		`http_request_duration_seconds_count{method="GET",path="/api/echo"} 3`,
		`http_request_duration_seconds_bucket{method="GET",path="/api/echo",le="+Inf"} 3`,
		"# TYPE http_request_duration_seconds histogram",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("missing: %s\nin %s", line, text)
		}
	}
}

func TestFaults(t *testing.T) {
	health := func(environment map[string]string) int {
		return ask(t, newApplication("api", made(t, environment), nil), "GET", "/api/health", "").Code
	}
	if got := health(map[string]string{"SAMPLE_FAULT": "never_healthy"}); got != 503 {
		t.Errorf("never healthy: found %d", got)
	}
	late := map[string]string{"SAMPLE_FAULT": "turns_unhealthy", "SAMPLE_FAULT_AFTER": "1000"}
	if got := health(late); got != 200 {
		t.Errorf("turns unhealthy, before: found %d", got)
	}
	late["SAMPLE_FAULT_AFTER"] = "0"
	if got := health(late); got != 503 {
		t.Errorf("turns unhealthy, after: found %d", got)
	}
	broken := newApplication("api", made(t, map[string]string{"SAMPLE_FAULT": "errors"}), nil)
	failed := 0
	for i := 0; i < 2000; i++ {
		if ask(t, broken, "GET", "/api/echo", "").Code == 500 {
			failed++
		}
	}
	if failed < 300 || failed > 500 {
		t.Errorf("%d of 2000 failed, expected about 400", failed)
	}
	if got := ask(t, broken, "GET", "/api/health", "").Code; got != 200 {
		t.Errorf("the health of a service with errors: found %d", got)
	}
}

func TestBadEnvironmentIsRefused(t *testing.T) {
	for name, value := range map[string]string{
		"SAMPLE_FAULT": "leek", "SAMPLE_ERROR_SHARE": "many", "SAMPLE_GRACE_SECONDS": "-1",
	} {
		_, err := settingsFrom(func(asked string) string {
			if asked == name {
				return value
			}
			return ""
		})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), value) {
			t.Errorf("%s=%s: found %v", name, value, err)
		}
	}
}

func TestSecretsAreKnownByNameOnly(t *testing.T) {
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "jwt_secret"), []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := made(t, map[string]string{
		"SAMPLE_SECRETS_DIR": directory, "SAMPLE_REQUIRE_SECRETS": "jwt_secret,smtp_password,lost",
		"SMTP_PASSWORD": "canary",
	})
	if fmt.Sprint(s.secrets) != "[jwt_secret smtp_password]" || fmt.Sprint(s.missingSecrets) != "[lost]" {
		t.Fatalf("found %v, missing %v", s.secrets, s.missingSecrets)
	}
	if strings.Contains(fmt.Sprintf("%+v", s), "canary") {
		t.Fatal("a secret was kept")
	}
	if misbehaveAtStart(s, newLogger("api", s)) != 1 {
		t.Fatal("it starts without a secret that it requires")
	}
}

// running is a service on a port of its own that can be told to drain.
type running struct {
	app     *application
	address string
	begin   func()
	ended   chan struct{}
}

func runService(t *testing.T, environment map[string]string) running {
	t.Helper()
	s := made(t, environment)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	app := newApplication("api", s, newLogger("api", s))
	connections := newTracker()
	server := &http.Server{Handler: app, ConnState: connections.changed}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	r := running{app: app, address: listener.Addr().String(), ended: make(chan struct{})}
	r.begin = func() {
		go func() {
			defer close(r.ended)
			app.drain(listener, server, connections)
		}()
		for !app.isDraining() {
			time.Sleep(time.Millisecond)
		}
	}
	return r
}

func get(t *testing.T, conn net.Conn, path string) *http.Response {
	t.Helper()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(answer.Body)
	return answer
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestDrainingAnswersOnKeptConnectionsAndThenClosesThem(t *testing.T) {
	service := runService(t, map[string]string{"SAMPLE_DRAIN_SECONDS": "30"})
	conn := dial(t, service.address)
	if get(t, conn, "/api/echo").Close {
		t.Fatal("the connection closes before the end")
	}
	service.begin()
	if _, err := net.Dial("tcp", service.address); err == nil {
		t.Fatal("a new connection was taken")
	}
	answer := get(t, conn, "/api/ready")
	if answer.StatusCode != http.StatusServiceUnavailable || !answer.Close {
		t.Fatalf("found %s, close %v", answer.Status, answer.Close)
	}
	// No connection is left, so it ends long before the 30 s are over.
	<-service.ended
}

func TestDrainingFinishesOpenRequests(t *testing.T) {
	service := runService(t, map[string]string{"SAMPLE_DRAIN_SECONDS": "0"})
	conn := dial(t, service.address)
	fmt.Fprint(conn, "GET /api/slow?seconds=0.3 HTTP/1.1\r\nHost: x\r\n\r\n")
	in := bufio.NewReader(conn)
	time.Sleep(50 * time.Millisecond)
	service.begin()
	answer, err := http.ReadResponse(in, nil)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("found %v, %v", answer, err)
	}
}

func TestWebSocketsAreToldAtTheEndOfTheGrace(t *testing.T) {
	service := runService(t, map[string]string{"SAMPLE_DRAIN_SECONDS": "0", "SAMPLE_GRACE_SECONDS": "0.3"})
	conn, _, err := websocket.Open(dial(t, service.address), "x", "/socket.io/", http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	service.begin()
	if err := conn.Write(websocket.Text, []byte("still there")); err != nil {
		t.Fatal(err)
	}
	if _, message, err := conn.Read(); err != nil || string(message) != "still there" {
		t.Fatalf("within the grace: found %q, %v", message, err)
	}
	_, _, err = conn.Read()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != websocket.GoingAway {
		t.Fatalf("found %v", err)
	}
	<-service.ended
}

func TestMigrationLeavesOneRecord(t *testing.T) {
	directory := t.TempDir()
	environment := map[string]string{"SAMPLE_MIGRATION_DIR": directory, "SAMPLE_VERSION": "1.1.0"}
	if status := migrate(made(t, environment)); status != 0 {
		t.Fatalf("found status %d", status)
	}
	environment["SAMPLE_MIGRATE_FAIL"] = "1"
	if status := migrate(made(t, environment)); status == 0 {
		t.Fatal("the broken migration succeeded")
	}
	content, err := os.ReadFile(filepath.Join(directory, "migrations.jsonl"))
	if err != nil || strings.Count(string(content), "\n") != 1 || !strings.Contains(string(content), "1.1.0") {
		t.Fatalf("found %q, %v", content, err)
	}
}

func TestHealthcheckOfEachRole(t *testing.T) {
	server := httptest.NewServer(newApplication("api", made(t, nil), nil))
	defer server.Close()
	port := server.URL[strings.LastIndex(server.URL, ":")+1:]
	if status := checkHealth(made(t, map[string]string{"PORT": port})); status != 0 {
		t.Errorf("healthy: found %d", status)
	}
	server.Close()
	if status := checkHealth(made(t, map[string]string{"PORT": port})); status == 0 {
		t.Error("gone: found 0")
	}
	beat := filepath.Join(t.TempDir(), "beat")
	worker := map[string]string{"SAMPLE_ROLE": "worker", "SAMPLE_HEARTBEAT": beat}
	if status := checkHealth(made(t, worker)); status == 0 {
		t.Error("no heartbeat: found 0")
	}
	if err := os.WriteFile(beat, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status := checkHealth(made(t, worker)); status != 0 {
		t.Errorf("heartbeat: found %d", status)
	}
	old := time.Now().Add(-time.Minute)
	if err := os.Chtimes(beat, old, old); err != nil {
		t.Fatal(err)
	}
	if status := checkHealth(made(t, worker)); status == 0 {
		t.Error("old heartbeat: found 0")
	}
}
