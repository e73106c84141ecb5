# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Going back to the data directory that a restore renamed, and letting it go for good."""

from __future__ import annotations

import os
import shutil
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    sync_directory,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import journal
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.wal import (
    history_timeline,
)

STOP_LIMIT = 600.0
OPEN_LIMIT = 600.0


def undone_directory(record: journal.Journal) -> str:
    """Where the restored cluster goes when its restore is undone."""
    return f"{record.data_directory}.undone-{record.id}"


def undo(context: Context, record: journal.Journal) -> None:
    """Every step can be repeated; what was restored is kept beside."""
    server, away = context.server, undone_directory(record)
    ours = os.path.isdir(record.old_directory) or "renamed" in record.done
    if ours and os.path.isdir(record.data_directory):
        if server.running():
            context.actions.append("stop the restored server")
            # First as the unit that it may run under, then as the process that it may be.
            server.stop(context.deadline.left(STOP_LIMIT))
        if not os.path.exists(away):
            context.actions.append(f"rename {record.data_directory} to {away}")
            os.rename(record.data_directory, away)
            context.kill("undo-away")
    if os.path.isdir(record.old_directory):
        context.actions.append(f"rename {record.old_directory} to {record.data_directory}")
        os.rename(record.old_directory, record.data_directory)
        context.kill("undo-back")
    sync_directory(os.path.dirname(record.data_directory))
    if os.path.isdir(record.new_directory):
        shutil.rmtree(record.new_directory)
    for timeline in begun_timelines(context, record, away):
        context.records.remember_abandoned(timeline)
    if record.was_running and os.path.isdir(record.data_directory) and not server.running():
        context.actions.append(f"start the server in {record.data_directory}")
        log = os.path.join(record.private_directory, "server.log")
        os.makedirs(record.private_directory, mode=0o700, exist_ok=True)
        context.programs.own(record.private_directory)
        server.start(context.deadline.left(60.0), log)
        server.wait_open(context.deadline.left(OPEN_LIMIT))
    record.status = journal.UNDONE
    journal.save(context.directory, record)


def begun_timelines(context: Context, record: journal.Journal, away: str) -> list[int]:
    """Timelines that the restored server began, also when it was killed before it was written down.

    One of these left among the known ones would be taken for the latest by the next restore.
    """
    found = {int(record.facts.get("new_timeline") or 0)}
    place = os.path.join(away, "pg_wal")
    found |= {history_timeline(n) for n in os.listdir(place)} if os.path.isdir(place) else set()
    control = context.server.at(data_directory=away).control()
    found.add(control.timeline if control else 0)
    return sorted(t for t in found if t > record.timeline)


def kept_by(record: journal.Journal) -> list[str]:
    """Directories that a restore keeps for the way back, and what it worked with."""
    names = [record.old_directory, record.tail_directory, record.private_directory]
    names += [record.new_directory, undone_directory(record)]
    return [name for name in names if name and os.path.isdir(name)]


def settle(context: Context, record: journal.Journal) -> None:
    """Remove what the restore kept. Only directories with its own id in their names."""
    for name in kept_by(record):
        inside = os.path.dirname(name) == os.path.dirname(record.data_directory)
        if not inside or not name.endswith(record.id) or name == record.data_directory:
            raise MainstayError("a directory is not one of this restore", subject=name)
        context.actions.append(f"remove {name}")
        if not context.check:
            shutil.rmtree(name)
    if not context.check:
        record.status = journal.SETTLED
        journal.save(context.directory, record)


def facts_of(record: journal.Journal) -> dict[str, Any]:
    """The parts of the fact C(restore) that the journal knows."""
    undone = undone_directory(record)
    return {
        "id": record.id,
        "status": record.status,
        "target": record.target,
        "backup": record.backup,
        "timeline": record.facts.get("new_timeline") or record.timeline,
        "size": record.facts.get("size", 0),
        "recovered_to": record.facts.get("recovered_to") or {},
        "archived_segment": record.facts.get("archived_segment") or "",
        "old_directory": record.old_directory if os.path.isdir(record.old_directory) else "",
        "tail_directory": record.tail_directory if os.path.isdir(record.tail_directory) else "",
        "phases": record.phases,
        "checks": record.facts.get("checks") or [],
        "lost": record.facts.get("lost") or {},
        "predicted": record.facts.get("predicted", -1.0),
        "undone_directory": undone if os.path.isdir(undone) else "",
        "not_kept": record.facts.get("not_kept") or [],
        "needs_full": record.status == journal.DONE,
    }
