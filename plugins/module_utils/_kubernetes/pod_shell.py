# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs in a pod: a small Protocol, and its implementation on a WebSocket.

What goes in has a known length that the program is told: the channel has no end of input that all
versions of Kubernetes know.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional, Protocol
from urllib.parse import urlencode

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import connect
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

STDIN, STDOUT, STDERR, STATUS = 0, 1, 2, 3
#: What one frame carries; the API server refuses ones that are much larger.
_FRAME = 1 << 18
_KEPT = 200_000
_CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Place:
    """A container."""

    namespace: str
    pod: str
    container: str

    def __str__(self) -> str:
        return f"Pod {self.namespace}/{self.pod} ({self.container})"


@dataclass(frozen=True)
class Done:
    """How a program ended: its code, and the ends of what it wrote."""

    code: int
    out: str = ""
    err: str = ""


class Shell(Protocol):
    """Runs C(/bin/sh -euc SCRIPT) in a container."""

    def run(
        self,
        place: Place,
        script: str,
        *,
        source: Optional[Iterable[bytes]] = None,
        sink: Optional[Callable[[bytes], None]] = None,
        timeout: float = 60.0,
    ) -> Done:
        """C(source) goes to its input; its output goes to C(sink), or into the answer."""


class PodShell:
    """L(Shell) on the API server."""

    def __init__(self, params: Mapping[str, Any], clock: Callable[[], float] = time.monotonic):
        self._params, self._clock = params, clock

    def run(
        self,
        place: Place,
        script: str,
        *,
        source: Optional[Iterable[bytes]] = None,
        sink: Optional[Callable[[bytes], None]] = None,
        timeout: float = 60.0,
    ) -> Done:
        """See L(Shell)."""
        socket = self._open(place, script, source is not None)
        end = self._clock() + timeout
        talk = _Talk(sink)
        try:
            for data in source or ():
                for start in range(0, len(data), _FRAME):
                    socket.sock.settimeout(max(0.1, end - self._clock()))
                    socket.send_binary(bytes([STDIN]) + data[start : start + _FRAME])
                    self._hear(socket, talk, 0.0)
                    if talk.done is not None:
                        return talk.answer()
            while talk.done is None:
                left = end - self._clock()
                if left <= 0:
                    raise _late(place, timeout)
                self._hear(socket, talk, min(left, 5.0))
        except OSError as error:
            raise _cut(place, error) from error
        finally:
            socket.close()
        return talk.answer()

    @staticmethod
    def _hear(socket: Any, talk: _Talk, wait: float) -> None:
        """Take in what has arrived; wait for it at most so long."""
        import select

        import websocket

        while talk.done is None:
            pending = getattr(socket.sock, "pending", lambda: 0)()
            if not pending and not select.select([socket.sock], [], [], wait)[0]:
                return
            try:
                opcode, data = socket.recv_data()
            except websocket.WebSocketConnectionClosedException as error:
                raise OSError("the connection ended before the program did") from error
            except websocket.WebSocketException as error:
                raise OSError(str(error)) from error
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                raise OSError("the connection was closed before the program ended")
            talk.take(data)
            wait = 0.0

    def _open(self, place: Place, script: str, stdin: bool) -> Any:
        library = connect._library()  # noqa: SLF001 - the same package, found in one place
        from kubernetes.stream import ws_client

        configuration = connect._configuration(library, self._params)  # noqa: SLF001
        headers = {"sec-websocket-protocol": "v4.channel.k8s.io"}
        for setting in configuration.auth_settings().values():
            if setting.get("in") == "header" and setting.get("value"):
                headers[str(setting["key"])] = str(setting["value"])
        query = [("command", word) for word in ("/bin/sh", "-euc", script)]
        query += [("container", place.container), ("stdout", "true"), ("stderr", "true")]
        query += [("stdin", "true")] if stdin else []
        host = str(configuration.host).replace("http", "ws", 1)
        url = f"{host}/api/v1/namespaces/{place.namespace}/pods/{place.pod}/exec?{urlencode(query)}"
        try:
            socket = ws_client.create_websocket(configuration, url, headers)
        except Exception as error:
            raise _not_started(place, error) from error
        socket.sock.settimeout(_CONNECT_SECONDS)
        return socket


class _Talk:
    """What came back so far."""

    def __init__(self, sink: Optional[Callable[[bytes], None]]) -> None:
        self.done: Optional[int] = None
        self._sink = sink
        self._out, self._err = b"", b""

    def take(self, data: bytes) -> None:
        """One frame: the first byte is the channel."""
        channel, content = (data[0], data[1:]) if data else (STDOUT, b"")
        if channel == STDOUT and self._sink is not None:
            self._sink(content)
        elif channel == STDOUT:
            self._out = (self._out + content)[-_KEPT:]
        elif channel == STDERR:
            self._err = (self._err + content)[-_KEPT:]
        elif channel == STATUS:
            self.done = code_of(content)

    def answer(self) -> Done:
        """How it ended."""
        out, err = (text.decode("utf-8", errors="replace") for text in (self._out, self._err))
        return Done(int(self.done or 0), out, err)


def code_of(status: bytes) -> int:
    """The exit code from the Status that ends the channel."""
    try:
        found = json.loads(status)
    except ValueError:
        return 255
    if found.get("status") == "Success":
        return 0
    for cause in (found.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode":
            return int(cause.get("message") or 255)
    return 255


def failed(place: Place, done: Done, what: str) -> MainstayError:
    """A program that ended with an error; the last lines it wrote are the evidence."""
    lines = [line for line in done.err.splitlines() if line.strip() and not line.startswith("{")]
    return MainstayError(
        what,
        subject=str(place),
        found=f"exit code {done.code}",
        expected="exit code 0",
        next_step="look at the last lines, mend the cause, then run again",
        evidence=tuple(line[:300] for line in lines[-8:]),
    )


def _not_started(place: Place, error: Exception) -> MainstayError:
    status = getattr(error, "status_code", None) or getattr(error, "status", None)
    found = f"{status or type(error).__name__}: {str(error)[:200]}"
    return MainstayError(
        "no program can be started in the container",
        subject=str(place),
        found=found,
        expected="the right to create and get pods/exec, and a container that runs",
        next_step="look at the pod and the rights (docs/reference/kubernetes-rights.md)",
    )


def _late(place: Place, timeout: float) -> MainstayError:
    return MainstayError(
        "the program in the container takes too long",
        subject=str(place),
        found=f"no end after {timeout:.0f} s",
        expected="an end",
        next_step="raise timeout when the store is large; look at its load otherwise",
    )


def _cut(place: Place, error: Exception) -> MainstayError:
    return MainstayError(
        "the connection to the container was lost",
        subject=str(place),
        found=f"{type(error).__name__}: {str(error)[:200]}",
        expected="a connection until the program ends",
        next_step="look whether the pod and the API server are up, then run again",
    )
