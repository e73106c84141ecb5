# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to restore to: parsing a target, and choosing the backup and the timeline. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import wal
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    Backup,
    Catalog,
    stamp,
)

LATEST, TIME, LSN, XID, NAME, BACKUP = "latest", "time", "lsn", "xid", "name", "backup"
_TIME = re.compile(
    r"^(?P<day>\d{4}-\d{2}-\d{2})[ T](?P<clock>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?$"
)
_NAME = re.compile(r"^[A-Za-z0-9_.:-]{1,63}$")
FORMS = (
    "latest, a time with its zone (2026-11-20 14:03:00+00), lsn:0/5000090, xid:1234, "
    "name:before-migration or backup:20261121-020004F"
)


@dataclass(frozen=True)
class Target:
    """Where recovery ends. C(value) is what PostgreSQL is told; C(moment) is set for a time."""

    kind: str
    value: str = ""
    moment: Optional[datetime] = None
    inclusive: bool = True
    #: Where a restore point is known to be, empty when it is not known.
    position: str = ""

    def __str__(self) -> str:
        if self.kind == TIME:
            return f"time {stamp(self.moment)}"
        return self.kind if self.kind == LATEST else f"{self.kind} {self.value}"

    def settings(self) -> dict[str, str]:
        """The C(recovery_target) settings of PostgreSQL."""
        if self.kind == LATEST:
            return {}
        if self.kind == BACKUP:
            return {"recovery_target": "immediate"}
        inclusive = (
            {} if self.kind == NAME else {"recovery_target_inclusive": _flag(self.inclusive)}
        )
        return {f"recovery_target_{self.kind}": self.value, **inclusive}


def _flag(value: bool) -> str:
    return "on" if value else "off"


def parse_target(text: str, inclusive: bool = True) -> Target:
    """A target as people write it; ValueError with a sentence says what is wrong."""
    given = text.strip()
    if given.lower() == LATEST:
        return Target(LATEST)
    kind, _colon, value = given.partition(":")
    if kind in (LSN, XID, NAME, BACKUP) and value:
        return _parse_place(kind, value.strip(), inclusive)
    match = _TIME.match(given)
    if match is None:
        raise ValueError(f"the target {given!r} cannot be read; expected {FORMS}")
    zone = match.group("zone")
    if zone is None:
        raise ValueError(
            f"the target {given!r} has no time zone; write {given}+00 when it is UTC. Without a "
            "zone the same words mean different moments, and one hour a year exists twice"
        )
    moment = _moment(match.group("day"), match.group("clock"), zone, given)
    value = moment.strftime("%Y-%m-%d %H:%M:%S.%f+00")
    return Target(TIME, value, moment, inclusive)


def _parse_place(kind: str, value: str, inclusive: bool) -> Target:
    if kind == LSN:
        return Target(LSN, wal.format_lsn(wal.parse_lsn(value)), None, inclusive)
    if kind == XID and not (value.isdigit() and int(value) >= 3):
        raise ValueError(f"the transaction id {value!r} is not a number from 3 on")
    if kind in (NAME, BACKUP) and not _NAME.match(value):
        raise ValueError(f"the {kind} {value!r} has other signs than letters, digits, _ . : -")
    return Target(kind, value, None, inclusive)


def _moment(day: str, clock: str, zone: str, given: str) -> datetime:
    if zone in ("Z", "UTC"):
        zone = "+00:00"
    digits = zone[1:].replace(":", "").ljust(4, "0")
    clock = clock if clock.count(":") == 2 else f"{clock}:00"
    whole, _dot, part = clock.partition(".")
    text = f"{day}T{whole}.{part.ljust(6, '0')}{zone[0]}{digits[:2]}:{digits[2:]}"
    try:
        return datetime.fromisoformat(text).astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"the target {given!r} is no moment: {error}") from error


@dataclass(frozen=True)
class Choice:
    """The backup to start from, and the timeline to follow."""

    backup: Backup
    timeline: int


def choose(
    target: Target,
    catalog: Catalog,
    timeline: str,
    now: datetime,
    whole: Mapping[str, bool],
    wanted: str = "",
) -> Choice:
    """The newest usable backup before the target; ValueError says why there is none.

    Backups that were read again and found broken are never chosen.
    """
    if not catalog.backups:
        raise ValueError("the repository holds no backup")
    usable = [
        b
        for b in catalog.backups
        if not b.error
        and catalog.chain(b.label)
        and all(whole.get(c.label, True) for c in catalog.chain(b.label))
    ]
    if not usable:
        raise ValueError("every backup in the repository is broken or built on a missing one")
    name = target.value if target.kind == BACKUP else wanted
    if name:
        usable = [b for b in usable if b.label == name]
        if not usable:
            known = ", ".join(b.label for b in catalog.backups)
            raise ValueError(f"there is no usable backup {name}; there are: {known}")
    if target.kind == TIME and target.moment is not None and target.moment > now:
        raise ValueError(
            f"the target {stamp(target.moment)} is in the future; it is {stamp(now)} on this host"
        )
    return _choose_on(target, usable, catalog, timeline)


def _choose_on(target: Target, usable: Sequence[Backup], catalog: Catalog, timeline: str) -> Choice:
    known = _timelines(catalog)
    if timeline not in ("latest", "current") and int(timeline) not in known:
        listed = ", ".join(str(t) for t in known)
        raise ValueError(f"there is no timeline {timeline} in the repository; there are: {listed}")
    before = [b for b in usable if _ends_before(b, target)]
    if not before:
        oldest = min(usable, key=lambda b: b.stopped)
        raise ValueError(
            f"the target {target} is before the end of the oldest backup, {oldest.label}, at "
            f"{stamp(oldest.stopped)} ({oldest.lsn_stop})"
        )
    if target.kind == BACKUP:
        return Choice(before[-1], before[-1].timeline)
    # Nobody knows where a transaction or an unknown name is: only the oldest backup is before it.
    unknown = target.kind == XID or (target.kind == NAME and not target.position)
    ordered = sorted(before, key=lambda b: (b.stopped, b.label), reverse=not unknown)
    if timeline == "current":
        return Choice(ordered[0], ordered[0].timeline)
    goal = known[-1] if timeline == "latest" else int(timeline)
    for item in ordered:
        if _leads_to(item, goal, catalog):
            return Choice(item, goal)
    raise ValueError(
        f"no backup before the target {target} leads to timeline {goal}; "
        f"name another timeline: {', '.join(str(t) for t in known)}"
    )


def _timelines(catalog: Catalog) -> list[int]:
    found = {int(f.name[:8], 16) for f in catalog.archive if wal.is_segment(f.name)}
    found |= set(catalog.histories) | {b.timeline for b in catalog.backups}
    return sorted(found)


def _ends_before(backup: Backup, target: Target) -> bool:
    """A backup is consistent only at its end: targets before that cannot be reached from it."""
    if target.kind == TIME and target.moment is not None:
        return backup.stopped <= target.moment
    position = target.value if target.kind == LSN else target.position
    return not position or wal.parse_lsn(backup.lsn_stop) <= wal.parse_lsn(position)


def _leads_to(backup: Backup, timeline: int, catalog: Catalog) -> bool:
    if backup.timeline == timeline:
        return True
    for step, end in catalog.histories.get(timeline, ()):
        if step == backup.timeline:
            return wal.parse_lsn(backup.lsn_stop) <= end
    return False
