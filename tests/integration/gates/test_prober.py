# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prober as the process it is, against a server that fails on purpose."""

from __future__ import annotations

import http.server
import json
import os
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._release.controller import (
    started_at,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.probing import (
    change_probe,
)

ASKED = 120
#: Every so many requests the server answers with 502, and as often it just hangs up.
BROKEN, DROPPED = 10, 15


class Faulty(http.server.ThreadingHTTPServer):
    """Counts what it was asked and what it spoiled; says when it was asked often enough."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.guard, self.enough = threading.Lock(), threading.Event()
        self.asked = self.spoiled = 0


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Faulty

    def do_GET(self) -> None:
        """Answer, answer badly, or hang up."""
        with self.server.guard:
            self.server.asked += 1
            turn = self.server.asked
            bad, drop = turn % BROKEN == 0, turn % DROPPED == 0
            self.server.spoiled += bad or drop
        if turn >= ASKED:
            self.server.enough.set()
        if drop:
            self.close_connection = True
            return
        self.send_response(502 if bad else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_arguments: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Faulty]:
    with Faulty() as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def change(root: pathlib.Path, server: Faulty, state: str, phase: str = "") -> dict[str, Any]:
    params = {
        "state_root": str(root),
        "platform": "demo-test",
        "release_id": "r1",
        "state": state,
        "phase": phase,
        "rate": 100.0,
        "path": "/",
        "host": "demo.test",
        "address": "127.0.0.1",
        "port": server.server_address[1],
        "tls": False,
        "timeout": 2.0,
        "slow_seconds": 1.0,
        "max_seconds": 60.0,
    }
    return change_probe(params, check_mode=False).as_dict()


def test_counted_failures_are_the_injected_ones(tmp_path: pathlib.Path, server: Faulty) -> None:
    place = tmp_path / "demo-test/probe/r1"
    assert change(tmp_path, server, "started", "before")["changed"]
    process = json.loads((place / "process.json").read_text())
    assert started_at(process["pid"]) == process["started"] > 0
    assert not change(tmp_path, server, "started")["changed"], "it runs already"
    change(tmp_path, server, "marked", "switch")
    assert server.enough.wait(60)
    proof = change(tmp_path, server, "stopped")["proof"]
    assert started_at(process["pid"]) != process["started"], "it is gone"
    assert server.spoiled > 0
    assert (proof["requests"], proof["failed"]) == (server.asked, server.spoiled)
    assert "switch" in proof["phases"]
    assert len(proof["first_failures"]) == min(10, server.spoiled)
    again = change(tmp_path, server, "stopped")
    assert (again["changed"], again["proof"]) == (False, proof)
    assert sorted(os.listdir(place)) == ["proof.json"]
