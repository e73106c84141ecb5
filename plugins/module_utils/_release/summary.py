# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words at the end of a run: what is true now, why, and what to type next. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._release.flow import Plan

#: Lines of evidence kept from a failure, so that the reason stands in the last 20 lines of output.
EVIDENCE_LINES = 8
#: Outcomes with which a run succeeds.
GOOD = ("deployed", "unchanged", "planned")


def outcome_of(
    failure: Optional[dict[str, Any]], *, locked: bool, reverted: bool, committed: bool = False
) -> str:
    """C(deployed), C(rolled_back), C(held), C(refused) or C(failed), from what happened.

    Nothing is changed before the lock is taken, so a failure without it is a refusal. Once the
    release is committed the new version serves; a failure while tidying up does not undo it.
    """
    if not failure or committed:
        return "deployed"
    if not locked:
        return "refused"
    if not reverted:
        return "failed"
    held = (failure.get("gate") or {}).get("outcome") == "held"
    return "held" if held else "rolled_back"


def first_failure(
    results: dict[str, dict[str, Any]],
    tasks: dict[str, dict[str, Any]],
    hosts: list[str],
    reached: list[str],
) -> dict[str, Any]:
    """What failed where; hosts that answer no more explain a failure without a result.

    A gate that failed is named before one that could not decide, on whatever host or in whatever
    item of a loop it is: the release is only held when nothing speaks against it.

    C(results) and C(tasks) are what Ansible kept of the failed task, by host; C(reached) are the
    hosts that still answer.
    """
    lost = [host for host in hosts if host not in reached]
    found = [(host, part) for host in hosts if host in results for part in _failed(results[host])]
    host, result = min(found, key=lambda each: _undecided(each[1]), default=("", {}))
    name = str((tasks.get(host) or {}).get("name") or "").rsplit(" : ", 1)[-1]
    reason = str(result.get("msg") or "")
    if lost and not reason:
        reason = f"{', '.join(lost)} became unreachable"
    step = f"{name} ({host})" if host and name else name or "contact with the hosts"
    return {
        "step": step,
        "reason": reason or "a task failed without a message",
        "gate": result.get("gate") or {},
        "gates": gates_of([results[h] for h in hosts if h in results]),
        "lost": lost,
    }


def _failed(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The failed items of a loop, which says of itself only that there are some; else C(result)."""
    items = [item for item in result.get("results") or [] if item.get("failed")]
    return items or [result]


def _undecided(result: dict[str, Any]) -> bool:
    """True for a gate that could not decide; what has failed outright comes before it."""
    return (result.get("gate") or {}).get("outcome") == "held"


def summarise(
    *,
    plan: Plan,
    platform_id: str,
    release_id: str,
    outcome: str,
    failure: Optional[dict[str, Any]],
    proof: Optional[dict[str, Any]],
    gates: list[dict[str, Any]],
    steps: list[dict[str, Any]],
    seconds: float,
    inventory: str,
    unclosed: Sequence[str] = (),
) -> dict[str, Any]:
    """The C(mainstay) document of C(set_stats): release, proof, summary, next commands.

    C(good) is whether the play may succeed: also a release that is deployed has something to be
    looked at when its end failed.
    """
    lines = [_headline(plan, platform_id, release_id, outcome, seconds)]
    if failure and outcome == "deployed":
        lines[0] += ", but its end failed; the next run finishes it"
    lines.extend(_truth(plan, outcome))
    if proof and proof.get("requests"):
        lines.append(
            f"proof: {proof['requests']} requests through the edge,"
            f" {proof.get('failed', 0)} failed, {proof.get('slow', 0)} slow"
        )
    if failure:
        lines.append(f"reason: {failure['step']}")
        lines.extend(_clip(failure["reason"]))
    lines.extend(f"{text}; the next run heals it" for text in unclosed)
    reasons = [failure["reason"].splitlines()[0]] if failure else []
    return {
        "good": outcome in GOOD and not failure and not unclosed,
        "release": {
            "id": release_id,
            "kind": plan.kind,
            "platform": platform_id,
            "outcome": outcome,
            "strategy": plan.strategy,
            "services": plan.versions,
            "reason": "; ".join([*reasons, *unclosed]),
            "seconds": round(seconds, 1),
        },
        "proof": proof or {},
        "gates": [*gates, *((failure or {}).get("gates") or [])],
        "steps": steps,
        "summary": lines,
        "next": _next(plan, outcome, inventory),
    }


def _headline(plan: Plan, platform_id: str, release_id: str, outcome: str, seconds: float) -> str:
    word = {
        "deployed": "is deployed",
        "rolled_back": "was rolled back",
        "held": "is held",
        "refused": "was refused",
        "unchanged": "needs no change",
        "planned": "is planned, nothing was changed",
    }.get(outcome, "failed and could not be taken back completely")
    return f"{platform_id}: {plan.kind} {release_id} {word} after {seconds:.1f} s"


def _truth(plan: Plan, outcome: str) -> list[str]:
    if outcome == "deployed":
        lines = [
            f"{name} serves {change['to']} (before: {change['from']})"
            for name, change in sorted(plan.versions.items())
        ]
        return lines or ["all services serve what they served before"]
    if outcome in ("rolled_back", "refused", "held"):
        kept = [
            f"{name} still serves {change['from']}"
            for name, change in sorted(plan.versions.items())
        ]
        if outcome == "held":
            kept.append("the new version stays on the hosts, without traffic, for a look")
        return kept or ["nothing was changed"]
    if outcome in ("unchanged", "planned"):
        return list(plan.steps) or ["everything is as described"]
    return ["look at status.yml: the fleet may be mixed; the next run heals it from the journals"]


def _clip(reason: str) -> list[str]:
    lines = [line for line in reason.splitlines() if line.strip()]
    if len(lines) > EVIDENCE_LINES:
        half = EVIDENCE_LINES // 2
        lines = [*lines[:half], "  ...", *lines[-half:]]
    return [f"  {line}" for line in lines]


def _next(plan: Plan, outcome: str, inventory: str) -> list[str]:
    status = f"ansible-playbook status.yml -i {inventory}"
    if outcome == "deployed":
        back = f"ansible-playbook rollback.yml -i {inventory}"
        return [status, back]
    if outcome == "planned":
        return [f"ansible-playbook {plan.kind}.yml -i {inventory}"]
    if outcome == "unchanged":
        return [status]
    again = f"ansible-playbook {plan.kind}.yml -i {inventory} --check --diff"
    return [status, again]


def unclosed(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What of the end of a run failed, in words, from the results of its tasks by what they say."""
    return [
        f"{words}: {str(result.get('msg') or 'no reason given').splitlines()[0]}"
        for words, result in results.items()
        if result.get("failed") or result.get("unreachable")
    ]


def step_through(step: dict[str, Any], started: float, ended: float) -> dict[str, Any]:
    """A step of the switch as the ledger keeps it; times are seconds since the epoch."""
    begun = datetime.datetime.fromtimestamp(started, tz=datetime.timezone.utc)
    return {
        "name": step["name"],
        "started": begun.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round(ended - started, 2),
        "outcome": "passed",
    }


def gates_of(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The verdicts in registered results of gate tasks, also of loops; skipped tasks have none."""
    parts = [part for result in results for part in result.get("results") or [result]]
    return [part["gate"] for part in parts if part.get("gate")]
