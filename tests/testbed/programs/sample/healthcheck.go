// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const checkTimeout = 3 * time.Second

// checkHealth is what the image's HEALTHCHECK runs: 0 when the service in this container is healthy.
func checkHealth(s settings) int {
	if s.role == "worker" {
		return checkHeartbeat(s.heartbeat)
	}
	path := map[string]string{"api": "/api/health", "web": "/health"}[s.role]
	client := http.Client{Timeout: checkTimeout}
	answer, err := client.Get("http://127.0.0.1:" + s.port + path)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = answer.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
	fmt.Printf("%s %s: %s", path, answer.Status, body)
	if answer.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}

func checkHeartbeat(path string) int {
	found, err := os.Stat(path)
	if err != nil {
		fmt.Println("there is no heartbeat:", err)
		return 1
	}
	if age := time.Since(found.ModTime()); age > beatLimit {
		fmt.Printf("the last heartbeat is %.0f s old, at most %.0f are good\n", age.Seconds(), beatLimit.Seconds())
		return 1
	}
	fmt.Println("the heart beats")
	return 0
}
