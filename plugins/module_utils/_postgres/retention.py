# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backups stay: grandfather, father, son, from verified backups only. Pure, without a clock.

Periods are counted over days (weeks, months, years) that have a verified backup, in the order of
the WAL, not back from now: neither a clock that jumps nor a month without backups can make the last
good ones expire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    FULL,
    Backup,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.wal import parse_lsn

#: Longest time between two backups that counts as such: a week and a day for weekly ones.
LONGEST_STEP = timedelta(days=8)


@dataclass(frozen=True)
class Policy:
    """Number of periods that are covered, verified fulls that always stay, days of any moment."""

    daily: int = 30
    weekly: int = 8
    monthly: int = 12
    yearly: int = 0
    floor: int = 2
    wal_days: int = 30

    def problems(self) -> list[str]:
        """What is wrong with the policy, in sentences."""
        found = [
            f"retention.{name} is {getattr(self, name)}; expected 0 or more"
            for name in ("daily", "weekly", "monthly", "yearly", "wal_days")
            if getattr(self, name) < 0
        ]
        if self.floor < 1:
            found.append(f"retention.floor is {self.floor}; expected 1 or more")
        return found


@dataclass
class Plan:
    """Reasons by label of what stays, and the full backups (with all built on them) that go.

    C(wal_from) is the oldest full backup from which any later moment can be restored.
    """

    kept: dict[str, list[str]] = field(default_factory=dict)
    expired: list[str] = field(default_factory=list)
    wal_from: str = ""


_PERIODS: tuple[tuple[str, Callable[[datetime], str]], ...] = (
    ("daily", lambda t: f"day {t:%Y-%m-%d}"),
    ("weekly", lambda t: "week {}-W{:02d}".format(*t.isocalendar()[:2])),
    ("monthly", lambda t: f"month {t:%Y-%m}"),
    ("yearly", lambda t: f"year {t:%Y}"),
)


def plan_retention(backups: Sequence[Backup], whole: Mapping[str, bool], policy: Policy) -> Plan:
    """What stays. C(whole) holds the labels that were verified, and whether they were whole.

    A full backup goes with everything built on it, so it stays while anything built on it does.
    """
    known = {b.label: b for b in backups}
    good = sorted((b for b in backups if _good(b, known, whole)), key=order_of)
    plan = Plan()
    _keep_floor(plan, good, policy)
    _keep_periods(plan, good, policy)
    _keep_window(plan, good, policy)
    roots = {b.label: _root(b, known) for b in backups}
    kept_roots = {roots[label] for label in plan.kept}
    oldest_floor = known.get(_oldest_floor(good, policy))
    for item in backups:
        root = roots[item.label]
        if root in kept_roots:
            plan.kept.setdefault(item.label, ["belongs to a backup that stays"])
        elif not _may_go(root, known, roots, whole, oldest_floor):
            plan.kept.setdefault(item.label, ["not verified yet, or too few good ones after it"])
    plan.expired = [b.label for b in backups if b.kind == FULL and b.label not in plan.kept]
    orphans = [b.label for b in backups if b.kind != FULL and b.label not in plan.kept]
    plan.expired += [label for label in orphans if roots[label] not in plan.expired]
    return plan


def order_of(item: Backup) -> tuple[int, int, str]:
    """The order in which backups were taken, by the WAL: no clock can turn it round."""
    return item.timeline, parse_lsn(item.lsn_stop), item.label


def _good(item: Backup, known: Mapping[str, Backup], whole: Mapping[str, bool]) -> bool:
    """Verified, and so is everything it is built on."""
    seen: set[str] = set()
    while True:
        if item.error or not whole.get(item.label, False) or item.label in seen:
            return False
        seen.add(item.label)
        if not item.prior:
            return item.kind == FULL
        if item.prior not in known:
            return False
        item = known[item.prior]


def _root(item: Backup, known: Mapping[str, Backup]) -> str:
    seen = {item.label}
    while item.prior in known and item.prior not in seen:
        seen.add(item.prior)
        item = known[item.prior]
    return item.label


def _keep(plan: Plan, item: Backup, reason: str) -> None:
    plan.kept.setdefault(item.label, []).append(reason)


def _keep_floor(plan: Plan, good: list[Backup], policy: Policy) -> None:
    fulls = [b for b in good if b.kind == FULL]
    if good:
        _keep(plan, good[-1], "last good")
    for item in fulls[-max(policy.floor, 1) :]:
        _keep(plan, item, f"one of the last {max(policy.floor, 1)} good full ones")


def _keep_periods(plan: Plan, good: list[Backup], policy: Policy) -> None:
    for name, period in _PERIODS:
        newest: dict[str, Backup] = {}
        for item in reversed(good):
            newest.setdefault(period(item.stopped), item)
        for key in list(newest)[: getattr(policy, name)]:
            _keep(plan, newest[key], key)


def _keep_window(plan: Plan, good: list[Backup], policy: Policy) -> None:
    """The full backup from which every moment of the window can be reached."""
    passed, age = timedelta(0), {}
    for later, item in zip([*good[1:], *good[-1:]][::-1], good[::-1]):
        # A clock that jumped must not make the window shorter: no step counts for more than this.
        passed += min(max(later.stopped - item.stopped, timedelta(0)), LONGEST_STEP)
        age[item.label] = passed
    fulls = [b for b in good if b.kind == FULL]
    if not fulls:
        return
    before = [b for b in fulls if age[b.label] >= timedelta(days=policy.wal_days)]
    base = before[-1] if before else fulls[0]
    _keep(plan, base, f"any moment of {policy.wal_days} days")
    plan.wal_from = base.label


def _oldest_floor(good: list[Backup], policy: Policy) -> str:
    """Label of the oldest of the good full ones that always stay; empty when there are too few."""
    fulls = [b for b in good if b.kind == FULL]
    wanted = max(policy.floor, 1)
    return fulls[-wanted].label if len(fulls) >= wanted else ""


def _may_go(
    root: str,
    known: Mapping[str, Backup],
    roots: Mapping[str, str],
    whole: Mapping[str, bool],
    oldest_floor: Optional[Backup],
) -> bool:
    """Nothing goes before enough good ones stand after it, and nothing goes unread."""
    if oldest_floor is None or order_of(known[root]) >= order_of(oldest_floor):
        return False
    members = [label for label, own in roots.items() if own == root]
    return all(label in whole for label in members)
