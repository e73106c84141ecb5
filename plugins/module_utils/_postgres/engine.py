# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup engine is: the calls that everything else is written against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import Listener
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    ArchivedFile,
    Capabilities,
    Catalog,
    Finding,
    Tablespace,
)


@dataclass(frozen=True)
class Copying:
    """One restore of files: which backup, into which empty directory."""

    label: str
    directory: str
    jobs: int
    limit: float
    tablespace_map: Mapping[str, str]


class Engine(Protocol):
    """C(backup, list, verify, restore, expire, archive), and what restores need beside them."""

    name: str

    def capabilities(self) -> Capabilities:
        """What the installed version can do."""

    def prepare(self) -> list[str]:
        """Make the repository ready for this cluster; sentences of what was done."""

    def backup(self, kind: str, jobs: int, limit: float, listener: Listener) -> str:
        """Take a backup; its label."""

    def catalog(self) -> Catalog:
        """What the repository holds."""

    def verify(self, label: str) -> list[Finding]:
        """Read every file of one backup again."""

    def verify_segment(self, item: ArchivedFile, catalog: Catalog, size: int) -> Optional[Finding]:
        """Read one file of the archive again."""

    def verify_records(self) -> list[Finding]:
        """Read the repository's own lists again."""

    def protection(self, kept_days: float, *, check: bool) -> list[Finding]:
        """What lets whoever has the repository's keys remove backups; nothing without keys."""

    def revive(self, moment: datetime, *, check: bool) -> list[str]:
        """Make what the repository held at a moment its content again; the paths that change."""

    def restore(self, copying: Copying, listener: Listener) -> None:
        """Copy a backup into an empty directory. Nothing about recovery is written there."""

    def expire(self, labels: Sequence[str], wal_from: str, limit: float) -> None:
        """Remove full backups with all built on them, and WAL that no restore needs any more."""

    def archived(self, name: str) -> Optional[ArchivedFile]:
        """A WAL segment of the repository."""

    def archiving_error(self) -> str:
        """Why the archive command does not store, in its own words; empty when it left none."""

    def fetch_command(self, directory: str, private: str) -> list[str]:
        """The command that fetches a file of the archive into the cluster in C(directory); its name
        and the path are appended. What the command needs may be written into C(private).

        Its status is 0, 1 when there is no such file, and something else when it cannot tell.
        """

    def control_file(self, label: str) -> bytes:
        """C(pg_control) of a backup."""

    def tablespaces(self, label: str) -> tuple[Tablespace, ...]:
        """The tablespaces of a backup."""
