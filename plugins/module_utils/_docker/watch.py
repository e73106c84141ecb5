# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for containers: the Engine's events and our own probes, whichever comes first."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import DockerClient
from ansible_collections.mainstay.platform.plugins.module_utils._docker.health import (
    FAILED,
    FIRST_PROBE_SECONDS,
    READY,
    Seen,
    Wanted,
    judge,
    next_delay,
    seen_in,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

Probe = Callable[[], tuple[bool, str]]
#: A lost stream of events delays the end of a wait by at most this.
RECHECK_SECONDS = 5.0
#: The Engine's words for a check that it has not made up its mind about.
UNDECIDED = ("", "starting")


class Cancelled(MainstayError):
    """Another part of the same stage failed first; this one is not the reason."""


@dataclass
class Watch:
    """Events of the platform's containers, handed to whoever waits for one of them."""

    client: DockerClient
    platform: str
    clock: Callable[[], float] = time.monotonic
    cancelled: threading.Event = field(default_factory=threading.Event)
    lost: threading.Event = field(default_factory=threading.Event)
    _queues: dict[str, queue.Queue[Optional[Mapping[str, Any]]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Watch:
        stream = self.client.events(self.platform)
        threading.Thread(target=self._pump, args=(stream,), daemon=True).start()
        return self

    def __exit__(self, *_details: object) -> None:
        self.client.close()

    def cancel(self) -> None:
        """Wake everybody who waits; they raise L(Cancelled)."""
        self.cancelled.set()
        with self._lock:
            for waiting in self._queues.values():
                waiting.put(None)

    def follow(self, name: str) -> None:
        """Keep events of C(name) from now on; call it before the container is started."""
        self._queue(name)

    def _queue(self, name: str) -> queue.Queue[Optional[Mapping[str, Any]]]:
        with self._lock:
            return self._queues.setdefault(name, queue.Queue())

    def _pump(self, stream: Any) -> None:
        try:
            self._hand_out(stream)
        finally:
            self.lost.set()

    def _hand_out(self, stream: Any) -> None:
        for event in stream:
            attributes = (event.get("Actor") or {}).get("Attributes") or {}
            name = attributes.get("name")
            if not name:
                continue
            with self._lock:
                waiting = self._queues.get(name)
            if waiting is not None:
                waiting.put(event)

    def until_ready(
        self,
        name: str,
        wanted: Wanted,
        probe: Optional[Probe],
        *,
        interval: float,
        limit: float,
        seen: Seen,
        check: Optional[Callable[[], bool]] = None,
    ) -> tuple[str, str, Seen]:
        """(verdict, text, what was seen) once it is ready, failed, or C(limit) seconds are over.

        C(check) runs the container's own check now, ahead of the Engine's first turn.
        """
        events = self._queue(name)
        started = self.clock()
        delay = FIRST_PROBE_SECONDS
        while True:
            if self.cancelled.is_set():
                raise Cancelled("stopped because another container failed", subject=name)
            if probe is not None and not (seen.probe and seen.probe[0]):
                seen = replace(seen, probe=probe())
            if check is not None and seen.check in UNDECIDED and check():
                seen = replace(seen, check="healthy")
            # Events that came while probing are judged before the probe's answer is.
            seen = self._look(name, self._drain(events, seen))
            seen = replace(seen, up=self.clock() - started)
            verdict, text = judge(seen, wanted)
            if verdict in (READY, FAILED):
                return verdict, text, seen
            left = limit - seen.up
            if left <= 0:
                return FAILED, f"waited {limit:.0f} s for {text}", seen
            wait = min(delay, left)
            if wanted.steady and seen.up < wanted.steady:
                wait = min(wait, max(wanted.steady - seen.up, 0.001))
            seen = apply(seen, _take(events, wait))
            delay = next_delay(delay, interval)

    def _look(self, name: str, seen: Seen) -> Seen:
        """C(seen), by asking the Engine when its events ended, as they do when it restarts.

        An end of the program would go unnoticed otherwise, and a worker count as steady.
        """
        if not self.lost.is_set():
            return seen
        try:
            fresh, _checked = seen_in(self.client.inspect(name))
        except MainstayError:
            return replace(seen, silent=True)
        return replace(
            fresh,
            oom=seen.oom or fresh.oom,
            check=seen.check if fresh.check in UNDECIDED else fresh.check,
            probe=seen.probe,
        )

    @staticmethod
    def _drain(events: queue.Queue[Optional[Mapping[str, Any]]], seen: Seen) -> Seen:
        while True:
            try:
                seen = apply(seen, events.get_nowait())
            except queue.Empty:
                return seen

    def until_ended(self, name: str, limit: float, ended: Callable[[], Optional[int]]) -> Seen:
        """What was seen when the program of C(name) ended, or after C(limit) seconds."""
        events = self._queue(name)
        started = self.clock()
        code = ended()
        seen = Seen() if code is None else Seen(running=False, exit_code=code)
        while seen.running and self.clock() - started < limit:
            if self.cancelled.is_set():
                raise Cancelled("stopped because another container failed", subject=name)
            left = limit - (self.clock() - started)
            seen = apply(seen, _take(events, min(left, RECHECK_SECONDS)))
            code = ended() if seen.running else None
            if code is not None:
                seen = replace(seen, running=False, exit_code=code)
        return seen


def _take(
    events: queue.Queue[Optional[Mapping[str, Any]]], wait: float
) -> Optional[Mapping[str, Any]]:
    try:
        return events.get(timeout=max(wait, 0.001))
    except queue.Empty:
        return None


def apply(seen: Seen, event: Optional[Mapping[str, Any]]) -> Seen:
    """C(seen) after one event of the Engine."""
    if event is None:
        return seen
    action = str(event.get("Action") or event.get("status") or "")
    attributes = (event.get("Actor") or {}).get("Attributes") or {}
    if action == "die":
        code = attributes.get("exitCode")
        return replace(seen, running=False, exit_code=int(code) if code else None)
    if action == "oom":
        return replace(seen, oom=True)
    if action.startswith("health_status"):
        return replace(seen, check=action.partition(":")[2].strip())
    return seen
