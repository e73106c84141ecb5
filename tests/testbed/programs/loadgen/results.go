// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"sort"
	"sync"
	"time"
)

const keptFailures = 50

// outcome is one request, or one message over a WebSocket.
type outcome struct {
	mode    string
	method  string
	path    string
	due     time.Time
	ended   time.Time
	class   string // empty: a good answer
	detail  string
	version string
}

type failure struct {
	At      time.Time `json:"at"`
	Mode    string    `json:"mode"`
	Class   string    `json:"class"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Version string    `json:"version,omitempty"`
	Seconds float64   `json:"seconds"`
	Detail  string    `json:"detail"`
}

type latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

type modeReport struct {
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
	// Connections that were opened; that the server announced to close with an answer; and that
	// it closed while no request was open. None of these is a failure.
	Connections int            `json:"connections"`
	Announced   int            `json:"announced_closes"`
	ClosedIdle  int            `json:"closed_idle"`
	Failures    map[string]int `json:"failures"`
	Latency     latency        `json:"latency"`

	durations []float64
}

type versionReport struct {
	Answers int       `json:"answers"`
	Failed  int       `json:"failed"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

type second struct {
	Second   int            `json:"second"`
	Good     int            `json:"good"`
	Failed   int            `json:"failed"`
	Versions map[string]int `json:"versions"`
}

// cut is a WebSocket that ended before the load did.
type cut struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Code    int       `json:"code,omitempty"`
	Version string    `json:"version"`
	Open    float64   `json:"open_seconds"`
}

type totals struct {
	Requests int `json:"requests"`
	Good     int `json:"good"`
	Failed   int `json:"failed"`
	Cut      int `json:"sockets_cut"`
}

type report struct {
	Started  time.Time                 `json:"started"`
	Ended    time.Time                 `json:"ended"`
	Seconds  float64                   `json:"seconds"`
	Totals   totals                    `json:"totals"`
	Modes    map[string]*modeReport    `json:"modes"`
	Failures map[string]int            `json:"failures"`
	First    []failure                 `json:"first_failures"`
	Versions map[string]*versionReport `json:"versions"`
	Cuts     []cut                     `json:"cuts"`
	Series   []*second                 `json:"series"`
}

type results struct {
	mutex    sync.Mutex
	clients  int
	answered map[string]bool
	report_  report
	series   map[int]*second
}

func newResults(clients int) *results {
	return &results{
		clients:  clients,
		answered: map[string]bool{},
		series:   map[int]*second{},
		report_: report{
			Started: time.Now().UTC(), Modes: map[string]*modeReport{}, Failures: map[string]int{},
			First: []failure{}, Versions: map[string]*versionReport{}, Cuts: []cut{},
		},
	}
}

func (r *results) mode(name string) *modeReport {
	found := r.report_.Modes[name]
	if found == nil {
		found = &modeReport{Failures: map[string]int{}}
		r.report_.Modes[name] = found
	}
	return found
}

func (r *results) add(client string, o outcome) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.answered[client] = true
	r.report_.Totals.Requests++
	mode := r.mode(o.mode)
	mode.Requests++
	tick := r.at(o.ended)
	version := r.version(o)
	if version != nil {
		tick.Versions[o.version]++
	}
	if o.class == "" {
		r.report_.Totals.Good++
		tick.Good++
		mode.durations = append(mode.durations, o.ended.Sub(o.due).Seconds())
		return
	}
	r.report_.Totals.Failed++
	tick.Failed++
	mode.Failed++
	mode.Failures[o.class]++
	r.report_.Failures[o.class]++
	if version != nil {
		version.Failed++
	}
	if len(r.report_.First) < keptFailures {
		r.report_.First = append(r.report_.First, failure{
			At: o.ended.UTC(), Mode: o.mode, Class: o.class, Method: o.method, Path: o.path,
			Version: o.version, Seconds: o.ended.Sub(o.due).Seconds(), Detail: o.detail,
		})
	}
}

func (r *results) version(o outcome) *versionReport {
	if o.version == "" {
		return nil
	}
	found := r.report_.Versions[o.version]
	if found == nil {
		found = &versionReport{First: o.ended.UTC()}
		r.report_.Versions[o.version] = found
	}
	found.Answers++
	if o.ended.After(found.Last) {
		found.Last = o.ended.UTC()
	}
	return found
}

func (r *results) at(moment time.Time) *second {
	number := int(moment.Sub(r.report_.Started).Seconds())
	found := r.series[number]
	if found == nil {
		found = &second{Second: number, Versions: map[string]int{}}
		r.series[number] = found
	}
	return found
}

// count changes one of the counters of a mode.
func (r *results) count(mode string, change func(*modeReport)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	change(r.mode(mode))
}

func (r *results) cut(c cut) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.report_.Totals.Cut++
	r.report_.Cuts = append(r.report_.Cuts, c)
}

func (r *results) allAnswered() bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.answered) == r.clients
}

func (r *results) line() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	t := r.report_.Totals
	return fmt.Sprintf("loadgen: %4.0f s, %d requests, %d failed, %d sockets cut",
		time.Since(r.report_.Started).Seconds(), t.Requests, t.Failed, t.Cut)
}

func (r *results) report() report {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	done := r.report_
	done.Ended = time.Now().UTC()
	done.Seconds = done.Ended.Sub(done.Started).Seconds()
	for _, mode := range done.Modes {
		mode.Latency = percentiles(mode.durations)
	}
	done.Series = make([]*second, 0, len(r.series))
	for _, tick := range r.series {
		done.Series = append(done.Series, tick)
	}
	sort.Slice(done.Series, func(i, j int) bool { return done.Series[i].Second < done.Series[j].Second })
	return done
}

func percentiles(durations []float64) latency {
	if len(durations) == 0 {
		return latency{}
	}
	sorted := append([]float64{}, durations...)
	sort.Float64s(sorted)
	at := func(share float64) float64 { return sorted[int(share*float64(len(sorted)-1))] }
	return latency{P50: at(0.5), P95: at(0.95), P99: at(0.99), Max: sorted[len(sorted)-1]}
}
