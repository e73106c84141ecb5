# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between a release and a real API server, and gets in the way as a test says."""

from __future__ import annotations

import contextlib
import http.server
import json
import pathlib
import threading
from collections.abc import Iterator
from typing import Any, Callable, Optional, Union

import urllib3

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import kubeconfig

#: What happens to a request instead: a status, a status with seconds to wait, or the line is cut.
Fault = Union[int, tuple[int, str], None]
CUT = -1
Rule = Callable[[str, str], Optional[Fault]]


class Relay:
    """Requests by HTTP on loopback, passed on as the administrator of the bed.

    C(rule) gets method and path of each request. With C(token) set only that one is known. Streams
    of watches end after C(events) of them.
    """

    def __init__(self, behind: str) -> None:
        access = kubeconfig.plain({"kubeconfig": behind}, {})
        assert access is not None
        self.rule: Rule = lambda _method, _path: None
        self.token = ""
        self.events = 0
        self.seen: list[tuple[str, str, int]] = []
        self._access, self._pool = access, kubeconfig.pool(access, 64)
        relay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                relay._serve(self)

            do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = _any  # noqa: N815

            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def _serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        method, path = handler.command, handler.path
        fault = self.rule(method, path)
        known = f"Bearer {self.token}"
        if fault is None and self.token and handler.headers.get("Authorization") != known:
            fault = 401
        status = fault[0] if isinstance(fault, tuple) else fault
        self.seen.append((method, path, status or 0))
        if status == CUT:
            handler.close_connection = True
            handler.connection.close()
            return
        if status:
            self._refuse(handler, status, fault[1] if isinstance(fault, tuple) else "")
            return
        with contextlib.suppress(OSError):
            self._pass_on(handler, body)

    @staticmethod
    def _refuse(handler: http.server.BaseHTTPRequestHandler, status: int, after: str) -> None:
        text = json.dumps({"kind": "Status", "message": "the relay says so"}).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(text)))
        if after:
            handler.send_header("Retry-After", after)
        handler.end_headers()
        handler.wfile.write(text)

    def _pass_on(self, handler: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
        kept = {k: v for k, v in handler.headers.items() if k in ("Accept", "Content-Type")}
        stream = "watch=true" in handler.path
        answer = self._pool.request(
            handler.command,
            self._access.host + handler.path,
            body=body or None,
            headers={**kept, **kubeconfig.headers(self._access)},
            preload_content=not stream,
            retries=False,
            timeout=urllib3.Timeout(read=60.0),
        )
        handler.send_response(answer.status)
        for name in ("Content-Type", "Date", "Warning", "Retry-After"):
            if name in answer.headers:
                handler.send_header(name, answer.headers[name])
        if not stream or answer.status >= 400:
            content = answer.data
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)
            return
        handler.send_header("Transfer-Encoding", "chunked")
        handler.close_connection = True
        handler.end_headers()
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            for number, part in enumerate(answer.stream(1 << 16, decode_content=False), 1):
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                handler.wfile.flush()
                if number == self.events:
                    break
        answer.close()

    def kubeconfig(self, place: pathlib.Path, token: str = "relayed") -> str:
        """A file that leads here."""
        host = f"http://127.0.0.1:{self.server.server_address[1]}"
        document = {
            "current-context": "relay",
            "contexts": [{"name": "relay", "context": {"cluster": "relay", "user": "relay"}}],
            "clusters": [{"name": "relay", "cluster": {"server": host}}],
            "users": [{"name": "relay", "user": {"token": token}}],
        }
        path = place / "relay.kubeconfig"
        path.write_text(json.dumps(document), encoding="utf-8")
        return str(path)


@contextlib.contextmanager
def relay(behind: str) -> Iterator[Relay]:
    """A relay before the cluster of a kubeconfig."""
    found = Relay(behind)
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
