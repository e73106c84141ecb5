# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups and archives for the tests of the planners."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import wal
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    FULL,
    ArchivedFile,
    Backup,
)

BEGIN = datetime(2026, 1, 1, 2, 0, tzinfo=timezone.utc)
SIZE = wal.DEFAULT_SEGMENT_SIZE


def backup(number: int, at: datetime | None = None, **more: Any) -> Backup:
    """The backup of day C(number); each day fills ten segments."""
    moment = at or BEGIN + timedelta(days=number)
    kind = more.pop("kind", FULL)
    timeline = more.pop("timeline", 1)
    start = 10 * number + 2
    fields: dict[str, Any] = {
        "label": f"{number:05d}{kind[0].upper()}",
        "kind": kind,
        "started": moment - timedelta(minutes=1),
        "stopped": moment,
        "size": 1000,
        "repository_size": 500,
        "wal_start": wal.join(timeline, start),
        "wal_stop": wal.join(timeline, start),
        "lsn_start": wal.format_lsn(start * SIZE + 40),
        "lsn_stop": wal.format_lsn(start * SIZE + 256),
        "system_identifier": "7000000000000000001",
        "version": "15",
        **more,
    }
    return Backup(**fields)


def archive(
    timeline: int, first: int, last: int, without: tuple[int, ...] = ()
) -> list[ArchivedFile]:
    """Segments of a timeline, each archived a minute after the one before."""
    return [
        ArchivedFile(wal.join(timeline, n), f"wal/{n}", 100, "", BEGIN.timestamp() + 60.0 * n)
        for n in range(first, last + 1)
        if n not in without
    ]
