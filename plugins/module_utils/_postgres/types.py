# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns of backup and restore. Times are aware datetimes in UTC, sizes are bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Optional

FULL, DIFF, INCR, LOGICAL = "full", "diff", "incr", "logical"
CRITICAL, WARNING = "critical", "warning"


def stamp(moment: Optional[datetime]) -> Optional[str]:
    """C(2026-11-20T14:03:00.250000Z), without the fraction when there is none."""
    if moment is None:
        return None
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Tablespace:
    """A tablespace of a backup: its number, its name when known, and where it was."""

    number: str
    name: str
    location: str


@dataclass(frozen=True)
class Backup:
    """One physical backup as its repository lists it.

    C(prior) is the label it is built on (empty for a full one); C(error) is true when the engine
    itself found broken pages.
    """

    label: str
    kind: str
    started: datetime
    stopped: datetime
    size: int
    repository_size: int
    wal_start: str
    wal_stop: str
    lsn_start: str
    lsn_stop: str
    system_identifier: str
    version: str
    prior: str = ""
    error: bool = False
    tablespaces: tuple[Tablespace, ...] = ()

    @property
    def timeline(self) -> int:
        """The timeline it was taken on."""
        return int(self.wal_start[:8], 16)

    def as_dict(self) -> dict[str, Any]:
        """The same as data, for results."""
        return {
            "label": self.label,
            "kind": self.kind,
            "started": stamp(self.started),
            "stopped": stamp(self.stopped),
            "size": self.size,
            "repository_size": self.repository_size,
            "wal_start": self.wal_start,
            "wal_stop": self.wal_stop,
            "timeline": self.timeline,
            "prior": self.prior,
            "error": self.error,
        }


@dataclass(frozen=True)
class ArchivedFile:
    """A file of the WAL archive: C(name) as PostgreSQL calls it, C(path) in the repository.

    C(checksum) is the SHA-1 of the uncompressed content that its name in the repository promises.
    """

    name: str
    path: str
    size: int
    checksum: str = ""
    modified: float = 0.0


@dataclass(frozen=True)
class Catalog:
    """What a repository holds for one cluster; the newest cluster when it was created anew."""

    system_identifier: str = ""
    version: str = ""
    backups: tuple[Backup, ...] = ()
    archive: tuple[ArchivedFile, ...] = ()
    #: Switch points of timelines: timeline -> its history, (timeline before, LSN it was left at).
    histories: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    encrypted: bool = False

    def backup(self, label: str) -> Optional[Backup]:
        """The backup called C(label)."""
        return next((b for b in self.backups if b.label == label), None)

    def chain(self, label: str) -> list[Backup]:
        """The backup and everything it is built on, the full one first; empty when broken."""
        found: list[Backup] = []
        while label:
            item = self.backup(label)
            if item is None or item in found:
                return []
            found.insert(0, item)
            label = item.prior
        return found


@dataclass(frozen=True)
class Finding:
    """Something that is wrong (critical) or strange (warning)."""

    severity: str
    kind: str
    subject: str
    found: str
    expected: str = ""
    next_step: str = ""

    def as_dict(self) -> dict[str, str]:
        """The same as data, for results."""
        return {
            "severity": self.severity,
            "kind": self.kind,
            "subject": self.subject,
            "found": self.found,
            "expected": self.expected,
            "next_step": self.next_step,
        }

    def sentence(self) -> str:
        """One line for messages."""
        return f"{self.subject}: {self.found}"


@dataclass(frozen=True)
class Verified:
    """When a backup was last read again, and whether it was whole."""

    label: str
    at: datetime
    whole: bool


@dataclass(frozen=True)
class Drill:
    """One drill or restore that was measured. C(seconds_wal) is for C(segments) of WAL."""

    at: datetime
    size: int
    seconds_copy: float
    segments: int
    seconds_wal: float
    ok: bool = True


@dataclass(frozen=True)
class ControlData:
    """What C(pg_controldata) tells of a data directory."""

    system_identifier: str
    state: str
    timeline: int
    segment_size: int
    checksums: bool
    settings: dict[str, int] = field(default_factory=dict)
    catalog_version: str = ""
    #: The next transaction id at the last checkpoint, with its epoch; 0 when it is not known.
    next_xid: int = 0


@dataclass(frozen=True)
class Capabilities:
    """What an engine of one version can do."""

    version: tuple[int, ...]
    kinds: tuple[str, ...] = (FULL,)
    tablespaces: bool = False
    encryption_safe: bool = False
    repository_checksums: bool = False
    expire_one: bool = False
