# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control socket of the edge: JSON over HTTP, for root on the same host only."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from typing import Any, Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._nginx.status import Status
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    AbsentError,
    MainstayError,
)

#: Made by the role nginx; its directory is root's alone.
CONTROL_SOCKET = "/run/mainstay-edge/control.sock"
#: Answers come from shared memory in under a millisecond; this only bounds a stopped Nginx.
CALL_TIMEOUT = 10.0


class EdgeControl(Protocol):
    """What the modules need of the edge."""

    def status(self, since: Optional[int] = None) -> Status:
        """The state now; figures count from the change C(since), the last one by default."""

    def put_upstreams(self, document: dict[str, Any]) -> int:
        """Replace the whole document; the new generation."""

    def put_maintenance(self, on: bool) -> int:
        """Switch the maintenance page; the new generation."""


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("edge", timeout=CALL_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """Called by L(http.client) for the first request."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CALL_TIMEOUT)
        self.sock.connect(self._path)


class SocketControl:
    """The edge of this host."""

    def __init__(self, path: str = CONTROL_SOCKET) -> None:
        self._path = path

    def status(self, since: Optional[int] = None) -> Status:
        """See L(EdgeControl)."""
        query = "" if since is None else f"?since={since}"
        return Status.parse(self._call("GET", f"/v1/upstreams{query}"))

    def put_upstreams(self, document: dict[str, Any]) -> int:
        """See L(EdgeControl)."""
        return int(self._call("PUT", "/v1/upstreams", document)["generation"])

    def put_maintenance(self, on: bool) -> int:
        """See L(EdgeControl)."""
        return int(self._call("PUT", "/v1/maintenance", {"on": on})["generation"])

    def _call(self, method: str, path: str, body: Optional[dict[str, Any]] = None) -> Any:
        payload = None if body is None else json.dumps(body, sort_keys=True).encode("utf-8")
        try:
            with contextlib.closing(_Connection(self._path)) as connection:
                connection.request(method, path, body=payload)
                response = connection.getresponse()
                text = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        return self._parse(response.status, text, f"{method} {path}")

    def _parse(self, status: int, text: str, call: str) -> Any:
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {"error": text[:200]}
        if status != 200:
            raise MainstayError(
                "the edge refused the call",
                subject=self._path,
                found=f"{call} answered {status}: {answer.get('error', '')}",
                expected="200",
                next_step="run site.yml: the files of the edge may be of another version",
            )
        return answer

    def _unreachable(self, error: Exception) -> MainstayError:
        there = os.path.exists(self._path)
        # Nginx that was killed leaves the file behind, with nobody who listens.
        if not there or isinstance(error, ConnectionRefusedError):
            return AbsentError(
                "the edge is not set up on this host, or Nginx does not run",
                subject=self._path,
                found="nobody listens" if there else "no such socket",
                expected="the control socket of a running Nginx",
                next_step="systemctl status nginx; run site.yml when this host never was an edge",
            )
        return MainstayError(
            "the edge does not answer",
            subject=self._path,
            found=str(error) or type(error).__name__,
            expected=f"an answer within {CALL_TIMEOUT:g} s",
            next_step="systemctl status nginx; journalctl -u nginx",
        )
