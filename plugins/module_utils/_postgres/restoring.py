# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The restore, step by step. Every step can be repeated after a kill at any instant."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    sync_directory,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    checks,
    journal,
    kept,
    recovery,
    restore_plan,
    tail,
    target,
    wal,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.archiving import (
    await_segment,
    finish_segment,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.engine import Copying
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import Drill, stamp

STOP_LIMIT = 600.0
OPEN_LIMIT = 600.0


class Restore:
    """One restore with its journal."""

    def __init__(self, context: Context, record: journal.Journal) -> None:
        self.context = context
        self.record = record
        room = recovery.Room(
            data=record.data_directory,
            private=record.private_directory,
            config_file=context.server.place.config_file,
            extra={},
            tail=record.tail_directory,
        )
        self.recovery = recovery.Recovery(context, room)

    def run(self) -> None:
        """All steps that are not done yet, each entered in the journal behind it."""
        steps: dict[str, Callable[[], None]] = {
            "stopped": self._stop,
            "tail_saved": self._save_tail,
            "copied": self._copy,
            "configured": self._configure,
            "renamed": self._rename_old,
            "placed": self._place_new,
            "recovered": self._recover,
            "checked": self._check,
            "archiving": self._prove_archiving,
            "opened": self._open,
        }
        try:
            for name in journal.STEPS:
                if name in self.record.done:
                    continue
                self.context.kill(f"before-{name}")
                began = time.monotonic()
                steps[name]()
                self.context.kill(f"after-{name}")
                self.record.phases[name] = round(time.monotonic() - began, 2)
                self.record.done.append(name)
                self._save()
        except MainstayError:
            # The next run may need hours until somebody starts it: leave nothing half open.
            self._close_quietly()
            raise

    def _save(self) -> None:
        journal.save(self.context.directory, self.record)

    def _close_quietly(self) -> None:
        if "opened" not in self.record.done and "placed" in self.record.done:
            try:
                self.recovery.close()
            except MainstayError as error:
                self.context.actions.append(f"the server of the recovery is left running: {error}")

    def _stop(self) -> None:
        server = self.context.server
        if server.running():
            # Stopping gives up segments that the server takes for archived, also lost ones.
            self._collect(finished=True)
            self.record.was_running = True
            self._save()
            self.context.actions.append(f"stop the server in {self.record.data_directory}")
            server.stop(self.context.deadline.left(STOP_LIMIT))
            self._remember_end()

    def _remember_end(self) -> None:
        """A server that was stopped in order has written its last transaction id."""
        record, control = self.record, self.context.server.control()
        exact = control is not None and control.state == "shut down"
        record.facts["life"] = {
            "at": stamp(self.context.now()),
            "next_xid": control.next_xid if control else 0,
            "exact": exact,
        }

    def _save_tail(self) -> None:
        record = self.record
        if not record.had_cluster or not self.context.params["save_tail"]:
            record.tail_directory = ""
            self._save()
            return
        items = self._collect(finished=False)
        names = [i.name for i in items if wal.is_segment(i.name)]
        own = sorted(n for n in names if int(n[:8], 16) == record.timeline)
        record.facts["newest"] = max([str(record.facts.get("newest") or ""), *own])
        self.context.actions.append(f"save {len(items)} files of WAL that were not archived")

    def _collect(self, *, finished: bool) -> list[tail.Waiting]:
        record = self.record
        if not record.had_cluster or not self.context.params["save_tail"]:
            return []
        catalog = self.context.engine.catalog()
        size = int(record.facts["segment_size"])
        items = tail.waiting(record.data_directory, catalog, size, finished=finished)
        tail.save(items, record.tail_directory, self.context.programs)
        return items

    def _copy(self) -> None:
        record, context = self.record, self.context
        # What a killed run left of this very restore; nothing of anybody else has this name.
        if os.path.isdir(record.new_directory):
            shutil.rmtree(record.new_directory)
        os.mkdir(record.new_directory, 0o700)
        context.programs.own(record.new_directory)
        context.actions.append(f"copy the backup {record.backup} into {record.new_directory}")
        context.progress.begin(f"copying {record.backup}", int(record.facts["size"]))
        context.engine.restore(
            Copying(
                record.backup,
                record.new_directory,
                int(context.params["jobs"]),
                context.deadline.left(),
                dict(context.params["tablespace_map"] or {}),
            ),
            context.progress.line,
        )
        control = context.server.at(data_directory=record.new_directory).control()
        found = control.system_identifier if control else "none"
        if found != record.system_identifier:
            raise MainstayError(
                "what was copied is another cluster",
                subject=record.new_directory,
                found=f"system identifier {found}",
                expected=f"system identifier {record.system_identifier}",
            )

    def _configure(self) -> None:
        recovery.Recovery(
            self.context,
            recovery.Room(self.record.new_directory, self.record.private_directory, "", {}),
        ).prepare()

    def _rename_old(self) -> None:
        record = self.record
        if not os.path.isdir(record.data_directory) or os.path.isdir(record.old_directory):
            return  # nothing was there, or it has its new name since before a kill
        if not record.had_cluster:
            os.rmdir(record.data_directory)  # it was empty; anything else is refused before
            return
        self.context.actions.append(f"rename {record.data_directory} to {record.old_directory}")
        os.rename(record.data_directory, record.old_directory)
        sync_directory(os.path.dirname(record.data_directory))

    def _place_new(self) -> None:
        record = self.record
        if os.path.isdir(record.new_directory):
            if os.path.lexists(record.data_directory):
                raise MainstayError(
                    "something else has appeared where the cluster belongs",
                    subject=record.data_directory,
                    expected="nothing there",
                    next_step=f"move {record.data_directory} aside and run the task again",
                )
            os.rename(record.new_directory, record.data_directory)
            sync_directory(os.path.dirname(record.data_directory))

    def _goal(self) -> target.Target:
        return target.parse_target(self.record.target, self.record.inclusive)

    def _recover(self) -> None:
        record, context = self.record, self.context
        goal = self._goal()
        context.actions.append(f"recover to {goal} on timeline {record.follow}")
        context.progress.begin(f"recovering to {goal}")
        facts = self.recovery.run(goal, record.follow)
        require_reached(record, goal, facts)
        record.facts["recovered_to"] = {k: facts[k] for k in ("time", "lsn", "heartbeat")}
        record.facts["stopped"] = facts["stopped"]
        record.facts.setdefault("next_xid", facts["next_xid"])
        record.facts["new_timeline"] = facts["timeline"]

    def _check(self) -> None:
        context = self.context
        self._ensure_private()
        server = self.recovery.server
        if not checks.writable(server):
            raise MainstayError("the server is not writable", subject=self.record.data_directory)
        results = checks.run_queries(server, context.params["checks"])
        if context.params["amcheck"]:
            jobs = int(context.params["jobs"])
            results.append(checks.amcheck(server, jobs, context.deadline))
        self.record.facts["checks"] = results
        wrong = [f"{r['check']}: {r['found']}" for r in results if not r["ok"]]
        if wrong:
            raise MainstayError(
                "the restored cluster does not hold what was expected",
                subject=self.record.target,
                found=f"{len(wrong)} of {len(results)} checks failed",
                next_step="undo the restore, then choose another target or backup",
                evidence=tuple(wrong),
            )

    def _ensure_private(self) -> None:
        """After a kill between the recovery and here: open it again behind closed doors."""
        if self.recovery.open:
            return
        self.recovery.run(target.Target(target.LATEST), self.record.follow)

    def _prove_archiving(self) -> None:
        self._ensure_private()
        segment = finish_segment(self.recovery.server)
        self.context.actions.append(f"see the segment {segment} of the new timeline archived")
        await_segment(self.context, segment, float(self.context.params["archive_timeout"]))
        self.record.facts["archived_segment"] = segment

    def _open(self) -> None:
        record, context = self.record, self.context
        if "closed" not in record.facts:
            self.recovery.close()
            self.recovery.settle()
            record.facts["closed"] = True
            self._save()
        context.actions.append(f"open the server in {record.data_directory}")
        if not context.server.running():
            log = os.path.join(record.private_directory, "server.log")
            context.server.start(context.deadline.left(60.0), log)
        context.server.wait_open(context.deadline.left(OPEN_LIMIT))
        if context.server.query("select pg_is_in_recovery()") != "f":
            raise MainstayError("the opened server is in recovery", subject=record.data_directory)

    def finish(self) -> None:
        """Write down what is true now, and what it took."""
        record, context = self.record, self.context
        record.status = journal.DONE
        record.facts["lost"] = self._lost()
        record.facts["not_kept"] = kept.not_kept(record.old_directory, record.data_directory)
        self._save()
        context.records.remember_identity(record.system_identifier)
        context.records.remember_drill(
            Drill(
                at=context.now(),
                size=int(record.facts["size"]),
                seconds_copy=record.phases.get("copied", 0.0),
                segments=int(record.facts["segments"]),
                seconds_wal=record.phases.get("recovered", 0.0),
            )
        )

    def _lost(self) -> dict[str, Any]:
        record, life = self.record, self.record.facts.get("life") or {}
        recovered = record.facts.get("recovered_to") or {}
        moment = str(recovered.get("time") or recovered.get("heartbeat") or "")
        # Another history than the one that the old server was on leaves out what is on that one.
        own = int(record.facts.get("old_timeline") or 0) == record.timeline
        saved = record.had_cluster and bool(record.tail_directory) and own
        return restore_plan.measured(
            self._goal(),
            record.facts.get("lost") or {},
            restore_plan.Life(
                moment_of(str(life.get("at") or "")),
                int(life.get("next_xid") or 0),
                bool(life.get("exact")),
            ),
            moment_of(moment),
            int(record.facts.get("next_xid") or 0),
            saved,
        )


def moment_of(text: str) -> Optional[datetime]:
    """A moment as the journal and the server write it; nothing for nothing."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def require_reached(record: journal.Journal, goal: target.Target, facts: dict[str, Any]) -> None:
    """The target was reached, nothing newer is there, and the timeline is a new one."""
    problems = []
    size = int(record.facts["segment_size"])
    whole = recovery.read_all(facts, str(record.facts.get("newest") or ""), size)
    if (goal.kind == target.LATEST or not facts["stopped"]) and not whole:
        problems.append(
            f"recovery ended at {facts['lsn']}, before the newest known segment "
            f"{record.facts['newest']}"
        )
    if goal.moment is not None and facts["time"]:
        last = target.parse_target(str(facts["time"]).replace("T", " ")).moment
        if last is not None and last > goal.moment:
            problems.append(f"the last transaction is of {facts['time']}, after the target")
    if facts["timeline"] <= record.timeline:
        problems.append(f"the server is on timeline {facts['timeline']}, not on a new one")
    if problems:
        raise MainstayError(
            "the target was not reached",
            subject=record.target,
            found="; ".join(problems),
            expected=str(goal),
            next_step="undo the restore; the old data directory is untouched",
        )
