# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore, an undo, a failover, a rejoin, a backup or a drill came to. Pure.

The same document is printed, left in C(set_stats) and kept in the ledger: the outcome, what is true
now, what was recovered up to when, what was lost, what failed, and what to type next.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PLANNED, REFUSED, FAILED, BACK, INCOMPLETE = (
    "planned",
    "refused",
    "failed",
    "rolled_back",
    "incomplete",
)
#: What a kind of operation came to when all of it went well.
DONE = {
    "restore": "restored",
    "undo": "undone",
    "failover": "switched",
    "rejoin": "rejoined",
    "backup": "backed_up",
    "drill": "drilled",
}
PLAYS = {
    "restore": "restore.yml",
    "undo": "restore_undo.yml",
    "failover": "failover.yml",
    "rejoin": "failover_rejoin.yml",
    "backup": "backup.yml",
    "drill": "dr_drill.yml",
}


@dataclass(frozen=True)
class Operation:
    """One run.

    C(begun): its record was opened; C(done): its purpose was reached, whatever came afterwards;
    C(back): what it had changed was taken back; C(unclosed): endings that failed; C(given): run
    variables that another run needs again.
    """

    kind: str
    platform: str
    store: str
    host: str
    inventory: str = ""
    check: bool = False
    begun: bool = False
    done: bool = False
    back: bool = False
    failed: Mapping[str, Any] = field(default_factory=dict)
    unclosed: Sequence[Mapping[str, str]] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    page: bool = False
    seconds: float = 0.0

    @property
    def outcome(self) -> str:
        """One word."""
        if self.failed:
            return self._failure()
        if self.check:
            return PLANNED
        return INCOMPLETE if self.unclosed else DONE[self.kind]

    def _failure(self) -> str:
        if not self.begun:
            return REFUSED
        if self.done:
            return INCOMPLETE
        return BACK if self.back else FAILED


def unclosed(results: Mapping[str, Mapping[str, Any]], step: str) -> list[dict[str, str]]:
    """Endings that failed, C({step, reason}), from the result of one task by host."""
    return [
        {"step": f"{step} ({host})", "reason": _reason(result)}
        for host, result in sorted(results.items())
        if result.get("failed") or result.get("unreachable")
    ]


def _reason(result: Mapping[str, Any]) -> str:
    text = str(result.get("msg") or result.get("stderr") or "no reason was given").strip()
    return text.splitlines()[0][:300] if text else "no reason was given"


def entry(run: Operation) -> dict[str, Any]:
    """The parts of the ledger's entry that close it."""
    steps = [{"name": run.failed["step"], "outcome": "failed"}] if run.failed else []
    steps += [{"name": item["step"], "outcome": "failed"} for item in run.unclosed]
    return {
        "outcome": run.outcome,
        "reason": reason(run),
        "steps": steps,
        "operation": {
            "store": run.store,
            "host": run.host,
            "seconds": round(run.seconds, 1),
            **_kept(run),
        },
    }


def _kept(run: Operation) -> dict[str, Any]:
    wanted = {
        "restore": (
            *("id", "target", "backup", "timeline", "recovered_to", "lost", "old_directory"),
            *("tail_directory", "archived_segment", "phases", "not_kept"),
        ),
        "undo": ("id", "target", "backup", "undone_directory"),
        "failover": ("planned", "old", "new", "lost"),
        "rejoin": ("old", "new"),
        "backup": ("backups",),
        "drill": ("drills",),
    }[run.kind]
    return {key: run.facts[key] for key in wanted if key in run.facts}


def reason(run: Operation) -> str:
    """Why it did not go through; empty when it did."""
    parts = [f"{run.failed.get('step')}: {run.failed.get('reason')}"] if run.failed else []
    parts += [f"{item['step']}: {item['reason']}" for item in run.unclosed]
    return "; ".join(parts)


def report(run: Operation) -> dict[str, Any]:
    """The document C(mainstay): C(operation), C(summary) and C(next)."""
    lines = [f"{run.outcome}: {_headline(run)}"]
    if run.outcome != REFUSED:
        lines += _true_now(run)
    if run.page:
        lines.append("the maintenance page is shown")
    lines += [f"not done: {item['step']}: {item['reason']}" for item in run.unclosed]
    if run.failed:
        # Behind what is true: its reason may have many lines of evidence.
        lines.append(f"failed at {run.failed.get('step')}: {run.failed.get('reason')}")
    return {
        "operation": {
            "kind": run.kind,
            "platform": run.platform,
            **entry(run)["operation"],
            "outcome": run.outcome,
            "reason": reason(run),
            "steps": entry(run)["steps"],
        },
        "summary": lines,
        "next": _next(run),
    }


def _headline(run: Operation) -> str:
    facts = run.facts
    what = f"{run.store} of {run.platform}" if run.store and run.platform else "the platform"
    if run.outcome in (PLANNED, REFUSED):
        return f"nothing was changed in {what}"
    if run.outcome == BACK:
        return f"{what} is as it was before"
    if run.outcome == FAILED:
        return f"{PLAYS[run.kind]} did not reach its purpose with {what}"
    return {
        "restore": f"{what} on {run.host} is restored to {facts.get('target')}",
        "undo": f"{what} on {run.host} has the data from before its latest restore",
        "failover": f"{facts.get('new')} is the primary of {what} in place of {facts.get('old')}",
        "rejoin": f"{facts.get('old')} follows {facts.get('new')} in {what}",
        "backup": f"{what} is backed up",
        "drill": f"{what} was restored in a scratch place, checked and measured",
    }[run.kind]


def _true_now(run: Operation) -> list[str]:
    facts = run.facts
    if run.kind in ("restore", "undo"):
        return _true_of_restore(run, facts)
    if run.kind == "failover":
        lost = facts.get("lost") or {}
        return [f"lost: {lost['text']}"] if lost.get("text") and run.outcome != BACK else []
    names = facts.get("backups" if run.kind == "backup" else "drills") or []
    key = "label" if run.kind == "backup" else "sentence"
    return [str(item.get(key) or "") for item in names if item.get(key)]


def _true_of_restore(run: Operation, facts: Mapping[str, Any]) -> list[str]:
    lines = []
    if run.done and run.kind == "restore":
        lines.append(f"recovered up to {_up_to(facts.get('recovered_to') or {})}")
    lost = facts.get("lost") or {}
    if lost.get("text") and (run.done or run.check) and run.kind == "restore":
        lines.append(f"lost: {lost['text']}")
    if run.check and float(facts.get("predicted") or -1) >= 0:
        lines.append(f"predicted: {float(facts['predicted']):.0f} s")
    if run.done and run.kind == "undo" and facts.get("undone_directory"):
        place = facts["undone_directory"]
        lines.append(f"left out: what was written since that restore; it is kept in {place}")
    lines += [f"not kept: {item}" for item in facts.get("not_kept") or []]
    if run.failed and not run.done:
        lines.append(str(facts.get("where") or "the data is where it was"))
    elif facts.get("old_directory") and not run.check and run.kind == "restore":
        lines.append(f"the data before is in {facts['old_directory']}")
    return lines


def _up_to(recovered: Mapping[str, Any]) -> str:
    known = [
        f"{name} {recovered[key]}"
        for key, name in (
            ("time", "the last transaction at"),
            ("heartbeat", "the heartbeat of"),
            ("lsn", "position"),
        )
        if recovered.get(key)
    ]
    return ", ".join(known) or "the end of the backup"


def _next(run: Operation) -> list[str]:
    tail = f" -i {run.inventory}" if run.inventory else ""
    store = f" -e restore_store={run.store}" if run.store else ""
    given = "".join(
        f" -e {name}={shlex.quote(_worded(str(value)))}"
        for name, value in sorted(run.given.items())
        if value not in ("", None)
    )
    again = f"ansible-playbook {PLAYS[run.kind]}{tail}{store}{given}"
    words = {"restore": "restore", "undo": "undo", "failover": "failover", "rejoin": "rejoin"}
    asked = run.kind in words and run.platform
    confirmed = f" -e ops_confirm={words[run.kind]}-{run.platform}" if asked else ""
    undo = (
        f"ansible-playbook restore_undo.yml{tail}{store} -e ops_confirm=undo-{run.platform}"
        " goes back to the data before"
    )
    page = f"ansible-playbook maintenance.yml{tail} -e ops_maintenance=off serves again"
    found = []
    if run.outcome == PLANNED:
        found.append(f"{again}{confirmed}")
    elif run.outcome in (REFUSED, FAILED, BACK):
        found.append(f"put right what failed, then {again}{confirmed}")
    elif run.kind == "undo":
        found.append(f"ansible-playbook backup.yml{tail}{store} covers it")
    elif run.outcome == INCOMPLETE:
        found.append(f"put right what is not done; ansible-playbook databases.yml{tail} builds it")
    if run.kind == "failover" and run.done and run.facts.get("old") in run.facts.get("away", ()):
        old = run.facts["old"]
        found.append(
            f"when {old} is back: ansible-playbook {PLAYS['rejoin']}{tail}{store} "
            f"-e ops_rejoin={old} -e ops_confirm=rejoin-{run.platform}"
        )
    if run.kind == "restore" and (run.done or (run.outcome == FAILED and run.facts.get("id"))):
        found.append(undo)
    if run.page:
        found.append(page)
    return found or ["nothing"]


def _worded(value: str) -> str:
    """A value as C(-e name=value) reads it: one with blanks has to be quoted once more."""
    return f'"{value}"' if " " in value else value


def from_words(words: Mapping[str, Any]) -> Operation:
    """An operation from plain data; missing words and nothings have their defaults."""
    names = Operation.__dataclass_fields__
    return Operation(**{k: v for k, v in words.items() if k in names and v is not None})


#: Endings whose results are kept in a variable: the step, and whether one host does it for all.
ENDINGS = {
    "release_page_away": ("take the maintenance page away", False),
    "release_servers_back": ("start the server again that was stopped for this", False),
    "release_record_closed": ("close the record", True),
    "release_lock_back": ("give the lock back", True),
}


def endings(hostvars: Mapping[str, Any], hosts: Sequence[str]) -> list[dict[str, str]]:
    """Endings that failed on any of the hosts."""
    found: list[dict[str, str]] = []
    for name, (step, once) in ENDINGS.items():
        results = {h: hostvars[h].get(name) for h in hosts if h in hostvars}
        known = {h: r for h, r in results.items() if isinstance(r, Mapping)}
        if once:
            known = dict(list(known.items())[:1])
        found += unclosed(known, step)
    return found


def facts_of(kind: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What the tasks of an operation left on its host, as the facts of L(Operation)."""
    if kind in ("restore", "undo"):
        for name in ("postgres_backup_restored", "postgres_backup_planned"):
            found = (variables.get(name) or {}).get("restore")
            if found:
                return dict(found)
        return {}
    if kind in ("failover", "rejoin"):
        return dict(variables.get("postgres_failover") or {})
    name = {"backup": "postgres_backup_taken", "drill": "postgres_backup_drilled"}[kind]
    results = (variables.get(name) or {}).get("results") or []
    if kind == "backup":
        return {"backups": [r["backup"] for r in results if r.get("backup")]}
    return {
        "drills": [
            {**r["drill"], "sentence": "; ".join(r.get("actions") or [])}
            for r in results
            if r.get("drill")
        ]
    }
