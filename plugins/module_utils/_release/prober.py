# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prober: a small process that asks the edge at a fixed rate while a release is switched.

Open loop: a request is sent when it is due, whether or not earlier ones were answered; nothing is
sent twice. Three of four requests use kept-alive connections, because those suffer first when
traffic is moved badly; the fourth opens a new one.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import select
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    ensure_directory,
    read_json,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.controller import (
    started_at,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.http import (
    Target,
    ask,
    connection,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.proof import (
    Mark,
    Sample,
    count,
)

#: Requests in the air at most; beyond that the edge does not answer and each counts as failed.
IN_THE_AIR = 64
#: One request in so many opens a connection of its own.
FRESH = 4


@dataclass(frozen=True)
class Probing:
    """What the prober asks: C(rate) requests a second for at most C(max_seconds)."""

    target: Target
    path: str
    rate: float
    max_seconds: float


@dataclass
class _Shop:
    """Kept-alive connections that are free, and the file the results go to."""

    idle: queue.SimpleQueue[http.client.HTTPConnection] = field(default_factory=queue.SimpleQueue)
    lock: threading.Lock = field(default_factory=threading.Lock)


def probe(probing: Probing, results: str, stopped: threading.Event) -> None:
    """Ask until C(stopped) is set or the time is over; one JSON line for each request."""
    shop, slots = _Shop(), threading.Semaphore(IN_THE_AIR)
    start, number = time.monotonic(), 0
    with open(results, "a", encoding="utf-8", buffering=1) as out:
        while not stopped.is_set():
            due = start + number / probing.rate
            if due - start > probing.max_seconds:
                break
            if stopped.wait(max(0.0, due - time.monotonic())):
                break
            fresh = number % FRESH == FRESH - 1
            number += 1
            if not slots.acquire(blocking=False):
                _note(
                    out, shop, time.time(), 0, 0.0, "the edge leaves too many requests unanswered"
                )
                continue
            threading.Thread(
                target=_one, args=(probing, shop, slots, out, fresh), daemon=True
            ).start()
        for _slot in range(IN_THE_AIR):
            slots.acquire(timeout=probing.target.timeout + 1.0)


def _one(probing: Probing, shop: _Shop, slots: threading.Semaphore, out: Any, fresh: bool) -> None:
    at = time.time()
    try:
        link = None if fresh else _idle(shop)
        link = link or connection(probing.target)
        answer = ask(link, probing.target, "GET", probing.path)
        _note(out, shop, at, answer.status, answer.seconds, answer.error)
        if fresh or answer.error or link.sock is None:
            link.close()
        else:
            shop.idle.put(link)
    finally:
        slots.release()


def _idle(shop: _Shop) -> Optional[http.client.HTTPConnection]:
    try:
        return shop.idle.get_nowait()
    except queue.Empty:
        return None


def _note(out: Any, shop: _Shop, at: float, status: int, seconds: float, error: str) -> None:
    line = json.dumps([round(at, 4), status, round(seconds, 5), error]) + "\n"
    with shop.lock:
        out.write(line)


class ProbeFiles:
    """The prober's files of one release: process, results, marks, counted proof."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.process = os.path.join(directory, "process.json")
        self.results = os.path.join(directory, "results.jsonl")
        self.marks = os.path.join(directory, "marks.jsonl")
        self.proof = os.path.join(directory, "proof.json")

    def mark(self, phase: str) -> None:
        """From now on the phase is called C(phase)."""
        ensure_directory(self.directory)
        with open(self.marks, "a", encoding="utf-8") as out:
            out.write(json.dumps([time.time(), phase]) + "\n")

    def counted(self, slow_seconds: float) -> dict[str, Any]:
        """The proof so far, or the one kept when the prober was stopped."""
        kept: Optional[dict[str, Any]] = read_json(self.proof)
        if kept is not None:
            return kept
        samples = [Sample(*row) for row in _rows(self.results)]
        marks = [Mark(*row) for row in _rows(self.marks)]
        return count(samples, marks, slow_seconds)

    def running(self) -> Optional[int]:
        """Process id of the prober while it runs."""
        data = read_json(self.process)
        if data is None or started_at(data["pid"]) != data["started"]:
            return None
        return int(data["pid"])

    def keep(self, proof: dict[str, Any]) -> None:
        """Write the counted proof and remove the raw files."""
        write_json(self.proof, proof)
        for path in (self.results, self.marks, self.process):
            if os.path.exists(path):
                os.unlink(path)


def _rows(path: str) -> list[list[Any]]:
    """The lines of a file that are whole; the last one may be torn by a kill."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.endswith("\n")]


def launch(probing: Probing, files: ProbeFiles) -> int:
    """Start the prober as a process of its own session; returns its id once it runs."""
    ensure_directory(files.directory)
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        os.waitpid(child, 0)
        with os.fdopen(reader) as line:
            return int(line.read())
    os.close(reader)
    os.setsid()
    if os.fork():
        os._exit(0)
    _become_daemon(writer, files)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopped.set())
    try:
        probe(probing, files.results, stopped)
    finally:
        os._exit(0)


def _become_daemon(writer: int, files: ProbeFiles) -> None:
    """Let go of the module's streams, or Ansible would wait for them, then say our id."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.closerange(3, writer)
    os.closerange(writer + 1, 256)
    os.chdir("/")
    write_json(files.process, {"pid": os.getpid(), "started": started_at(os.getpid())})
    os.write(writer, str(os.getpid()).encode())
    os.close(writer)


def end(pid: int, seconds: float) -> None:
    """Ask process C(pid) to end and wait for it, without polling; kill it when it does not."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        os.kill(pid, signal.SIGTERM)
        if not select.select([handle], [], [], seconds)[0]:
            os.kill(pid, signal.SIGKILL)
            select.select([handle], [], [], seconds)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
