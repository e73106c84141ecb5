// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// A program that behaves as its environment says; the image for the tests of the release engine.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	fmt.Println("starting version", os.Getenv("VERSION"))
	if len(os.Args) > 1 && os.Args[1] == "probe" {
		r, err := http.Get("http://127.0.0.1:" + os.Getenv("PORT") + "/health")
		if err != nil || r.StatusCode != 200 {
			fmt.Println("probe failed", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "migrate" {
		fmt.Println("migrating", os.Getenv("MIGRATE"))
		code, _ := strconv.Atoi(os.Getenv("MIGRATE_EXIT"))
		os.Exit(code)
	}
	switch os.Getenv("FAULT") {
	case "exit":
		fmt.Println("cannot read configuration, secret is", os.Getenv("TOKEN"))
		os.Exit(3)
	case "memory":
		var keep [][]byte
		for {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			keep = append(keep, b)
		}
	case "late":
		time.Sleep(1500 * time.Millisecond)
		fmt.Println("crash after a while")
		os.Exit(4)
	}
	stop := make(chan os.Signal, 1)
	if os.Getenv("FAULT") == "deaf" {
		signal.Ignore(syscall.SIGTERM)
	} else {
		signal.Notify(stop, syscall.SIGTERM)
	}
	if port := os.Getenv("PORT"); port != "" {
		http.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {
			if os.Getenv("FAULT") == "sick" {
				http.Error(w, "database is away", 503)
				return
			}
			data, _ := os.ReadFile("/run/secrets/token")
			fmt.Fprintf(w, "%s uid %d secret %d bytes env %d\n", os.Getenv("VERSION"), os.Getuid(), len(data), len(os.Getenv("TOKEN")))
		})
		go http.ListenAndServe(":"+port, nil)
	}
	<-stop
	fmt.Println("stopping")
}
