# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prober's work: ask the edge at a fixed rate while a release is switched.

Open loop: a request is sent when it is due, whether or not earlier ones were answered; nothing is
sent twice. Three of four requests use kept-alive connections, because those suffer first when
traffic is moved badly; the fourth opens a new one.
"""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._release.web import (
    Target,
    ask,
    connection,
)

#: Requests in the air at most; beyond that the edge does not answer at all: each counts as failed.
IN_THE_AIR = 64
#: One request in so many opens a connection of its own.
FRESH = 4
#: Seconds beyond the time-out that requests in the air get when the prober ends.
GRACE = 1.0

#: Waits for at most so many seconds; true when the prober should end.
Wait = Callable[[float], bool]


@dataclass(frozen=True)
class Probing:
    """What the prober asks: C(rate) requests a second for at most C(max_seconds)."""

    target: Target
    path: str
    rate: float
    max_seconds: float


@dataclass
class _Desk:
    """Kept-alive connections that are free, requests in the air, and the file of the results."""

    probing: Probing
    out: Any
    slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(IN_THE_AIR))
    idle: queue.SimpleQueue[http.client.HTTPConnection] = field(default_factory=queue.SimpleQueue)
    lock: threading.Lock = field(default_factory=threading.Lock)
    open: dict[int, float] = field(default_factory=dict)


def probe(probing: Probing, results: str, wait: Wait) -> None:
    """Ask until C(wait) says stop or the time is over; one JSON line for each request."""
    start, number = time.monotonic(), 0
    with open(results, "a", encoding="utf-8", buffering=1) as out:
        desk = _Desk(probing, out)
        while True:
            due = number / probing.rate
            if due > probing.max_seconds or wait(max(0.0, start + due - time.monotonic())):
                break
            _send(desk, number)
            number += 1
        _gather(desk)


def _send(desk: _Desk, number: int) -> None:
    at = time.time()
    if not desk.slots.acquire(blocking=False):
        _note(desk, at, 0, 0.0, "the edge leaves too many requests unanswered")
        return
    with desk.lock:
        desk.open[number] = at
    threading.Thread(target=_one, args=(desk, number, at), daemon=True).start()


def _one(desk: _Desk, number: int, at: float) -> None:
    target, fresh = desk.probing.target, number % FRESH == FRESH - 1
    try:
        link = None if fresh else _idle(desk)
        link = link or connection(target)
        answer = ask(link, target, "GET", desk.probing.path)
        with desk.lock:
            late = desk.open.pop(number, None) is None
        if not late:
            _note(desk, at, answer.status, answer.seconds, answer.error)
        if fresh or answer.error or link.sock is None:
            link.close()
        else:
            desk.idle.put(link)
    finally:
        desk.slots.release()


def _idle(desk: _Desk) -> Optional[http.client.HTTPConnection]:
    try:
        return desk.idle.get_nowait()
    except queue.Empty:
        return None


def _gather(desk: _Desk) -> None:
    """Wait for what is in the air; what stays there has failed and is counted, too."""
    deadline = time.monotonic() + desk.probing.target.timeout + GRACE
    for _slot in range(IN_THE_AIR):
        if not desk.slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
            break
    with desk.lock:
        unanswered, desk.open = list(desk.open.values()), {}
    for at in unanswered:
        _note(desk, at, 0, time.time() - at, "no answer until the prober ended")


def _note(desk: _Desk, at: float, status: int, seconds: float, error: str) -> None:
    line = json.dumps([round(at, 4), status, round(seconds, 5), error]) + "\n"
    with desk.lock:
        desk.out.write(line)
