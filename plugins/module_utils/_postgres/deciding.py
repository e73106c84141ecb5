# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From arguments and what is observed to a decided restore, for restores and for drills."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import read_json
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    restore_plan,
    tail,
    target,
    wal,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    ArchivedFile,
    Backup,
    Catalog,
    ControlData,
)


@dataclass(frozen=True)
class Decision:
    """What will be restored, and everything that speaks against it."""

    goal: target.Target
    choice: target.Choice
    follow: str
    catalog: Catalog
    place: restore_plan.Place
    obstacles: tuple[str, ...]
    loss: restore_plan.Loss
    predicted: float
    newest: str
    segment_size: int
    life: restore_plan.Life


def refused(
    subject: str, problems: Sequence[str], what: str = "the restore was refused"
) -> MainstayError:
    """Nothing was changed, and this is why."""
    return MainstayError(
        what,
        subject=subject,
        found=f"{len(problems)} problems; nothing was changed",
        expected="none",
        next_step="put right what is named above and run it again",
        evidence=tuple(problems),
    )


def understand(context: Context, text: str) -> target.Target:
    """The target of the arguments; a restore point brings its position with it."""
    try:
        goal = target.parse_target(text, bool(context.params.get("inclusive", True)))
    except ValueError as error:
        raise refused(context.store, [str(error)]) from error
    if goal.kind == target.NAME:
        return replace(goal, position=context.records.points().get(goal.value, ""))
    return goal


def decide(context: Context, goal: target.Target, directory: str) -> Decision:
    """Observe everything, choose, and collect what speaks against it."""
    catalog = context.engine.catalog()
    timeline = str(context.params.get("timeline") or "latest")
    if timeline not in ("latest", "current") and not timeline.isdigit():
        raise refused(
            context.store, [f"timeline is {timeline!r}; expected latest, current or a number"]
        )
    now = context.now()
    whole = context.records.whole(context.repository)
    visible = without_timelines(
        catalog, context.records.abandoned() if timeline == "latest" else []
    )
    try:
        choice = target.choose(
            goal, visible, timeline, now, whole, str(context.params.get("backup") or "")
        )
    except ValueError as error:
        raise refused(context.store, [str(error)]) from error
    item = replace(choice.backup, tablespaces=context.engine.tablespaces(choice.backup.label))
    choice = replace(choice, backup=item)
    source, problems = source_control(context, item.label)
    size = source.segment_size if source else wal.DEFAULT_SEGMENT_SIZE
    place = observe(context, directory, item)
    waiting = tail.waiting(directory, catalog, size) if place.is_cluster else []
    wish = restore_plan.Wish(
        bool(context.params.get("stop_running")),
        bool(context.params.get("new_host")),
        dict(context.params.get("tablespace_map") or {}),
    )
    lacking, newest = _lacking(goal, choice, visible, size, {w.name for w in waiting})
    problems += restore_plan.obstacles(place, wish, catalog, choice, source, lacking)
    moment = _newest_moment(visible)
    life = last_life(context, directory, place.control)
    return Decision(
        goal=goal,
        choice=choice,
        follow=str(choice.timeline),
        catalog=catalog,
        place=place,
        obstacles=tuple(problems),
        loss=restore_plan.loss(goal, moment, now, place.running, len(waiting), life.at),
        life=life,
        predicted=restore_plan.predict(
            item.size,
            len(restore_plan.segments_to_replay(choice, visible, size)),
            context.records.drills(),
        ),
        newest=newest,
        segment_size=size,
    )


def without_timelines(catalog: Catalog, abandoned: Sequence[int]) -> Catalog:
    """The catalog without what an undone restore had begun."""
    if not abandoned:
        return catalog
    return replace(
        catalog,
        archive=tuple(
            f
            for f in catalog.archive
            if (wal.history_timeline(f.name) or int(f.name[:8], 16)) not in abandoned
        ),
        histories={k: v for k, v in catalog.histories.items() if k not in abandoned},
        backups=tuple(b for b in catalog.backups if b.timeline not in abandoned),
    )


def last_life(
    context: Context, directory: str, control: Optional[ControlData]
) -> restore_plan.Life:
    """The last sign of life of a server that does not run: its heartbeat's file outside of its
    data, and the last write to its WAL. Nobody knows what came behind it, only that not much did.
    """
    beat = _beat(context.heartbeat_file)
    place = os.path.join(directory, "pg_wal")
    names = [n for n in os.listdir(place) if wal.is_segment(n)] if os.path.isdir(place) else []
    moments = [
        datetime.fromtimestamp(os.path.getmtime(os.path.join(place, n)), timezone.utc)
        for n in names
    ]
    moments += [beat.at] if beat.at else []
    down = control is not None and control.state == "shut down"
    return restore_plan.Life(
        at=max(moments, default=None),
        next_xid=max(beat.next_xid, control.next_xid if control else 0),
        exact=down,
    )


def _beat(path: str) -> restore_plan.Life:
    try:
        found = read_json(path)
        moment = datetime.fromisoformat(str(found["at"]).replace("Z", "+00:00")) if found else None
        return restore_plan.Life(moment, int(found["xid"]) + 1 if found else 0)
    except (MainstayError, KeyError, TypeError, ValueError):
        return restore_plan.Life()


def _newest_moment(catalog: Catalog) -> Optional[datetime]:
    stamps = [f.modified for f in catalog.archive if wal.is_segment(f.name)]
    return datetime.fromtimestamp(max(stamps), timezone.utc) if stamps else None


def _lacking(
    goal: target.Target, choice: target.Choice, catalog: Catalog, size: int, waiting: set[str]
) -> tuple[list[str], str]:
    """Gaps on the way to the target, and the newest segment that has to be read for C(latest)."""
    own = {
        f.name: f
        for f in catalog.archive
        if wal.is_segment(f.name) and int(f.name[:8], 16) == choice.timeline
    }
    names = sorted({*own, *(w for w in waiting if int(w[:8], 16) == choice.timeline)})
    newest = names[-1] if names else ""
    if goal.kind == target.BACKUP:
        last = wal.split(choice.backup.wal_stop, size)[1]
    else:
        numbers = [wal.split(n, size)[1] for n in names]
        last = max(
            wal.split(choice.backup.wal_stop, size)[1],
            wal.left_at(choice.timeline, catalog.histories, size),
            *numbers,
        )
        last = min(last, _last_for(goal, own, size, last))
    wanted = wal.needed(choice.backup.wal_start, choice.timeline, last, catalog.histories, size)
    have = {f.name for f in catalog.archive} | waiting
    return [str(gap) for gap in wal.gaps_between(wanted, have)], newest


def _last_for(goal: target.Target, own: dict[str, ArchivedFile], size: int, last: int) -> int:
    """The last segment that a target can be in."""
    position = goal.value if goal.kind == target.LSN else goal.position
    if position:
        return wal.number_of(wal.parse_lsn(position), size)
    if goal.moment is not None:
        # A segment holds nothing newer than the moment at which it was archived.
        edge = goal.moment.timestamp()
        later = [wal.split(f.name, size)[1] for f in own.values() if f.modified > edge]
        return min(later, default=last)
    return last


def source_control(context: Context, label: str) -> tuple[Optional[ControlData], list[str]]:
    """The control data of a backup; a backup whose control file is damaged is no backup."""
    with tempfile.TemporaryDirectory(prefix="mainstay-") as place:
        os.chmod(place, 0o755)  # noqa: S103  (it holds a copy of the control file, no secret)
        try:
            data = context.engine.control_file(label)
            inner = os.path.join(place, "global")
            os.mkdir(inner, 0o755)
            path = os.path.join(inner, "pg_control")
            with open(path, "wb") as handle:
                handle.write(data)
            os.chmod(path, 0o644)
            return context.server.at(data_directory=place).control(), []
        except MainstayError as error:
            return None, [f"the backup {label} cannot be read: {error.what} {error.found}"]


def observe(context: Context, directory: str, item: Backup) -> restore_plan.Place:
    """The place that is restored to."""
    server = context.server.at(data_directory=directory)
    parent = os.path.dirname(directory)
    exists = os.path.lexists(directory)
    is_cluster = os.path.exists(os.path.join(directory, "PG_VERSION"))
    config = context.server.place.config_file
    spaces = dict(context.params.get("tablespace_map") or {})
    places = [spaces.get(t.name) or spaces.get(t.number) or t.location for t in item.tablespaces]
    return restore_plan.Place(
        directory=directory,
        exists=exists,
        empty=not exists or (os.path.isdir(directory) and not os.listdir(directory)),
        link=os.path.realpath(directory) != directory,
        mount=os.path.ismount(directory),
        is_cluster=is_cluster,
        parent_exists=os.path.isdir(parent),
        running=is_cluster and server.running(),
        control=server.control() if is_cluster else None,
        free=shutil.disk_usage(parent).free if os.path.isdir(parent) else 0,
        remembered=context.records.identity(),
        server_version=server.program_version(),
        occupied=tuple(p for p in places if os.path.isdir(p) and os.listdir(p)),
        # A configuration in the data directory comes back with the backup, so it always fits.
        settings=server.settings(restore_plan.GUARDED, config) if config else {},
    )
