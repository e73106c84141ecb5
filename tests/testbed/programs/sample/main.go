// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Sample is one program with the roles of a small platform: api, web, worker, their migration and
// their health check. How it misbehaves is chosen by the environment; see settings.go.
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	// With or without the name of the program in front, as the runtime likes it.
	arguments := os.Args[1:]
	if len(arguments) > 0 && strings.HasSuffix(arguments[0], "/sample") {
		arguments = arguments[1:]
	}
	settings, err := settingsFrom(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	role := settings.role
	if len(arguments) > 0 {
		role = arguments[0]
	}
	os.Exit(run(role, settings))
}

func run(role string, s settings) int {
	switch role {
	case "healthcheck":
		return checkHealth(s)
	case "migrate":
		return migrate(s)
	case "api", "web":
		return serve(role, s)
	case "worker":
		return work(s)
	}
	fmt.Fprintf(os.Stderr, "found role %q, expected api, web, worker, migrate or healthcheck\n", role)
	return 2
}
