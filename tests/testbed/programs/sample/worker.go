// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	beat = time.Second
	// Older than this, the heartbeat means that the worker hangs.
	beatLimit = 10 * time.Second
	jobEvery  = 5
)

// work has no port: it leaves a heartbeat and a log line for every job.
func work(s settings) int {
	log := newLogger("worker", s)
	if status := misbehaveAtStart(s, log); status != 0 {
		return status
	}
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	log.say("info", "working", "secrets", s.secrets)
	if s.faults[faultLeak] {
		go leak()
	}
	started := time.Now()
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for beats := 0; ; beats++ {
		late := s.faults[faultTurnsUnhealthy] && time.Since(started) > s.faultAfter
		if !s.faults[faultNeverHealthy] && !late {
			if err := os.WriteFile(s.heartbeat, []byte(s.version), 0o644); err != nil {
				log.say("warning", "cannot write the heartbeat", "error", err.Error())
			}
		}
		if beats%jobEvery == 0 {
			log.say("info", "job done", "job", beats/jobEvery)
		}
		select {
		case <-ticker.C:
		case <-stop:
			if !s.faults[faultIgnoreTerm] {
				log.say("info", "ended")
				return 0
			}
			log.say("warning", "told to end, and going on")
		}
	}
}
