// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"os"
	"sync"
	"time"
)

type logger struct {
	mutex sync.Mutex
	base  map[string]interface{}
}

func newLogger(role string, s settings) *logger {
	return &logger{base: map[string]interface{}{"service": role, "version": s.version}}
}

// say writes one line of JSON: names and values alternate.
func (l *logger) say(level, message string, pairs ...interface{}) {
	line := map[string]interface{}{
		"time": time.Now().UTC().Format(time.RFC3339Nano), "level": level, "message": message,
	}
	for name, value := range l.base {
		line[name] = value
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, is := pairs[i].(string); is {
			line[name] = pairs[i+1]
		}
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(line)
}
