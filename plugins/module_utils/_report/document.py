# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""L(Run) -> the JSON document. Everything a page shows is in the document, so it can be redrawn."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._report.model import (
    SCHEMA,
    HostResult,
    PlayRun,
    Run,
    TaskRun,
)

#: Outcomes of a release that count as success; a run that fails after one of them has failed.
GOOD = ("deployed", "unchanged", "planned")


def iso(at: float) -> str:
    """UTC with milliseconds, as in C(2026-11-21T06:15:00.250Z)."""
    moment = datetime.datetime.fromtimestamp(at, tz=datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def document(run: Run) -> dict[str, Any]:
    """The report of C(run) as plain data; see docs/guides/run-report.md for its shape."""
    ended = run.ended if run.ended is not None else run.started
    left = _mainstay(run.custom_stats)
    release = _mapping(left.get("release"))
    return {
        "schema": SCHEMA,
        "playbook": run.playbook,
        "started": iso(run.started),
        "ended": iso(ended),
        "seconds": round(ended - run.started, 3),
        "controller": run.controller,
        "who": run.who,
        "job_id": run.job_id,
        "check_mode": run.check_mode,
        "outcome": outcome(run, str(release.get("outcome") or "")),
        "plays": [_play(play, run.started) for play in run.plays],
        "hosts": hosts(run),
        "module_runs": run.module_runs,
        "task_results": run.task_results,
        "gates": _gates(run, left),
        "proof": run.proof or _mapping(left.get("proof")),
        "steps": _mappings(left.get("steps")),
        "release": release,
        "summary": _lines(left.get("summary")),
        "next": _lines(left.get("next")),
        "custom_stats": run.custom_stats,
    }


def outcome(run: Run, released: str) -> str:
    """One word for the whole run: the release's own, unless the run says otherwise."""
    summary = hosts(run).values()
    unreachable = any(counts["unreachable"] for counts in summary)
    failed = any(counts["failed"] for counts in summary)
    if released and not (released in GOOD and (failed or unreachable or run.interrupted)):
        return released
    if run.interrupted:
        return "interrupted"
    if failed:
        return "failed"
    return "unreachable" if unreachable else "ok"


def hosts(run: Run) -> dict[str, dict[str, Any]]:
    """Counters and busy seconds by host; Ansible's own counters win, they know what was rescued."""
    found: dict[str, dict[str, Any]] = {}
    for _task, name, part in _parts(run):
        row = found.setdefault(name, _zero())
        row["seconds"] = round(row["seconds"] + part.seconds, 3)
        key = "ok" if part.status == "changed" else part.status
        if key in row:
            row[key] += 1
        if part.status == "changed":
            row["changed"] += 1
    for name, counts in run.host_summary.items():
        row = found.setdefault(name, _zero())
        for key, value in counts.items():
            row["failed" if key == "failures" else key] = value
    return found


def _zero() -> dict[str, Any]:
    names = ("ok", "changed", "failed", "unreachable", "skipped", "rescued", "ignored")
    return {**dict.fromkeys(names, 0), "seconds": 0.0}


def _parts(run: Run) -> Iterator[tuple[TaskRun, str, HostResult]]:
    for play in run.plays:
        for task in play.tasks:
            for name, part in task.hosts.items():
                yield task, name, part


def _play(play: PlayRun, zero: float) -> dict[str, Any]:
    ended = max([play.started, *(task.ended for task in play.tasks)])
    return {
        "name": play.name,
        "started": round(play.started - zero, 3),
        "seconds": round(ended - play.started, 3),
        "tasks": [_task(task, zero) for task in play.tasks],
    }


def _task(task: TaskRun, zero: float) -> dict[str, Any]:
    return {
        "name": task.name,
        "path": task.path,
        "action": task.action,
        "step": task.step,
        "started": round(task.started - zero, 3),
        "ended": round(task.ended - zero, 3),
        "seconds": round(task.ended - task.started, 3),
        "hosts": {name: _host(part, zero) for name, part in task.hosts.items()},
    }


def _host(part: HostResult, zero: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "status": part.status,
        "started": round(part.started - zero, 3),
        "seconds": round(part.seconds, 3),
    }
    if part.message:
        row["message"] = part.message
    return row


def _mainstay(custom: Mapping[str, Any]) -> dict[str, Any]:
    """The C(mainstay) document, wherever C(set_stats) put it."""
    for scope in ("_run", *sorted(name for name in custom if name != "_run")):
        found = _mapping(_mapping(custom.get(scope)).get("mainstay"))
        if found:
            return found
    return {}


def _gates(run: Run, left: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Gates seen in task results, then those only the summary knows."""
    gates = list(run.gates)
    gates.extend(gate for gate in _mappings(left.get("gates")) if gate not in gates)
    return gates


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [dict(item) for item in value if isinstance(item, Mapping)] if _listed(value) else []


def _lines(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.splitlines()
    return [str(item) for item in value] if _listed(value) else []


def _listed(value: Any) -> bool:
    return isinstance(value, (list, tuple))
