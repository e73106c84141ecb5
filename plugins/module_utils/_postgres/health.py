# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging a repository: age, size, gaps, an archiver that only seems to work. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import wal
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    CRITICAL,
    FULL,
    WARNING,
    Backup,
    Catalog,
    Finding,
)

#: Fulls that the newest one is compared with.
COMPARED = 7
TAKE_FULL = "take a full backup now; moments behind the gap cannot be restored"


def gaps_of(catalog: Catalog, wal_from: Optional[Backup], size: int) -> list[wal.Gap]:
    """Missing segments: all after C(wal_from), and for older backups their own."""
    usable = [b for b in catalog.backups if b.wal_start]
    edge = wal_from.stopped if wal_from else None
    starts = [b.wal_start for b in usable if edge is None or b.stopped >= edge]
    pinned = [(b.wal_start, b.wal_stop) for b in usable]
    names = [f.name for f in catalog.archive]
    if not usable:
        segments = sorted(n for n in names if wal.is_segment(n))
        starts = segments[:1]
    return wal.continuity(starts, names, catalog.histories, size, pinned)


def covered(catalog: Catalog, size: int) -> bool:
    """Whether the newest full backup leads to the newest WAL of the newest timeline."""
    fulls = [b for b in catalog.backups if b.kind == FULL and b.wal_start and not b.error]
    names = [f.name for f in catalog.archive]
    if not fulls:
        return False
    start = max(fulls, key=lambda b: b.stopped).wal_start
    begin, first = wal.split(start, size)
    newest = max([begin, *catalog.histories, *_timelines(names)])
    led = newest == begin or wal.reaches(begin, first, newest, catalog.histories, size)
    return led and not wal.continuity([start], names, catalog.histories, size)


def kept_elsewhere(catalog: Catalog, size: int) -> set[int]:
    """Timelines that this repository has no segment of, though a newer backup covers what is now.

    That is what a switch to another host and back leaves in a repository of one host: the WAL of
    the time between is in that of the other one.
    """
    if not covered(catalog, size):
        return set()
    # The history of a timeline lies where its WAL does; those of later ones name it all the same.
    left = {step for history in catalog.histories.values() for step, _end in history}
    return left - _timelines(f.name for f in catalog.archive)


def _timelines(names: Iterable[str]) -> set[int]:
    return {int(name[:8], 16) for name in names if wal.is_segment(name)}


def gap_findings(gaps: Sequence[wal.Gap], elsewhere: Collection[int] = ()) -> list[Finding]:
    """Each gap as something critical, but for timelines that are kept C(elsewhere)."""
    return [
        Finding(
            WARNING if gap.timeline in elsewhere else CRITICAL,
            "wal_missing",
            str(gap),
            f"{gap.count} segments of timeline {gap.timeline} are not in the repository",
            "every segment between a backup and the newest one",
            TAKE_FULL,
        )
        for gap in gaps
    ]


def age_findings(
    catalog: Catalog, whole: Mapping[str, bool], now: datetime, limit: float
) -> list[Finding]:
    """The newest verified backup is too old, or there is none."""
    good = [b for b in catalog.backups if whole.get(b.label) and not b.error]
    if not good:
        return [
            Finding(
                CRITICAL,
                "no_backup",
                "repository",
                f"{len(catalog.backups)} backups, none of them verified",
                "a backup that was read again",
                "take a full backup and verify it",
            )
        ]
    newest = max(good, key=lambda b: b.stopped)
    age = (now - newest.stopped).total_seconds()
    if age <= limit:
        return []
    return [
        Finding(
            CRITICAL,
            "backup_old",
            newest.label,
            f"the newest verified backup ended {age / 3600:.1f} h ago",
            f"at most {limit / 3600:.1f} h",
            "look why the timer of the backup did not run, and take one now",
        )
    ]


def size_findings(catalog: Catalog, bounds: tuple[float, float]) -> list[Finding]:
    """The newest full backup is much smaller or larger than the ones before it."""
    fulls = sorted((b for b in catalog.backups if b.kind == FULL), key=lambda b: b.stopped)
    if len(fulls) < 3:
        return []
    newest, before = fulls[-1], fulls[-1 - COMPARED : -1]
    median = statistics.median(b.size for b in before)
    if median <= 0:
        return []
    ratio = newest.size / median
    if bounds[0] <= ratio <= bounds[1]:
        return []
    return [
        Finding(
            WARNING,
            "size",
            newest.label,
            f"{newest.size >> 20} MiB, {ratio:.2f} of the median of {len(before)} before it",
            f"between {bounds[0]} and {bounds[1]} of it",
            "see whether data was deleted or loaded on purpose",
        )
    ]


@dataclass(frozen=True)
class Archiver:
    """C(pg_stat_archiver) and the settings beside it. Ages are in seconds, -1 for never."""

    mode: str
    command: str
    last_archived: str
    last_failed: str
    failed_is_newer: bool
    waiting: int
    #: What the engine itself left about it; empty when it left nothing.
    cause: str = ""

    @property
    def words(self) -> str:
        """Why nothing arrives: the engine's own words, else the command that is set."""
        return self.cause or f"archive_command is {self.command!r}"


def archiver_findings(archiver: Archiver) -> list[Finding]:
    """What the server itself tells of its archiving."""
    found = []
    if archiver.mode not in ("on", "always"):
        found.append(_archiver("archive_mode", f"archive_mode is {archiver.mode}", "on"))
    if not archiver.command.strip():
        found.append(_archiver("archive_command", "no archive_command is set", "a command"))
    if archiver.failed_is_newer:
        found.append(
            _archiver(
                archiver.last_failed,
                f"the archive command fails at this segment, {archiver.waiting} segments wait; "
                f"{archiver.words}",
                "segments that are archived as they fill",
            )
        )
    return found


def no_server(subject: str) -> Finding:
    """Nobody archives while no server answers; what it wrote last may be nowhere else."""
    return Finding(
        CRITICAL,
        "archiving",
        subject,
        "no server answers, so that nothing is archived",
        "a server that answers",
        "start it; when it does not start, read its log: a full disk stops it at once",
    )


def space_findings(waiting: int, size: int, free: int, total: int) -> list[Finding]:
    """WAL that waits fills its disk, and a full one stops the server: told before it is."""
    if waiting < 2 or free >= max(waiting * size, total // 10):
        return []
    return [
        Finding(
            CRITICAL,
            "wal_space",
            "pg_wal",
            f"{waiting} segments wait to be archived, and {free >> 20} MiB are free",
            f"room for as many more and for a tenth of the disk, {total >> 20} MiB",
            "make archiving work again, or the disk larger; remove nothing in pg_wal",
        )
    ]


def _archiver(subject: str, found: str, expected: str) -> Finding:
    return Finding(
        CRITICAL,
        "archiving",
        subject,
        found,
        expected,
        "read the server's log for the output of the archive command",
    )


def unproved(segment: str, limit: float, archiver: Archiver) -> Finding:
    """A segment was finished and did not appear in the repository."""
    said = archiver.last_archived >= segment and bool(archiver.last_archived)
    why = (
        "the server says that it archived it: the archive command reports success without storing"
        if said
        else f"the archiver's last segment is {archiver.last_archived or 'none'}"
    )
    why += f"; {archiver.words}"
    return Finding(
        CRITICAL,
        "archiving",
        segment,
        f"not in the repository after {limit:.0f} s; {why}",
        "each finished segment in the repository",
        "run the archive command by hand for this segment and read what it says",
    )
