# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of a run -> L(Run). Pure: every event brings its own time."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._report.extract import Extract
from ansible_collections.mainstay.platform.plugins.module_utils._report.model import (
    HostResult,
    PlayRun,
    Run,
    TaskRun,
    Watch,
)

_NUMBERED = re.compile(r"^(\d+/\d+)\s")


def number_of(name: str) -> str:
    """The C(2/6) that a numbered play, import or task begins with; empty when it has none."""
    found = _NUMBERED.match(name)
    return found.group(1) if found else ""


class Recorder:
    """Collects the events of one run. Not thread-safe, except for reading C(watch)."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.watch: Optional[Watch] = None
        self._tasks: dict[str, TaskRun] = {}
        self._open: dict[str, TaskRun] = {}

    def play(self, name: str, at: float) -> None:
        """A play begins."""
        self.run.plays.append(PlayRun(name=name, started=at))
        self._tasks.clear()

    def task(self, key: str, name: str, path: str, action: str, at: float, step: str = "") -> None:
        """A task begins; with the free strategy this comes once a host, so it may be known."""
        if key in self._tasks:
            return
        play = self._current_play(at)
        task = TaskRun(
            key=key,
            name=name,
            path=path,
            action=action,
            step=step or self._step(play, name),
            started=at,
        )
        self._tasks[key] = task
        play.tasks.append(task)

    def host_started(self, key: str, host: str, at: float) -> None:
        """C(host) begins task C(key); a handler may come a second time and is a task of its own."""
        task = self._tasks.get(key)
        if task is None:
            return
        if host in task.hosts and task.hosts[host].status:
            task = self._again(task, at)
        task.hosts[host] = HostResult(started=at)
        self._open[key] = task
        self._look(task)

    def host_done(self, key: str, host: str, status: str, at: float, found: Extract) -> None:
        """C(host) leaves task C(key) with C(status)."""
        task = self._tasks.get(key)
        if task is None:
            return
        part = task.hosts.setdefault(host, HostResult(started=task.started))
        part.ended, part.status, part.message = at, status, found.message
        self.run.task_results += 1
        if status not in ("skipped", "unreachable"):
            self.run.module_runs += found.module_runs
        self.run.gates.extend(found.gates)
        for proof in found.proofs:
            self.run.proof = proof
        for stats in found.stats:
            add_stats(self.run.custom_stats, stats, host)
        if not task.waiting:
            self._open.pop(key, None)
        self._look(task)

    def finish(
        self, at: float, host_summary: Mapping[str, Mapping[str, int]], *, interrupted: bool = False
    ) -> Run:
        """The run is over; what still runs was interrupted."""
        self.watch = None
        self.run.ended = at
        self.run.interrupted = interrupted
        self.run.host_summary = {host: dict(counts) for host, counts in host_summary.items()}
        for task in self._open.values():
            for host in task.waiting:
                task.hosts[host].ended, task.hosts[host].status = at, "interrupted"
        self._open.clear()
        return self.run

    def _current_play(self, at: float) -> PlayRun:
        if not self.run.plays:
            self.play("", at)
        return self.run.plays[-1]

    def _again(self, task: TaskRun, at: float) -> TaskRun:
        fresh = TaskRun(task.key, task.name, task.path, task.action, task.step, at)
        self._tasks[task.key] = fresh
        self._current_play(at).tasks.append(fresh)
        return fresh

    def _look(self, latest: TaskRun) -> None:
        """Point the watch at the task that is worked on, or at nothing."""
        if latest.key not in self._open:
            latest = next(reversed(self._open.values())) if self._open else latest
        waiting = latest.waiting
        self.watch = (
            Watch(latest.name, latest.action, latest.started, waiting, latest.done)
            if waiting
            else None
        )

    @staticmethod
    def _step(play: PlayRun, name: str) -> str:
        """Where a task without numbered parents belongs: its own number, else the step before."""
        before = play.tasks[-1].step if play.tasks else play.name
        number = number_of(name)
        if not number or number == number_of(before):
            return before
        return play.name if number == number_of(play.name) else name


def add_stats(custom: dict[str, Any], stats: Mapping[str, Any], host: str) -> None:
    """Add what C(set_stats) left to C(custom), by the rules of C(aggregate) and C(per_host)."""
    data = stats.get("data")
    if not isinstance(data, Mapping):
        return
    target = custom.setdefault(host if stats.get("per_host") else "_run", {})
    for key, value in data.items():
        known = target.get(key)
        if not stats.get("aggregate", True) or known is None:
            target[key] = copy.deepcopy(value)
        elif isinstance(known, dict) and isinstance(value, Mapping):
            _merge(known, value)
        elif isinstance(known, type(value)) and not isinstance(value, bool):
            target[key] = known + value


def _merge(known: dict[str, Any], value: Mapping[str, Any]) -> None:
    """Deep merge, later values win, as C(set_stats) does it."""
    for key, item in value.items():
        if isinstance(known.get(key), dict) and isinstance(item, Mapping):
            _merge(known[key], item)
        else:
            known[key] = copy.deepcopy(item)
