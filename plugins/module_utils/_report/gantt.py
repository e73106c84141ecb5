# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture: one row a step, one lane a host, one bar a task."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._report.markup import (
    Markup,
    el,
)
from ansible_collections.mainstay.platform.plugins.module_utils._report.words import (
    seconds,
    times,
)

#: Hosts with a lane of their own in a step; the others share one.
LANES = 12

#: Bars nearer than this share of the run are one bar: they could not be told apart on a screen.
NEAR = 0.002

LANE_HEIGHT = 16
BAR_HEIGHT = 10

#: What is drawn last and kept when bars melt together: the worse a status, the later.
SEVERITY = ("skipped", "ok", "changed", "ignored", "interrupted", "unreachable", "failed")

#: The last of SEVERITY that is no trouble.
_QUIET = SEVERITY.index("changed")


@dataclass(frozen=True)
class Bar:
    """C(start) and C(end) are seconds since the start of the run."""

    start: float
    end: float
    status: str
    label: str
    tasks: int = 1


@dataclass(frozen=True)
class Row:
    """A step: its name, its time, and bars by lane."""

    name: str
    start: float
    end: float
    lanes: tuple[tuple[str, tuple[Bar, ...]], ...]


def rows(document: Mapping[str, Any]) -> list[Row]:
    """Tasks that follow each other with the same step, as rows."""
    total = float(document["seconds"]) or 1.0
    found: list[Row] = []
    for play in document["plays"]:
        for name, tasks in _steps(play["tasks"]):
            lanes = _lanes(tasks, total)
            if lanes:
                start = min(task["started"] for task in tasks)
                end = max(task["ended"] for task in tasks)
                found.append(Row(name or play["name"], start, end, lanes))
    return found


def _steps(tasks: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    steps: list[tuple[str, list[dict[str, Any]]]] = []
    for task in tasks:
        if steps and steps[-1][0] == task["step"]:
            steps[-1][1].append(task)
        else:
            steps.append((task["step"], [task]))
    return steps


def _lanes(tasks: list[dict[str, Any]], total: float) -> tuple[tuple[str, tuple[Bar, ...]], ...]:
    by_host: dict[str, list[Bar]] = {}
    for task in tasks:
        for host, part in task["hosts"].items():
            label = f"{host} · {task['name']} · {part['status']} · {seconds(part['seconds'])}"
            stripe = Bar(part["started"], part["started"] + part["seconds"], part["status"], label)
            by_host.setdefault(host, []).append(stripe)
    if len(by_host) > LANES:
        by_host = _share(by_host)
    return tuple((host, melt(bars, total)) for host, bars in by_host.items())


def _share(by_host: dict[str, list[Bar]]) -> dict[str, list[Bar]]:
    """The worst and the slowest hosts keep their lanes, all others share the last one."""

    def weight(host: str) -> tuple[int, float]:
        bars = by_host[host]
        return max(_severity(stripe) for stripe in bars), sum(
            stripe.end - stripe.start for stripe in bars
        )

    own = set(sorted(by_host, key=weight, reverse=True)[: LANES - 1])
    kept = {host: bars for host, bars in by_host.items() if host in own}
    rest = [stripe for host, bars in by_host.items() if host not in own for stripe in bars]
    return {**kept, f"{len(by_host) - len(own)} more hosts": rest}


def _severity(stripe: Bar) -> int:
    return SEVERITY.index(stripe.status) if stripe.status in SEVERITY else len(SEVERITY)


def melt(bars: list[Bar], total: float) -> tuple[Bar, ...]:
    """Bars of one lane in order of time, with those too short to be told apart made one.

    Trouble never melts into anything else; of C(ok) and C(changed) the worse one colours the bar.
    """
    melted: list[Bar] = []
    for stripe in sorted(bars, key=lambda b: (b.start, b.end)):
        last = melted[-1] if melted else None
        if last and _melts(last, stripe, total):
            melted[-1] = _joined(last, stripe)
        else:
            melted.append(stripe)
    return tuple(sorted(melted, key=_severity))


def _joined(last: Bar, stripe: Bar) -> Bar:
    end, tasks = max(last.end, stripe.end), last.tasks + stripe.tasks
    status = max(last, stripe, key=_severity).status
    label = f"{times(tasks, 'task')} · {status} · {seconds(end - last.start)}"
    return Bar(last.start, end, status, label, tasks)


def _melts(last: Bar, stripe: Bar, total: float) -> bool:
    if last.status == stripe.status and stripe.start < last.end - 1e-6:
        return True
    if last.status != stripe.status and max(_severity(last), _severity(stripe)) > _QUIET:
        return False
    near = stripe.start - last.end < NEAR * total
    return near and stripe.end - stripe.start < 2 * NEAR * total


def ticks(total: float, most: int = 5) -> list[float]:
    """Round times at most C(most) apart steps long, from 0."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
    step = next((s for s in steps if total / s <= most), math.ceil(total / most / 3600) * 3600)
    return [round(step * i, 3) for i in range(int(total / step) + 1)]


def draw(document: Mapping[str, Any]) -> Markup:
    """The whole picture; every length along the axis is a percentage, so it fits any width."""
    found = rows(document)
    if not found:
        return Markup("")
    total = float(document["seconds"]) or 1.0
    marks = ticks(total)
    lines = [_row(row, total, marks) for row in found]
    return el("div", _axis(marks, total), lines, _legend(found), cls="gantt")


def _axis(marks: list[float], total: float) -> Markup:
    texts = [
        el(
            "text",
            _tick(mark),
            x=_percent(mark / total),
            y=11,
            text_anchor="start" if not mark else "end" if mark > 0.96 * total else "middle",
        )
        for mark in marks
    ]
    axis = el("svg", texts, cls="axis", width="100%", height=16, aria_hidden="true")
    return el("div", el("div", cls="step"), el("div", cls="names"), axis, cls="row head")


def _tick(mark: float) -> str:
    if mark < 60:
        return f"{mark:g} s"
    minutes, rest = divmod(int(mark), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"


def _row(row: Row, total: float, marks: list[float]) -> Markup:
    height = LANE_HEIGHT * len(row.lanes)
    grid = [
        el("line", cls="grid", x1=_percent(m / total), x2=_percent(m / total), y1=0, y2=height)
        for m in marks
    ]
    bars = [
        _bar(stripe, number, total)
        for number, (_host, lane) in enumerate(row.lanes)
        for stripe in lane
    ]
    label = f"{row.name}: {seconds(row.end - row.start)}"
    picture = el("svg", grid, bars, width="100%", height=height, role="img", aria_label=label)
    names = el("div", [el("span", host, title=host) for host, _lane in row.lanes], cls="names")
    duration = el("span", seconds(row.end - row.start), cls="dur")
    return el("div", el("div", el("b", row.name), duration, cls="step"), names, picture, cls="row")


def _bar(stripe: Bar, lane: int, total: float) -> Markup:
    least = 0.006 if stripe.status in ("failed", "unreachable") else 0.002
    width = max(least, (stripe.end - stripe.start) / total)
    start = min(stripe.start / total, 1.0 - width)
    inset = (LANE_HEIGHT - BAR_HEIGHT) / 2
    return el(
        "rect",
        el("title", stripe.label),
        cls=f"bar {stripe.status}",
        x=_percent(start),
        y=lane * LANE_HEIGHT + inset,
        width=_percent(width),
        height=BAR_HEIGHT,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"


def _legend(found: list[Row]) -> Markup:
    seen = {stripe.status for row in found for _host, lane in row.lanes for stripe in lane}
    keys = [
        el(
            "span",
            el("svg", el("rect", cls=f"key {s}", width=10, height=10), width=10, height=10),
            f" {s}",
        )
        for s in SEVERITY
        if s in seen
    ]
    return el("div", keys, cls="legend")
