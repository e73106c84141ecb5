# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edge says about itself, as facts. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Optional

Figures = dict[str, Any]


@dataclass(frozen=True)
class Status:
    """One answer of the control socket.

    C(workers) lists every Nginx worker that lives, with the generation it chooses by and its open
    requests by member (one that is C(leaving) after a reload only finishes what it has); C(totals)
    and C(before) are figures by service and release, now and at the mark that was asked for.
    """

    generation: int = 0
    mark: int = 0
    upstreams: dict[str, Any] = field(default_factory=dict)
    maintenance: bool = False
    platform: str = ""
    nginx: str = ""
    workers: tuple[dict[str, Any], ...] = ()
    totals: dict[str, dict[str, Figures]] = field(default_factory=dict)
    before: dict[str, dict[str, Figures]] = field(default_factory=dict)

    @classmethod
    def parse(cls, answer: dict[str, Any]) -> Status:
        """From the JSON of the control socket; Lua writes an empty table as an object or list."""
        return cls(
            generation=int(answer.get("generation") or 0),
            mark=int(answer.get("mark") or 0),
            upstreams=dict(answer.get("upstreams") or {}),
            maintenance=bool(answer.get("maintenance")),
            platform=str(answer.get("platform") or ""),
            nginx=str(answer.get("nginx") or ""),
            workers=tuple(answer.get("workers") or ()),
            totals=dict(answer.get("totals") or {}),
            before=dict(answer.get("before") or {}),
        )

    @property
    def settled(self) -> bool:
        """Every worker chooses by the current document.

        One that leaves after a reload has no timer to say so any more, but it looks at the
        generation before every choice as all do, and publishes each.
        """
        staying = [worker for worker in self.workers if not worker.get("leaving")]
        return bool(staying) and all(
            int(worker.get("seen") or 0) >= self.generation for worker in staying
        )

    @property
    def active(self) -> dict[str, int]:
        """Requests and sockets under way, by member."""
        found: dict[str, int] = {}
        for worker in self.workers:
            for address, count in (worker.get("open") or {}).items():
                found[address] = found.get(address, 0) + int(count)
        return dict(sorted(found.items()))

    def drained(self, members: Iterable[str]) -> bool:
        """No worker can choose one of C(members) any more, and none has a request open there."""
        active = self.active
        return self.settled and not any(active.get(member) for member in members)

    def statistics(self) -> dict[str, dict[str, Figures]]:
        """Requests, failures and latency by service and release since the mark."""
        return {
            service: {
                release: _figures(now, self.before.get(service, {}).get(release) or {})
                for release, now in sorted(releases.items())
            }
            for service, releases in sorted(self.totals.items())
        }


def _figures(now: Figures, before: Figures) -> Figures:
    earlier = before.get("buckets") or {}
    buckets = {
        float(bound): int(count) - int(earlier.get(bound, 0))
        for bound, count in (now.get("buckets") or {}).items()
    }
    return {
        "requests": int(now.get("requests", 0)) - int(before.get("requests", 0)),
        "failed": int(now.get("failed", 0)) - int(before.get("failed", 0)),
        "p50": quantile(buckets, 0.50),
        "p95": quantile(buckets, 0.95),
        "p99": quantile(buckets, 0.99),
    }


def quantile(buckets: dict[float, int], share: float) -> Optional[float]:
    """Upper end of the bucket that holds the quantile: at most a quarter above the true value."""
    total = sum(buckets.values())
    if total <= 0:
        return None
    rank = math.ceil(share * total)
    reached = 0
    for bound in sorted(buckets):
        reached += buckets[bound]
        if reached >= rank:
            return round(bound, 6)
    return round(max(buckets), 6)
