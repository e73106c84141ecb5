# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore would do, what speaks against it, what it loses and how long it takes. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import wal
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.target import (
    LATEST,
    TIME,
    Choice,
    Target,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    Catalog,
    ControlData,
    Drill,
    stamp,
)

#: Settings that a server in recovery may not have lower than the one that wrote the WAL
#: (PostgreSQL's documentation, "Hot Standby", administrator's overview).
GUARDED = (
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
)
#: Room beside the data itself: recovered WAL and the files of a first start.
RESERVE = 256 * 1024 * 1024
VERBS = {"restored": "restore", "undone": "undo", "settled": "settle"}


@dataclass(frozen=True)
class Place:
    """The place that is restored to, as it was observed. C(control) is of the old cluster."""

    directory: str
    exists: bool = False
    empty: bool = True
    link: bool = False
    mount: bool = False
    is_cluster: bool = False
    parent_exists: bool = True
    running: bool = False
    control: Optional[ControlData] = None
    free: int = 0
    remembered: str = ""
    server_version: str = ""
    tablespaces: tuple[tuple[str, str], ...] = ()
    occupied: tuple[str, ...] = ()
    settings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Wish:
    """What the caller allows."""

    stop_running: bool = False
    new_host: bool = False
    tablespace_map: Mapping[str, str] = field(default_factory=dict)


def confirmation(state: str, platform: str) -> str:
    """The words that have to be typed."""
    return f"{VERBS[state]}-{platform}"


def obstacles(
    place: Place,
    wish: Wish,
    catalog: Catalog,
    choice: Choice,
    source: Optional[ControlData],
    gaps: Sequence[str] = (),
) -> list[str]:
    """Everything that speaks against the restore, as sentences; empty when nothing does."""
    found = _directory(place, wish)
    found += _identity(place, wish, catalog)
    found += _version(place, choice)
    found += _space(place, choice)
    found += _settings(place, source)
    found += _tablespaces(place, wish, choice)
    found += [f"WAL is missing between the backup and the target: {gap}" for gap in gaps]
    return found


def _directory(place: Place, wish: Wish) -> list[str]:
    where = place.directory
    if place.link:
        return [f"{where} is a symbolic link; expected a real directory: name the real path"]
    if place.mount:
        return [f"{where} is a mount point, which cannot be renamed; expected a directory below it"]
    if not place.parent_exists:
        return [f"{where}: the directory above it is missing; expected it to exist"]
    if place.exists and not place.empty and not place.is_cluster:
        return [f"{where} holds files but no PostgreSQL cluster; expected a cluster or nothing"]
    if place.running and not wish.stop_running:
        return [f"a server runs in {where}; stop it, or allow it with stop_running"]
    return []


def _identity(place: Place, wish: Wish, catalog: Catalog) -> list[str]:
    own = place.control.system_identifier if place.control else ""
    found = []
    if own and own != catalog.system_identifier:
        found.append(
            f"{place.directory} is cluster {own}, the repository is of cluster "
            f"{catalog.system_identifier}; expected the same system identifier"
        )
    if place.remembered and place.remembered != catalog.system_identifier:
        found.append(
            f"this host remembers cluster {place.remembered}, the repository is of cluster "
            f"{catalog.system_identifier}; this may be the wrong host or the wrong repository"
        )
    if not own and not place.remembered and not wish.new_host:
        found.append(
            "this host has never held this cluster; expected the host of the cluster, or new_host "
            "when it is built anew here"
        )
    return found


def _version(place: Place, choice: Choice) -> list[str]:
    if place.server_version and place.server_version != choice.backup.version:
        mine, theirs = place.server_version, choice.backup.version
        return [
            f"the programs are of PostgreSQL {mine}, the backup is of {theirs}; expected the same"
        ]
    return []


def _space(place: Place, choice: Choice) -> list[str]:
    wanted = choice.backup.size + RESERVE
    if place.free and place.free < wanted:
        where = f"{place.free >> 20} MiB are free beside {place.directory}"
        return [f"{where}; expected {wanted >> 20} MiB, because the old data directory stays"]
    return []


def _settings(place: Place, source: Optional[ControlData]) -> list[str]:
    if source is None:
        return []
    return [
        f"{name} is {place.settings[name]} here and was {source.settings[name]} at the backup; "
        "expected at least as much, or recovery stops half way"
        for name in GUARDED
        if name in place.settings
        and name in source.settings
        and place.settings[name] < source.settings[name]
    ]


def _tablespaces(place: Place, wish: Wish, choice: Choice) -> list[str]:
    found = []
    for item in choice.backup.tablespaces:
        mapped = wish.tablespace_map.get(item.name) or wish.tablespace_map.get(item.number)
        where = mapped or item.location
        if where in place.occupied:
            found.append(
                f"tablespace {item.name or item.number}: {where} is not empty; expected an empty "
                "directory, named in tablespace_map"
            )
    names = {t.name for t in choice.backup.tablespaces}
    names |= {t.number for t in choice.backup.tablespaces}
    found += [
        f"tablespace_map names {name}, which the backup does not have"
        for name in sorted(wish.tablespace_map)
        if name not in names
    ]
    return found


@dataclass(frozen=True)
class Loss:
    """What is behind the target. C(seconds) is -1 when nobody can know."""

    text: str
    seconds: float


@dataclass(frozen=True)
class Life:
    """The last sign of life of the old server: when, and how many transactions it had begun.

    C(exact) is false when it may have gone on for some seconds behind it.
    """

    at: Optional[datetime] = None
    next_xid: int = 0
    exact: bool = False


def loss(
    target: Target,
    newest: Optional[datetime],
    now: datetime,
    running: bool,
    tail: int,
    alive: Optional[datetime] = None,
) -> Loss:
    """In words and seconds. C(newest) is when the newest segment was archived, C(tail) the number
    of segments that wait in the old data directory and are saved, C(alive) the last sign of life
    of the old server: nothing was committed behind it, however late the restore begins."""
    end = now
    if not running and (alive or target.kind != LATEST):
        end = max(filter(None, (alive, newest)), default=now)
    if target.kind == LATEST:
        if tail:
            return Loss(
                f"nothing that was committed: {tail} segments that were not archived are in the "
                "old data directory and are used",
                0.0,
            )
        if newest is None:
            return Loss("everything after the end of the backup", -1.0)
        age = max((end - newest).total_seconds(), 0.0)
        until = f"the last sign of life of the server ({stamp(end)})" if alive else stamp(end)
        return Loss(
            f"what was committed after the newest archived segment ({stamp(newest)}) until "
            f"{until}: {age:.0f} s",
            age,
        )
    if target.kind == TIME and target.moment is not None:
        seconds = max((end - target.moment).total_seconds(), 0.0)
        return Loss(f"everything after {stamp(target.moment)}: {seconds / 60:.1f} minutes", seconds)
    return Loss(f"everything after {target}", -1.0)


def measured(
    target: Target,
    planned: Mapping[str, Any],
    life: Life,
    recovered: Optional[datetime],
    next_xid: int,
    whole: bool,
) -> dict[str, Any]:
    """What was lost, after the restore: C({text, seconds, transactions}); -1 is unknown.

    C(recovered) is when the last transaction that is there was committed, C(next_xid) the one that
    would have come next; C(whole) says that all WAL of the old server was read.
    """
    if whole and target.kind == LATEST:
        return {"text": "nothing that was committed", "seconds": 0.0, "transactions": 0}
    start = recovered
    if target.moment is not None and (start is None or start < target.moment):
        start = target.moment
    seconds = float(planned.get("seconds", -1.0))
    if life.at is not None and start is not None:
        seconds = max(round((life.at - start).total_seconds(), 1), 0.0)
    count = max(life.next_xid - next_xid, 0) if life.next_xid and next_xid else -1
    text = str(planned.get("text") or "not known")
    if seconds >= 0 and life.at is not None and start is not None:
        text = f"{seconds:.1f} s ({seconds / 60:.1f} minutes), from {stamp(start)} to "
        text += f"{stamp(life.at)}, the end of the old server"
    if count >= 0:
        text += f"; {'' if life.exact else 'at least '}{count} transactions"
    return {"text": text, "seconds": seconds, "transactions": count}


def predict(size: int, segments: int, drills: Sequence[Drill]) -> float:
    """Seconds a restore of C(size) bytes and C(segments) of WAL takes; -1 without a good drill.

    The median of the latest five, so that one odd drill does not move it.
    """
    good = [d for d in drills if d.ok and d.size > 0][-5:]
    if not good:
        return -1.0
    per_byte = statistics.median(d.seconds_copy / d.size for d in good)
    per_segment = statistics.median(d.seconds_wal / max(d.segments, 1) for d in good)
    return round(per_byte * size + per_segment * max(segments, 1), 1)


def segments_to_replay(choice: Choice, catalog: Catalog, size: int) -> list[str]:
    """Segments that recovery reads at most, from the start of the backup on."""
    own = [
        wal.split(f.name, size)[1]
        for f in catalog.archive
        if wal.is_segment(f.name) and int(f.name[:8], 16) == choice.timeline
    ]
    last = max(
        wal.split(choice.backup.wal_stop, size)[1],
        wal.left_at(choice.timeline, catalog.histories, size),
        *own,
    )
    return wal.needed(choice.backup.wal_start, choice.timeline, last, catalog.histories, size)
