# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore on purpose, in a scratch place that cannot reach production."""

from __future__ import annotations

import os
import random
import shutil
import time
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    checks,
    deciding,
    recovery,
    restore_plan,
    target,
    wal,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.engine import Copying
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.server import Server
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    Catalog,
    Drill,
    stamp,
)

DAY = timedelta(days=1)


def scratch_problems(scratch: str, live: str) -> list[str]:
    """What speaks against the place of a drill, in sentences."""
    real, home = os.path.realpath(scratch), os.path.realpath(live)
    found = []
    if os.path.lexists(scratch):
        found.append(f"{scratch} exists; expected a name that is free")
    if real == home or real.startswith(home + os.sep) or home.startswith(real + os.sep):
        found.append(f"{scratch} is, holds or is in the live data directory {live}")
    if not os.path.isdir(os.path.dirname(real)):
        found.append(f"{os.path.dirname(real)} is missing; expected the directory above")
    return found


def random_moment(catalog: Catalog, now: datetime, size: int) -> str:
    """A random second of the last day between the oldest usable backup and the newest WAL."""
    ends = [b.stopped for b in catalog.backups if not b.error]
    stamps = [f.modified for f in catalog.archive if wal.is_segment(f.name)]
    if not ends or not stamps:
        raise ValueError("the repository holds no backup with WAL behind it")
    last = min(datetime.fromtimestamp(max(stamps), timezone.utc), now)
    first = max(min(ends), last - DAY)
    span = int((last - first).total_seconds()) - 1
    if span < 1:
        return target.LATEST
    moment = first + timedelta(seconds=random.SystemRandom().randint(1, span))
    return moment.strftime("%Y-%m-%d %H:%M:%S+00")


def drill(context: Context) -> dict[str, Any]:
    """The whole drill; the scratch place is gone afterwards, whatever happens."""
    scratch = os.path.normpath(context.params["scratch_directory"])
    problems = scratch_problems(scratch, context.server.place.data_directory)
    if problems:
        raise deciding.refused(context.store, problems, "the drill was refused")
    checks.require_sound(context.params["checks"])
    decision = _decide(context, scratch)
    choice = decision.choice
    context.actions.append(f"restore backup {choice.backup.label} into {scratch}")
    context.actions.append(f"recover it to {decision.goal}, check it, remove it")
    facts: dict[str, Any] = {
        "ok": False,
        "target": str(decision.goal),
        "backup": choice.backup.label,
        "size": choice.backup.size,
        "phases": {},
        "checks": [],
        "predicted": decision.predicted,
    }
    if context.check:
        return facts
    try:
        _carry_out(context, decision, scratch, facts)
    finally:
        _clear(context, scratch)
    _remember(context, decision, facts)
    wrong = [f"{r['check']}: {r['found']}" for r in facts["checks"] if not r["ok"]]
    if wrong:
        raise MainstayError(
            "the drill failed",
            subject=choice.backup.label,
            found=f"{len(wrong)} checks failed",
            next_step="verify the backups, and take a full one now",
            evidence=tuple(wrong),
        )
    return facts


def _decide(context: Context, scratch: str) -> deciding.Decision:
    text = str(context.params["target"])
    if text == "random":
        try:
            text = random_moment(context.engine.catalog(), context.now(), wal.DEFAULT_SEGMENT_SIZE)
        except ValueError as error:
            raise deciding.refused(context.store, [str(error)], "the drill was refused") from error
    decision = deciding.decide(context, deciding.understand(context, text), scratch)
    # A new place is what a drill is about; tablespaces go below the scratch place.
    problems = [p for p in decision.obstacles if "has never held this cluster" not in p]
    problems = [p for p in problems if not p.startswith("tablespace ")]
    if problems:
        raise deciding.refused(context.store, problems, "the drill was refused")
    return decision


def _carry_out(
    context: Context, decision: deciding.Decision, scratch: str, facts: dict[str, Any]
) -> None:
    data, choice = os.path.join(scratch, "data"), decision.choice
    spaces = {t.number: os.path.join(scratch, t.number) for t in choice.backup.tablespaces}
    for path in (scratch, data, *spaces.values()):
        os.mkdir(path, 0o700)
        context.programs.own(path)
    phases = facts["phases"]
    began = time.monotonic()
    context.progress.begin(f"copying {choice.backup.label}", choice.backup.size)
    jobs = int(context.params["jobs"])
    copying = Copying(choice.backup.label, data, jobs, context.deadline.left(), spaces)
    context.engine.restore(copying, context.progress.line)
    phases["copy"] = round(time.monotonic() - began, 2)
    began = time.monotonic()
    context.progress.begin(f"recovering to {decision.goal}")
    config = context.server.place.config_file
    room = recovery.Room(data, os.path.join(scratch, "private"), config, recovery.SCRATCH)
    work = recovery.Recovery(context, room)
    work.prepare()
    try:
        reached = work.run(decision.goal, decision.follow)
        phases["recover"] = round(time.monotonic() - began, 2)
        facts["recovered_to"] = {k: reached[k] for k in ("time", "lsn", "heartbeat")}
        facts["seconds"] = round(phases["copy"] + phases["recover"], 2)
        facts["checks"].append(_reached(decision, reached))
        began = time.monotonic()
        facts["isolated"] = work.isolate()
        _look(context, work.server, facts)
    finally:
        work.close()
    if context.params["checksums"] and (work.server.control() or _none()).checksums:
        facts["checks"].append(checks.checksums(work.server, context.deadline))
    phases["check"] = round(time.monotonic() - began, 2)


def _none() -> Any:
    raise MainstayError("the control data of the drill cannot be read", subject="pg_control")


def _reached(decision: deciding.Decision, reached: dict[str, Any]) -> dict[str, Any]:
    """Whether the target was reached and nothing newer is there."""
    found = f"{reached['time']} at {reached['lsn']}"
    good = True
    if decision.goal.kind == target.LATEST or not reached["stopped"]:
        good = recovery.read_all(reached, decision.newest, decision.segment_size)
    if decision.goal.moment is not None and reached["time"]:
        last = target.parse_target(str(reached["time"]).replace("T", " ")).moment
        good = good and last is not None and last <= decision.goal.moment
    return {"check": f"reached {decision.goal}", "ok": good, "found": found}


def _look(context: Context, server: Server, facts: dict[str, Any]) -> None:
    """Queries and amcheck, on a server that takes nothing in and gives nothing out."""
    closed = (
        server.query("show listen_addresses") == "" and server.query("show archive_mode") == "off"
    )
    facts["checks"].append(
        {
            "check": "no network address, no archiving",
            "ok": closed,
            "found": "" if closed else "open",
        }
    )
    facts["checks"] += checks.run_queries(server, context.params["checks"])
    if context.params["amcheck"]:
        jobs = int(context.params["jobs"])
        facts["checks"].append(checks.amcheck(server, jobs, context.deadline))


def _clear(context: Context, scratch: str) -> None:
    server = context.server.at(data_directory=os.path.join(scratch, "data"), service="")
    if server.running():
        server.stop(600.0, "immediate")
    if not context.params["keep"]:
        shutil.rmtree(scratch, ignore_errors=True)


def _remember(context: Context, decision: deciding.Decision, facts: dict[str, Any]) -> None:
    facts["ok"] = all(r["ok"] for r in facts["checks"])
    facts["at"] = stamp(context.now())
    count = len(
        restore_plan.segments_to_replay(decision.choice, decision.catalog, decision.segment_size)
    )
    context.records.remember_drill(
        Drill(
            at=context.now(),
            size=decision.choice.backup.size,
            seconds_copy=facts["phases"]["copy"],
            segments=count,
            seconds_wal=facts["phases"]["recover"],
            ok=facts["ok"],
        )
    )
