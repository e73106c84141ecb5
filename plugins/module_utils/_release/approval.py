# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approvals: when a release asks, who may answer, what an answer means. Pure.

A question stands in the ledger's entry of the release that asks, so whoever reaches the platform
can answer, from any controller.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release import gates

WAITING, APPROVED, REFUSED, UNANSWERED = "waiting", "approved", "refused", "unanswered"
STAGED, FIRST, EACH, LAST = "staged", "first", "each", "last"
#: Seconds without a sign of life after which nobody listens to an answer. A run that waits looks
#: for one every few seconds.
LISTENING = 60.0
_VERDICTS = {APPROVED: gates.PASSED, REFUSED: gates.FAILED, UNANSWERED: gates.HELD}


@dataclass(frozen=True)
class Answer:
    """What somebody said; C(groups) are those of the operating system that C(by) is in."""

    yes: bool
    by: str
    reason: str = ""
    name: str = ""
    groups: tuple[str, ...] = ()


def due(wanted: Sequence[dict[str, Any]], steps: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Which approvals are asked for after which step: C({step: [approval]}).

    C(staged) is before the first step. What a switch without steps would ask for later is asked for
    there too: an approval that was described is never left out.
    """
    found: dict[str, list[dict[str, Any]]] = {step: [] for step in (STAGED, *steps)}
    for approval in wanted:
        after = approval["after"]
        places = {
            STAGED: [STAGED],
            FIRST: list(steps[:1]),
            EACH: list(steps),
            LAST: list(steps[-1:]),
        }[after] or [STAGED]
        for place in places:
            found[place].append({**approval, "after": place})
    return found


def who_may(approvers: Sequence[str]) -> str:
    """The approvers in words."""
    return ", ".join(approvers) or "anybody"


def asked(entry: dict[str, Any], question: dict[str, Any]) -> dict[str, Any]:
    """C(entry) with C(question) in it, waiting; asking the same again asks once."""
    _require_open(entry)
    if _find(entry, question["name"], question["after"]) is not None:
        return entry
    fresh = {**question, "state": WAITING, "by": "", "reason": "", "answered": None}
    return {**entry, "approvals": [*(entry.get("approvals") or []), fresh]}


def withdrawn(entry: dict[str, Any], name: str, after: str, now: str) -> dict[str, Any]:
    """C(entry) with the question closed, unless an answer was faster."""
    question = _find(entry, name, after)
    if question is None or question["state"] != WAITING:
        return entry
    return _changed(entry, question, {"state": UNANSWERED, "answered": now})


def answered(
    entry: dict[str, Any], answer: Answer, now: str, silent_for: Optional[float]
) -> dict[str, Any]:
    """C(entry) with C(answer); refused when nothing waits for it or it is not theirs to give.

    C(silent_for) are seconds since the last sign of life of the run that asks; nothing when the
    lock is not that run's.
    """
    _require_open(entry)
    question = _waiting(entry, answer.name)
    if silent_for is None or silent_for > LISTENING:
        since = "does not hold the lock" if silent_for is None else f"silent for {silent_for:.0f} s"
        raise MainstayError(
            "the run that asked does not listen any more",
            subject=f"release {entry['id']}",
            found=since,
            expected=f"a sign of life in the last {LISTENING:.0f} s",
            next_step="the next deploy heals this release; status.yml shows it",
        )
    _require_entitled(entry, question, answer)
    return _changed(
        entry,
        question,
        {
            "state": APPROVED if answer.yes else REFUSED,
            "by": answer.by,
            "reason": answer.reason,
            "answered": now,
        },
    )


def judge(question: dict[str, Any], timeout: float) -> gates.Judgement:
    """The verdict of the gate that the question is."""
    state, reason = question["state"], question.get("reason")
    observed = f"{state} by {question.get('by')}" + (f": {reason}" if reason else "")
    if state == UNANSWERED:
        observed = f"nobody answered within {timeout:g} s"
    expected = f"a yes of {who_may(question.get('approvers') or [])}"
    return gates.Judgement(_VERDICTS[state], observed, expected, 0 if state == UNANSWERED else 1)


def question_of(entry: dict[str, Any], name: str, after: str) -> dict[str, Any]:
    """The question as it stands."""
    found = _find(entry, name, after)
    if found is None:
        raise MainstayError(
            "the release did not ask this",
            subject=f"release {entry['id']}",
            found=_waiting_text(entry),
            expected=f"approval {name} after {after}",
        )
    return found


def open_questions(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """What C(entry) waits for; a closed one waits for nothing."""
    if entry.get("ended"):
        return []
    return [q for q in entry.get("approvals") or [] if q.get("state") == WAITING]


def waiting_text(entries: Collection[dict[str, Any]]) -> str:
    """What waits in a ledger, for somebody who answered something else."""
    found = [
        f"release {e['id']} waits for {_waiting_text(e)}" for e in entries if open_questions(e)
    ]
    return "; ".join(found) or "no release waits for an approval"


def _waiting_text(entry: dict[str, Any]) -> str:
    return ", ".join(f"{q['name']} after {q['after']}" for q in open_questions(entry)) or "nothing"


def _find(entry: dict[str, Any], name: str, after: str) -> Optional[dict[str, Any]]:
    for question in entry.get("approvals") or []:
        if (question["name"], question["after"]) == (name, after):
            found: dict[str, Any] = question
            return found
    return None


def _changed(
    entry: dict[str, Any], question: dict[str, Any], change: dict[str, Any]
) -> dict[str, Any]:
    now = [{**q, **change} if q is question else q for q in entry["approvals"]]
    return {**entry, "approvals": now}


def _require_open(entry: dict[str, Any]) -> None:
    if entry.get("ended"):
        raise MainstayError(
            "the release is over",
            subject=f"release {entry['id']}",
            found=f"{entry['outcome']}, ended {entry['ended']}",
            expected="a release that waits for an approval",
            next_step="status.yml shows what waits",
        )


def _waiting(entry: dict[str, Any], name: str) -> dict[str, Any]:
    waiting = [q for q in open_questions(entry) if name in ("", q["name"])]
    if waiting:
        return waiting[0]
    before = [
        f"{q['name']} after {q['after']} was {q['state']}" + (f" by {q['by']}" if q["by"] else "")
        for q in entry.get("approvals") or []
        if q["state"] != WAITING and name in ("", q["name"])
    ]
    raise MainstayError(
        "nothing waits for this answer",
        subject=f"release {entry['id']}",
        found="; ".join(before) or f"waits for {_waiting_text(entry)}",
        expected=f"approval {name} that waits" if name else "an approval that waits",
        next_step="status.yml shows what waits",
    )


def _require_entitled(entry: dict[str, Any], question: dict[str, Any], answer: Answer) -> None:
    approvers = question.get("approvers") or []
    names = {answer.by, *(f"@{group}" for group in answer.groups)}
    if approvers and not names & set(approvers):
        raise MainstayError(
            "this answer is somebody else's to give",
            subject=f"approval {question['name']} of release {entry['id']}",
            found=answer.by,
            expected=f"one of {who_may(approvers)}",
        )
    if question.get("other_person") and answer.yes and answer.by == entry.get("who"):
        raise MainstayError(
            "who started a release does not approve it",
            subject=f"approval {question['name']} of release {entry['id']}",
            found=f"{answer.by} started it",
            expected="another person (a no is taken from anybody who may answer)",
        )
