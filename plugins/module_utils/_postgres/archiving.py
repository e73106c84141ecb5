# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeing that WAL really arrives: finishing a segment, and waiting for it in the repository."""

from __future__ import annotations

import time

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import health
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import mask
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.engine import Engine
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.server import Server

#: Seconds between two looks for a segment in the repository.
PAUSE = 0.25


def await_segment(context: Context, segment: str, limit: float) -> float:
    """Until a segment is seen in the repository; the seconds it took."""
    began = time.monotonic()
    while context.engine.archived(segment) is None:
        if time.monotonic() - began > limit:
            raise MainstayError(
                "the WAL segment did not come to the repository",
                subject=segment,
                found=f"not there after {limit:.0f} s",
                expected=f"a file of it in {context.repository}",
                next_step="read the server's log for the output of the archive command",
            )
        time.sleep(PAUSE)  # a repository tells nobody that a file came
    return time.monotonic() - began


def finish_segment(server: Server) -> str:
    """Write something, end the segment it is in, and name that segment."""
    answer = server.query(
        "select pg_walfile_name(p.lsn), pg_switch_wal() from "
        "(select pg_create_restore_point('mainstay archiving check') as lsn) p"
    )
    return answer.split("\t")[0]


def observe_archiver(server: Server, engine: Engine) -> health.Archiver:
    """C(pg_stat_archiver), the settings, the segments that wait, and what the engine says."""
    answer = server.query(
        "select current_setting('archive_mode'), "
        "coalesce(nullif(current_setting('archive_command'), '(disabled)'), '') || "
        "coalesce(current_setting('archive_library', true), ''), "
        "coalesce(last_archived_wal, ''), coalesce(last_failed_wal, ''), "
        "coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false), "
        "(select count(*) from pg_ls_archive_statusdir() where name like '%.ready') "
        "from pg_stat_archiver"
    )
    mode, command, archived, failed, newer, waiting = answer.split("\t")
    cause = engine.archiving_error() if int(waiting) else ""
    return health.Archiver(mode, mask(command), archived, failed, newer == "t", int(waiting), cause)
