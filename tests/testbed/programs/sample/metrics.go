// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"io"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

// Upper bounds in seconds; around the goals of 300 ms, 500 ms and 1 s.
var buckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10}

type counterKey struct{ method, path, status string }

type histogramKey struct{ method, path string }

type histogram struct {
	counts []uint64
	total  uint64
	sum    float64
}

type metrics struct {
	mutex      sync.Mutex
	started    time.Time
	version    string
	requests   map[counterKey]uint64
	durations  map[histogramKey]*histogram
	webSockets int
}

func newMetrics(version string) *metrics {
	return &metrics{
		started: time.Now(), version: version,
		requests: map[counterKey]uint64{}, durations: map[histogramKey]*histogram{},
	}
}

func (m *metrics) observe(method, path string, status int, took time.Duration) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.requests[counterKey{method, path, fmt.Sprint(status)}]++
	key := histogramKey{method, path}
	h := m.durations[key]
	if h == nil {
		h = &histogram{counts: make([]uint64, len(buckets))}
		m.durations[key] = h
	}
	seconds := took.Seconds()
	for i, bound := range buckets {
		if seconds <= bound {
			h.counts[i]++
		}
	}
	h.total++
	h.sum += seconds
}

func (m *metrics) webSocketOpened(change int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.webSockets += change
}

// write gives the Prometheus text format, always in the same order.
func (m *metrics) write(w io.Writer) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	lines := make([]string, 0, len(m.requests))
	for key, count := range m.requests {
		lines = append(lines, fmt.Sprintf(
			"http_requests_total{method=%q,path=%q,status=%q} %d\n", key.method, key.path, key.status, count))
	}
	family(w, "http_requests_total", "counter", "Requests answered.", lines)
	lines = nil
	for key, h := range m.durations {
		lines = append(lines, h.text(fmt.Sprintf("method=%q,path=%q", key.method, key.path)))
	}
	family(w, "http_request_duration_seconds", "histogram", "Time from the request to its answer.", lines)
	family(w, "websockets_open", "gauge", "WebSockets that are open.",
		[]string{fmt.Sprintf("websockets_open %d\n", m.webSockets)})
	family(w, "process_start_time_seconds", "gauge", "Start of the process since the epoch.",
		[]string{fmt.Sprintf("process_start_time_seconds %.3f\n", float64(m.started.UnixNano())/1e9)})
	family(w, "go_memstats_alloc_bytes", "gauge", "Bytes in use.",
		[]string{fmt.Sprintf("go_memstats_alloc_bytes %d\n", memory.Alloc)})
	family(w, "sample_info", "gauge", "The version that runs.",
		[]string{fmt.Sprintf("sample_info{version=%q} 1\n", m.version)})
}

func family(w io.Writer, name, kind, help string, lines []string) {
	sort.Strings(lines)
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s", name, help, name, kind, strings.Join(lines, ""))
}

func (h *histogram) text(labels string) string {
	var b strings.Builder
	for i, bound := range buckets {
		fmt.Fprintf(&b, "http_request_duration_seconds_bucket{%s,le=\"%g\"} %d\n", labels, bound, h.counts[i])
	}
	fmt.Fprintf(&b, "http_request_duration_seconds_bucket{%s,le=\"+Inf\"} %d\n", labels, h.total)
	fmt.Fprintf(&b, "http_request_duration_seconds_sum{%s} %g\n", labels, h.sum)
	fmt.Fprintf(&b, "http_request_duration_seconds_count{%s} %d\n", labels, h.total)
	return b.String()
}
