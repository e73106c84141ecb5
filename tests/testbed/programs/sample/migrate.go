// Copyright: (c) 2026, Mainstay maintainers
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	redisTimeout = 5 * time.Second
	// The list in Redis that tests count to see that a migration ran once.
	migrationsKey = "sample:migrations"
)

// migrate records that it ran: a line in a file, an element of a list in Redis, or only its log.
func migrate(s settings) int {
	log := newLogger("migrate", s)
	log.say("info", "migration begins")
	time.Sleep(s.migrateTime)
	if s.migrateFails {
		log.say("info", "adding column shipped_at to table orders")
		log.say("error", `relation "orders" does not exist: the migration is broken on purpose`)
		return 4
	}
	record, _ := json.Marshal(map[string]string{
		"version": s.version, "host": s.hostname, "at": time.Now().UTC().Format(time.RFC3339Nano),
	})
	where, err := s.record(string(record))
	if err != nil {
		log.say("error", "migration failed", "error", err.Error())
		return 1
	}
	log.say("info", "migration ends", "recorded", where)
	return 0
}

func (s settings) record(line string) (string, error) {
	if s.redisURL != "" {
		return "redis " + migrationsKey, pushToRedis(s.redisURL, migrationsKey, line)
	}
	if info, err := os.Stat(s.migrationDir); err == nil && info.IsDir() {
		path := filepath.Join(s.migrationDir, "migrations.jsonl")
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return "", err
		}
		defer func() { _ = file.Close() }()
		_, err = fmt.Fprintln(file, line)
		return path, err
	}
	return "nowhere but here", nil
}

// pushToRedis speaks just enough of the protocol for AUTH and RPUSH.
func pushToRedis(address, key, value string) error {
	parsed, err := url.Parse(address)
	if err != nil {
		// The error of url.Parse shows the address, which may hold a password.
		return fmt.Errorf("REDIS_URL is not a URL")
	}
	port := parsed.Port()
	if port == "" {
		port = "6379"
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(parsed.Hostname(), port), redisTimeout)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(redisTimeout))
	in := bufio.NewReader(conn)
	if password, given := parsed.User.Password(); given {
		words := []string{"AUTH", password}
		if user := parsed.User.Username(); user != "" {
			words = []string{"AUTH", user, password}
		}
		if err := redisCall(conn, in, words...); err != nil {
			return err
		}
	}
	return redisCall(conn, in, "RPUSH", key, value)
}

func redisCall(conn net.Conn, in *bufio.Reader, words ...string) error {
	var request strings.Builder
	fmt.Fprintf(&request, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := conn.Write([]byte(request.String())); err != nil {
		return err
	}
	answer, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	if strings.HasPrefix(answer, "-") {
		return fmt.Errorf("redis answered %s to %s", strings.TrimSpace(answer), words[0])
	}
	return nil
}
