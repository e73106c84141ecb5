# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a real Unix socket."""

from __future__ import annotations

import http.server
import json
import pathlib
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._nginx.client import SocketControl
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    AbsentError,
    MainstayError,
)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers what the server was told, and keeps what it was asked."""

    server: Server

    def do_GET(self) -> None:
        """A question."""
        self._answer()

    def do_PUT(self) -> None:
        """A change."""
        self._answer()

    def address_string(self) -> str:
        """A Unix socket has none."""
        return ""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Quiet."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.server.asked.append((self.command, self.path, json.loads(body) if body else None))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)


class Server(socketserver.ThreadingUnixStreamServer):
    """HTTP on a Unix socket."""

    daemon_threads = True
    status = 200
    answer = b"{}"

    def __init__(self, path: str) -> None:
        super().__init__(path, Handler)
        self.asked: list[tuple[str, str, Any]] = []


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[Server]:
    """A server that ends with the test."""
    with Server(str(tmp_path / "control.sock")) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def control(server: Server) -> SocketControl:
    """The client of the server."""
    return SocketControl(str(server.server_address))


def test_calls(server: Server) -> None:
    """Method, path and body of each."""
    server.answer = b'{"generation": 7, "workers": {}}'
    edge = control(server)
    assert edge.status().generation == 7
    edge.status(since=3)
    assert edge.put_upstreams({"api": {"groups": []}}) == 7
    assert edge.put_maintenance(True) == 7
    assert server.asked == [
        ("GET", "/v1/upstreams", None),
        ("GET", "/v1/upstreams?since=3", None),
        ("PUT", "/v1/upstreams", {"api": {"groups": []}}),
        ("PUT", "/v1/maintenance", {"on": True}),
    ]


@pytest.mark.parametrize(
    ("status", "answer", "found"),
    [
        pytest.param(400, b'{"error": "no groups"}', "no groups", id="refused"),
        pytest.param(500, b"<html>oops</html>", "oops", id="not-json"),
    ],
)
def test_a_refusal_says_why(server: Server, status: int, answer: bytes, found: str) -> None:
    """The words of the edge reach the user."""
    server.status, server.answer = status, answer
    with pytest.raises(MainstayError) as caught:
        control(server).status()
    assert found in caught.value.found and str(status) in caught.value.found


def test_no_socket_says_what_to_do(tmp_path: pathlib.Path) -> None:
    """Not an edge, or Nginx does not run."""
    with pytest.raises(MainstayError) as caught:
        SocketControl(str(tmp_path / "none.sock")).status()
    assert "site.yml" in caught.value.next_step


def test_a_socket_that_nobody_listens_on(tmp_path: pathlib.Path) -> None:
    """A killed Nginx leaves one behind."""
    path = str(tmp_path / "stale.sock")
    socketserver.UnixStreamServer(path, socketserver.StreamRequestHandler).server_close()
    with pytest.raises(AbsentError, match="nobody listens"):
        SocketControl(path).status()
