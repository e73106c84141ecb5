# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tail of the write-ahead log: what an old data directory holds and no repository does."""

from __future__ import annotations

import os
import shutil
import struct
from dataclasses import dataclass

from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    sync_directory,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import wal
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
    OwnedPrograms,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import Catalog

#: Start of a segment: magic, info, timeline, address of the page (access/xlog_internal.h).
_HEADER = struct.Struct("<HHIQ")


@dataclass(frozen=True)
class Waiting:
    """A file of C(pg_wal) that was not archived."""

    name: str
    path: str


def waiting(
    directory: str, catalog: Catalog, size: int, *, finished: bool = False
) -> list[Waiting]:
    """Segments and histories of a data directory that are not in the repository.

    With C(finished) only those that a running server takes for archived: it may give them up at
    any time, and writes to none of them.

    Segments that the server keeps for later use have names of the future and old content; the
    address in them tells them apart.
    """
    place = os.path.join(directory, "pg_wal")
    known = {f.name for f in catalog.archive}
    # What every backup was taken after needs no saving.
    oldest = min((wal.split(b.wal_start, size)[1] for b in catalog.backups), default=0)
    found = []
    for name in sorted(os.listdir(place)) if os.path.isdir(place) else []:
        path = os.path.join(place, name)
        done = os.path.exists(os.path.join(place, "archive_status", f"{name}.done"))
        if name in known or (finished and not done):
            continue
        if wal.history_timeline(name) or (
            wal.is_segment(name) and wal.split(name, size)[1] >= oldest and _own(path, name, size)
        ):
            found.append(Waiting(name, path))
    return found


def _own(path: str, name: str, size: int) -> bool:
    try:
        with open(path, "rb") as handle:
            head = handle.read(_HEADER.size)
    except OSError:
        return False
    if len(head) < _HEADER.size:
        return False
    return bool(_HEADER.unpack(head)[3] == wal.split(name, size)[1] * size)


def save(items: list[Waiting], directory: str, programs: OwnedPrograms) -> None:
    """Copy them, synced, so that each is there whole or not at all."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    programs.own(directory)
    for item in items:
        target = os.path.join(directory, item.name)
        if os.path.exists(target):
            continue
        temporary = f"{target}.partial"
        shutil.copyfile(item.path, temporary)
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        programs.own(temporary)
        os.rename(temporary, target)
    sync_directory(directory)
