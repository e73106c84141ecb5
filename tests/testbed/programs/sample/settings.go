// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Faults that SAMPLE_FAULT may name, several with commas between them.
const (
	faultExit           = "exit"            // ends at once with status 3
	faultNeverHealthy   = "never_healthy"   // runs, and its health is 503 for ever
	faultTurnsUnhealthy = "turns_unhealthy" // healthy for SAMPLE_FAULT_AFTER seconds
	faultErrors         = "errors"          // SAMPLE_ERROR_SHARE percent of the answers are 500
	faultSlow           = "slow"            // every answer takes SAMPLE_SLOW_SECONDS longer
	faultLeak           = "leak"            // takes memory until it is killed
	faultIgnoreTerm     = "ignore_term"     // does not end on SIGTERM
	faultPortTaken      = "port_taken"      // cannot listen
	faultHang           = "hang"            // accepts connections and never answers
)

var knownFaults = []string{
	faultErrors, faultExit, faultHang, faultIgnoreTerm, faultLeak, faultNeverHealthy, faultPortTaken,
	faultSlow, faultTurnsUnhealthy,
}

type settings struct {
	role           string
	version        string
	hostname       string
	port           string
	faults         map[string]bool
	errorShare     float64
	slow           time.Duration
	faultAfter     time.Duration
	startDelay     time.Duration
	drainTime      time.Duration
	grace          time.Duration
	migrateFails   bool
	migrateTime    time.Duration
	migrationDir   string
	redisURL       string
	heartbeat      string
	secrets        []string
	missingSecrets []string
}

func settingsFrom(get func(string) string) (settings, error) {
	r := reader{get: get}
	hostname, _ := os.Hostname()
	s := settings{
		role:         r.text("SAMPLE_ROLE", "api"),
		version:      r.text("SAMPLE_VERSION", "0.0.0"),
		hostname:     hostname,
		faults:       r.faults(),
		errorShare:   r.number("SAMPLE_ERROR_SHARE", 20) / 100,
		slow:         r.seconds("SAMPLE_SLOW_SECONDS", 2),
		faultAfter:   r.seconds("SAMPLE_FAULT_AFTER", 10),
		startDelay:   r.seconds("SAMPLE_START_SECONDS", 0),
		drainTime:    r.seconds("SAMPLE_DRAIN_SECONDS", 2),
		grace:        r.seconds("SAMPLE_GRACE_SECONDS", 8),
		migrateFails: r.text("SAMPLE_MIGRATE_FAIL", "") != "",
		migrateTime:  r.seconds("SAMPLE_MIGRATE_SECONDS", 0),
		migrationDir: r.text("SAMPLE_MIGRATION_DIR", "/data"),
		redisURL:     r.text("REDIS_URL", ""),
		// A container has this in memory even when its root is read-only.
		heartbeat: r.text("SAMPLE_HEARTBEAT", "/dev/shm/heartbeat"),
		secrets:   []string{},
	}
	ports := map[string]string{"api": "3000", "web": "4200"}
	s.port = r.text("PORT", ports[s.role])
	s.findSecrets(r.text("SAMPLE_SECRETS_DIR", "/run/secrets"), r.text("SAMPLE_REQUIRE_SECRETS", ""), get)
	return s, r.err
}

// findSecrets reads the secrets, and keeps nothing but their names.
func (s *settings) findSecrets(directory, required string, get func(string) string) {
	files, _ := filepath.Glob(filepath.Join(directory, "*"))
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil && len(content) > 0 {
			s.secrets = append(s.secrets, filepath.Base(file))
		}
	}
	for _, name := range strings.FieldsFunc(required, func(r rune) bool { return r == ',' }) {
		switch {
		case contains(s.secrets, name):
		case get(strings.ToUpper(name)) != "":
			s.secrets = append(s.secrets, name)
		default:
			s.missingSecrets = append(s.missingSecrets, name)
		}
	}
	sort.Strings(s.secrets)
}

func contains(list []string, wanted string) bool {
	for _, item := range list {
		if item == wanted {
			return true
		}
	}
	return false
}

// reader reads the environment and keeps the first thing that is wrong with it.
type reader struct {
	get func(string) string
	err error
}

func (r *reader) text(name, otherwise string) string {
	if value := r.get(name); value != "" {
		return value
	}
	return otherwise
}

func (r *reader) number(name string, otherwise float64) float64 {
	text := r.get(name)
	if text == "" {
		return otherwise
	}
	value, err := strconv.ParseFloat(text, 64)
	if (err != nil || value < 0) && r.err == nil {
		r.err = fmt.Errorf("%s: found %q, expected a number that is not negative", name, text)
	}
	return value
}

func (r *reader) seconds(name string, otherwise float64) time.Duration {
	return time.Duration(r.number(name, otherwise) * float64(time.Second))
}

func (r *reader) faults() map[string]bool {
	found := map[string]bool{}
	for _, name := range strings.Split(r.get("SAMPLE_FAULT"), ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !contains(knownFaults, name) && r.err == nil {
			r.err = fmt.Errorf("SAMPLE_FAULT: found %q, expected one of %s", name, strings.Join(knownFaults, ", "))
		}
		found[name] = true
	}
	return found
}
