# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module from its arguments to its result. C(command.py) runs the same without Ansible."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import exclusive
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    backing_up,
    checks,
    deciding,
    drilling,
    health,
    journal,
    kept,
    restore_plan,
    undoing,
    verifying,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.context import (
    Context,
    context_from,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.restoring import Restore
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import stamp

Params = Mapping[str, Any]


def _result(context: Context, began: float, changed: bool, **facts: Any) -> Result:
    after = "".join(f"{action}\n" for action in context.actions)
    return Result(
        changed=changed,
        actions=context.actions,
        diff={"before": "", "after": after if changed else ""},
        duration=time.monotonic() - began,
        facts=facts,
    )


def backup(params: Params, *, check: bool) -> Result:
    """One call of postgres_backup."""
    began = time.monotonic()
    context = context_from(params, check=check)
    state = params["state"]
    if state == "taken":
        return _result(context, began, True, backup=backing_up.taken(context))
    if state == "marked":
        point = backing_up.marked(context)
        changed = not context.actions[-1].endswith("left as it is")
        return _result(context, began, changed, restore_point=point)
    if state == "revived":
        facts = backing_up.revived(context)
        return _result(context, began, facts["files"] > 0, revived=facts)
    facts = backing_up.expired(context)
    return _result(context, began, bool(facts["expired"]), retention=facts)


def info(params: Params, *, check: bool) -> Result:
    """One call of postgres_backup_info."""
    began = time.monotonic()
    context = context_from(params, check=True)
    catalog = context.engine.catalog()
    gaps = health.gaps_of(catalog, None, verifying.segment_size(context))
    objective = float(params["objective_restore"])
    status = verifying.status_of(context, catalog, gaps, objective)
    whole = context.records.whole(context.repository)
    names = sorted(f.name for f in catalog.archive if len(f.name) == 24)
    predicted = status.predicted_restore
    facts = {
        "system_identifier": catalog.system_identifier,
        "version": catalog.version,
        "list": [{**b.as_dict(), "verified": whole.get(b.label)} for b in catalog.backups],
        "gaps": [str(g) for g in gaps],
        "covered": health.covered(catalog, verifying.segment_size(context)),
        "newest_segment": names[-1] if names else "",
        "age_verified": verifying.age(status.last_verified, context.now()),
        "age_wal": verifying.age(status.last_segment, context.now()),
        "predicted_restore": -1.0 if predicted is None else predicted,
        "within_objective": None if predicted is None else predicted <= 0.8 * objective,
    }
    return _result(context, began, False, backups=facts)


def verify(params: Params, *, check: bool) -> tuple[Result, Optional[MainstayError]]:
    """One call of postgres_verify: the result, and the failure when something is critical."""
    began = time.monotonic()
    context = context_from(params, check=check)
    report = verifying.verify(context)
    if params.get("metrics_file") and not check:
        verifying.write_metrics(context, report, params["metrics_file"])
    failure = None
    if report.critical:
        where = f"{context.store} in {context.repository}"
        failure = verifying.explain_findings(report.critical, where)
    # Reading changes nothing that anybody but the retention looks at.
    return _result(context, began, False, verification=verifying.facts_of(report)), failure


def drill(params: Params, *, check: bool) -> Result:
    """One call of postgres_drill."""
    began = time.monotonic()
    context = context_from(params, check=check)
    return _result(context, began, False, drill=drilling.drill(context))


def restore(params: Params, *, check: bool) -> Result:
    """One call of postgres_restore."""
    began = time.monotonic()
    context = context_from(params, check=check)
    _require_words(context)
    if check:
        return _restore(context, began)
    with exclusive(context.file("restore.lock")):
        return _restore(context, began)


def unfinished(params: Params) -> dict[str, Any]:
    """What a failed call of postgres_restore leaves: the facts of a restore that is half done."""
    try:
        context = context_from(params, check=True)
        record = journal.load(context.directory)
    except MainstayError:
        return {}
    if record is None or record.status != journal.RUNNING:
        return {}
    return {"restore": {**_facts(context, record), "where": kept.where(record)}}


def _require_words(context: Context) -> None:
    """The typed confirmation, before anything is looked at."""
    wanted = restore_plan.confirmation(context.params["state"], context.platform)
    if not context.check and context.params.get("confirm") != wanted:
        raise MainstayError(
            "the confirmation is missing",
            subject="confirm",
            found=repr(context.params.get("confirm") or ""),
            expected=repr(wanted),
            next_step="run it in check mode, read the plan, then confirm it with these words",
        )


def _restore(context: Context, began: float) -> Result:
    record = journal.load(context.directory)
    if context.params["state"] != "restored":
        return _back_or_settle(context, began, record)
    checks.require_sound(context.params["checks"])
    text, inclusive = str(context.params["target"]), bool(context.params["inclusive"])
    wanted = str(context.params.get("backup") or "")
    decision = None
    if record is not None and record.status == journal.RUNNING:
        if not journal.same_wish(record, text, inclusive, wanted):
            raise journal.unfinished(record, text)
        context.actions.append(f"go on with restore {record.id} at: {record.next_step()}")
    else:
        decision = deciding.decide(
            context, deciding.understand(context, text), context.server.place.data_directory
        )
        if decision.obstacles:
            raise deciding.refused(context.store, decision.obstacles)
        record = _new_journal(context, decision, text, inclusive)
        label = decision.choice.backup.label
        context.actions.append(f"restore backup {label} to {decision.goal}")
        context.actions.append(f"left out: {decision.loss.text}")
    if context.check:
        return _result(context, began, True, restore=_facts(context, record))
    journal.save(context.directory, record)
    context.kill("journal")
    work = Restore(context, record)
    work.run()
    work.finish()
    return _result(context, began, True, restore=_facts(context, record))


def _facts(context: Context, record: journal.Journal) -> dict[str, Any]:
    words = restore_plan.confirmation(context.params["state"], context.platform)
    return {**undoing.facts_of(record), "confirmation": words}


def _new_journal(
    context: Context, decision: deciding.Decision, text: str, inclusive: bool
) -> journal.Journal:
    name = f"{context.now():%Y%m%dT%H%M%SZ}"
    data, choice = context.server.place.data_directory, decision.choice
    count = restore_plan.segments_to_replay(choice, decision.catalog, decision.segment_size)
    return journal.Journal(
        id=name,
        target=text,
        inclusive=inclusive,
        backup=choice.backup.label,
        timeline=choice.timeline,
        follow=decision.follow,
        data_directory=data,
        new_directory=f"{data}.restoring-{name}",
        old_directory=f"{data}.before-{name}",
        tail_directory=f"{data}.tail-{name}",
        private_directory=f"{data}.private-{name}",
        system_identifier=decision.catalog.system_identifier,
        had_cluster=decision.place.is_cluster,
        begun=name,
        facts={
            "size": choice.backup.size,
            "segments": len(count),
            "segment_size": decision.segment_size,
            "newest": decision.newest,
            "predicted": decision.predicted,
            "lost": {"text": decision.loss.text, "seconds": decision.loss.seconds},
            "old_timeline": decision.place.control.timeline if decision.place.control else 0,
            "life": {
                "at": stamp(decision.life.at),
                "next_xid": decision.life.next_xid,
                "exact": decision.life.exact,
            },
        },
    )


def _back_or_settle(context: Context, began: float, record: Optional[journal.Journal]) -> Result:
    state = context.params["state"]
    if record is None or record.status == journal.SETTLED:
        raise MainstayError(
            "there is no restore to go back from",
            subject=context.store,
            expected="a restore that was not settled",
        )
    final = {"undone": journal.UNDONE}.get(state, journal.SETTLED)
    if record.status == final:
        return _result(context, began, False, restore=_facts(context, record))
    if state == "settled":
        if record.status == journal.RUNNING:
            raise journal.unfinished(record, "settle it")
        undoing.settle(context, record)
    elif context.check:
        context.actions.append(f"go back to {record.old_directory}")
    else:
        if not os.path.isdir(record.old_directory) and record.status == journal.DONE:
            raise MainstayError(
                "there is nothing to go back to",
                subject=record.data_directory,
                found="no data directory was there before the restore",
            )
        undoing.undo(context, record)
    return _result(context, began, True, restore=_facts(context, record))
