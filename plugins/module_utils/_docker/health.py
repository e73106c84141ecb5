# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a new container counts as ready: one probe, one table of predicates."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

READY, WAIT, FAILED = "ready", "wait", "failed"
#: The first probes come quickly, because most programs start in far less than the interval.
FIRST_PROBE_SECONDS = 0.05
GROWTH = 1.6


@dataclass(frozen=True)
class Seen:
    """What is known about a container at one instant.

    C(check) is the Engine's health word or empty when the image has no check; C(probe) is our own
    last probe: None while not asked, else (passed, text). C(up) is how long it has been running.
    C(silent) is true when the Engine did not say whether it still runs.
    """

    running: bool = True
    exit_code: Optional[int] = None
    oom: bool = False
    check: str = ""
    probe: Optional[tuple[bool, str]] = None
    up: float = 0.0
    silent: bool = False


@dataclass(frozen=True)
class Wanted:
    """What must hold: a probe that passes, a check that is healthy, a time without an exit."""

    probe: bool = False
    check: bool = False
    steady: float = 0.0


#: In this order: the first that holds decides. Each is (verdict, text, predicate).
_RULES: tuple[tuple[str, str, Callable[[Seen, Wanted], bool]], ...] = (
    (FAILED, "was killed because it used more memory than its limit", lambda s, w: s.oom),
    (FAILED, "exited", lambda s, w: not s.running),
    (FAILED, "turned unhealthy", lambda s, w: s.check == "unhealthy"),
    (WAIT, "the Docker Engine to answer", lambda s, w: s.silent),
    (
        WAIT,
        "its health check to pass",
        lambda s, w: w.check and s.check != "healthy",
    ),
    (
        WAIT,
        "its health probe to pass",
        lambda s, w: w.probe and not (s.probe is not None and s.probe[0]),
    ),
    (WAIT, "it to stay up", lambda s, w: s.up < w.steady),
)


def seen_in(inspected: Mapping[str, Any]) -> tuple[Seen, bool]:
    """(what is known, whether the image has a health check) from the Engine's data."""
    state = inspected.get("State") or {}
    check = (state.get("Health") or {}).get("Status") or ""
    running = bool(state.get("Running")) and not inspected.get("RestartCount")
    code = None if running else state.get("ExitCode")
    seen = Seen(running=running, exit_code=code, oom=bool(state.get("OOMKilled")), check=check)
    return seen, "Health" in state


def judge(seen: Seen, wanted: Wanted) -> tuple[str, str]:
    """(ready|wait|failed, what was seen or is awaited)."""
    for verdict, text, holds in _RULES:
        if holds(seen, wanted):
            return verdict, text
    return READY, "ready"


def next_delay(delay: float, interval: float) -> float:
    """Grows from the first probe's delay to the interval of the description."""
    return min(max(interval, FIRST_PROBE_SECONDS), delay * GROWTH)


def probe_http(host: str, port: int, path: str, timeout: float) -> tuple[bool, str]:
    """Ask C(path); any answer from 200 to 399 passes."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"User-Agent": "mainstay", "Connection": "close"})
        response = connection.getresponse()
        body = response.read(300).decode("utf-8", "replace").strip()
        passed = 200 <= response.status < 400
        text = f"GET {path}: {response.status} {response.reason}"
        return passed, text if passed or not body else f"{text}: {body}"
    except (OSError, http.client.HTTPException) as error:
        return False, f"GET {path}: {error or type(error).__name__}"
    finally:
        connection.close()


def probe_tcp(host: str, port: int, timeout: float) -> tuple[bool, str]:
    """Open a connection and close it again."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return True, f"{host}:{port} accepts connections"
    except OSError as error:
        return False, f"{host}:{port}: {error}"


def probe_redis(host: str, port: int, password: Optional[str], timeout: float) -> tuple[bool, str]:
    """PING, after AUTH when there is a password; the password is in no message."""
    commands = ([["AUTH", password]] if password else []) + [["PING"]]
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            answer = ""
            for command in commands:
                parts = [f"${len(w.encode())}\r\n{w}\r\n" for w in command if w is not None]
                connection.sendall((f"*{len(parts)}\r\n" + "".join(parts)).encode())
                answer = connection.recv(200).decode("utf-8", "replace").strip()
                if answer.startswith("-"):
                    break
            return answer == "+PONG", f"PING: {answer or 'connection closed'}"
    except OSError as error:
        return False, f"PING: {error}"
