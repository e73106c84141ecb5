# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions and answers in the ledger, and the wait of the run that asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._release import approval, lock
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Store

#: Seconds between two looks at the ledger while an answer is awaited on its host.
PAUSE = 0.5
#: Longest time between two lines of progress.
PROGRESS = 10.0
#: Seconds for which one look at the ledger stays there, so that an answer is seen at once.
LOOK = 4.0

Entry = dict[str, Any]


def change_approval(
    ledger: Store,
    params: Mapping[str, Any],
    *,
    check_mode: bool,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Ask, wait, stop waiting, or answer."""
    started = clock()
    state = params["state"]
    if state == "answered":
        before, after = _answer(ledger, params, check_mode)
        question = _last_changed(before, after)
    else:
        before, after = _ask(ledger, params, check_mode)
        question = approval.question_of(after, params["name"], params["after"])
        deadline = clock() + params["look"]
        while state == "awaited" and question["state"] == approval.WAITING and clock() < deadline:
            sleep(PAUSE)  # another host writes the answer; there is no event to wait for
            after = _entry(ledger, params["release_id"])
            question = approval.question_of(after, params["name"], params["after"])
    changed = before != after and state != "awaited"
    return Result(
        changed=changed,
        actions=[_sentence(question, after)] if changed else [],
        duration=clock() - started,
        facts={"approval": question, "release": after["id"]},
    )


def _ask(ledger: Store, params: Mapping[str, Any], check_mode: bool) -> tuple[Entry, Entry]:
    """What the run that holds the lock does; each look is its sign of life."""
    ledger.check_fence(params["fence"], remember=not check_mode)
    now = ledger.now()

    def change(entry: Optional[Entry]) -> Entry:
        found = _there(entry, ledger, params["release_id"])
        if params["state"] == "asked":
            question = {
                key: params[key] for key in ("name", "after", "approvers", "other_person", "text")
            }
            return approval.asked(
                found,
                {**question, "asked": lock.stamp(now), "until": lock.later(now, params["timeout"])},
            )
        if params["state"] == "withdrawn":
            return approval.withdrawn(found, params["name"], params["after"], lock.stamp(now))
        return found

    with ledger.guard(check_mode=check_mode):
        return ledger.amend(params["release_id"], change, check_mode=check_mode)


def _answer(ledger: Store, params: Mapping[str, Any], check_mode: bool) -> tuple[Entry, Entry]:
    """What somebody else does, without the lock, while the run that asks holds it."""
    answer = approval.Answer(
        yes=params["answer"],
        by=params["by"] or "unknown",
        reason=params["reason"],
        name=params["name"],
        groups=tuple(params["groups"]),
    )

    def change(entry: Optional[Entry]) -> Entry:
        found = _there(entry, ledger, params["release_id"])
        if found.get("ended") or not approval.open_questions(found):
            _tell_what_waits(ledger, found)
        now, lease = ledger.now(), ledger.lock_state().lease
        silent = None
        if lease is not None and lease.release_id == found["id"]:
            silent = (now - lock.parse(lease.heartbeat)).total_seconds()
        return approval.answered(found, answer, lock.stamp(now), silent)

    with ledger.guard(check_mode=check_mode):
        return ledger.amend(params["release_id"], change, check_mode=check_mode)


def _tell_what_waits(ledger: Store, found: Entry) -> None:
    """Refuse an answer to a release that does not wait when another one does."""
    others = [e for e in ledger.entries()[0] if e["id"] != found["id"]]
    if not any(approval.open_questions(e) for e in others):
        return
    raise MainstayError(
        "this release waits for no approval, another one does",
        subject=f"release {found['id']}",
        found=f"{found['outcome']}; {approval.waiting_text(others)}",
        expected="the id of the release that waits",
        next_step="run again with -e release_id=<id>",
    )


def _there(entry: Optional[Entry], ledger: Store, release_id: str) -> Entry:
    if entry is None:
        raise MainstayError(
            "there is no such release",
            subject=f"release {release_id}",
            found=approval.waiting_text(ledger.entries()[0]),
            expected="the id of a release that waits for an approval",
            next_step="status.yml shows what waits",
        )
    return entry


def _entry(ledger: Store, release_id: str) -> Entry:
    return _there(ledger.entry(release_id), ledger, release_id)


def _last_changed(before: Entry, after: Entry) -> dict[str, Any]:
    pairs = zip(before["approvals"], after["approvals"])
    return next(new for old, new in pairs if old != new)


def _sentence(question: Mapping[str, Any], entry: Entry) -> str:
    text = f"approval {question['name']} of release {entry['id']}: {question['state']}"
    return f"{text} by {question['by']}" if question["by"] else text


def patient(
    ask: Callable[[str], dict[str, Any]],
    gone: type[Exception],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Callable[[str], dict[str, Any]]:
    """C(ask) for a long wait: lost contact (C(gone)) is no answer yet, while one would be taken.

    After L(approval.LISTENING) seconds answers are refused, so the run must not wait any longer.
    """
    heard = clock()

    def asked(state: str) -> dict[str, Any]:
        nonlocal heard
        try:
            found = ask(state)
        except gone:
            if state != "awaited" or clock() - heard > approval.LISTENING:
                raise
            sleep(PAUSE)
            return {"approval": {"state": approval.WAITING}}
        heard = clock()
        return found

    return asked


def await_answer(
    ask: Callable[[str], dict[str, Any]],
    timeout: float,
    say: Callable[[float], None],
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """The result of the last look: the question is answered or closed, or a look failed.

    C(ask) runs the module with a state; C(say) is told the seconds that are left, before anything
    else and then so often that never more than C(PROGRESS) seconds pass in silence. The time is
    that of this process, so no clock that is set on any host ends the wait or prolongs it.
    """
    begun = clock()
    shown: Optional[float] = None
    found = ask("asked")
    while "approval" in found and found["approval"]["state"] == approval.WAITING:
        now = clock()
        if now - begun >= timeout:
            return ask("withdrawn")
        # A look takes as long as the last one did: that must not be too late.
        if shown is None or now - shown >= PROGRESS - 1.5 * LOOK:
            shown = now
            say(max(0.0, timeout - (now - begun)))
        found = ask("awaited")
    return found
