# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the prober saw, counted by phase. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

#: Failures that are listed with time and reason.
LISTED = 10


@dataclass(frozen=True)
class Sample:
    """One request: when it was sent (seconds since the epoch), status (0: no answer), time."""

    at: float
    status: int
    seconds: float
    error: str = ""

    @property
    def failed(self) -> bool:
        """No answer, or the server's own error."""
        return self.status == 0 or self.status >= 500


@dataclass(frozen=True)
class Mark:
    """From C(at) on the phase is called C(phase)."""

    at: float
    phase: str


@dataclass
class _Phase:
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    slow: int = 0


def percentile(values: list[float], share: float) -> float:
    """The value that C(share) (0 to 1) of the values do not exceed; 0 when there are none."""
    if not values:
        return 0.0
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def count(samples: Iterable[Sample], marks: list[Mark], slow_seconds: float) -> dict[str, Any]:
    """The fact C(proof): requests, failed, slow, by phase and in all, and the first failures."""
    phases: dict[str, _Phase] = {}
    failures: list[dict[str, Any]] = []
    ordered = sorted(marks, key=lambda mark: mark.at)
    for sample in sorted(samples, key=lambda s: s.at):
        name = _phase_at(ordered, sample.at)
        phase = phases.setdefault(name, _Phase())
        phase.seconds.append(sample.seconds)
        phase.slow += sample.seconds > slow_seconds
        if sample.failed:
            phase.failed += 1
            reason = sample.error or f"status {sample.status}"
            failures.append({"at": round(sample.at, 3), "phase": name, "error": reason})
    return {
        "phases": {name: _figures(phase) for name, phase in phases.items()},
        "requests": sum(len(p.seconds) for p in phases.values()),
        "failed": sum(p.failed for p in phases.values()),
        "slow": sum(p.slow for p in phases.values()),
        "first_failures": failures[:LISTED],
    }


def _phase_at(marks: list[Mark], at: float) -> str:
    name = "before"
    for mark in marks:
        if mark.at > at:
            break
        name = mark.phase
    return name


def _figures(phase: _Phase) -> dict[str, Any]:
    return {
        "requests": len(phase.seconds),
        "failed": phase.failed,
        "slow": phase.slow,
        "p50": round(percentile(phase.seconds, 0.50), 4),
        "p95": round(percentile(phase.seconds, 0.95), 4),
        "max": round(max(phase.seconds), 4),
    }
