# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release asks, waits, and takes an answer only from who may give it, only while it waits."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release import (
    approval,
    approving,
    lock,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Ledger
from ansible_collections.mainstay.platform.plugins.module_utils._release.locking import change_lock
from ansible_collections.mainstay.platform.plugins.module_utils._release.recording import record

COMMON: dict[str, Any] = {
    "platform": "demo-test",
    "name": "go-live",
    "after": "staged",
    "timeout": 60.0,
    "approvers": [],
    "other_person": False,
    "text": "",
    "look": 0.0,
    "answer": None,
    "reason": "",
    "by": "",
    "groups": [],
}


@pytest.fixture
def ledger(tmp_path: pathlib.Path) -> Ledger:
    """A ledger in which release r1, started by ada, is at work."""
    found = Ledger("demo-test", str(tmp_path))
    begin(found, "r1")
    return found


def begin(ledger: Ledger, release_id: str) -> int:
    """Take the lock and open the record; the counter."""
    wanted: dict[str, Any] = {
        "state": "acquired",
        "release_id": release_id,
        "purpose": "deploy",
        "holder": "ada",
        "controller": {},
        "ttl": 900,
        "takeover_of": None,
        "fence": 0,
        "step": "",
    }
    fence = int(change_lock(ledger, wanted, check_mode=False).facts["lock"]["fence"])
    opening = {"platform": "demo-test", "release_id": release_id, "fence": fence, "keep": 10}
    record(ledger, {**opening, "state": "started", "entry": {"who": "ada"}}, check_mode=False)
    return fence


def call(ledger: Ledger, state: str, check_mode: bool = False, **more: Any) -> dict[str, Any]:
    """The module."""
    params = {**COMMON, "release_id": "r1", "fence": ledger.lock_state().fence, **more}
    done = approving.change_approval(ledger, {**params, "state": state}, check_mode=check_mode)
    return done.as_dict()


def finish(ledger: Ledger, outcome: str = "rolled_back") -> None:
    """Close the record and give the lock back."""
    closing = {"platform": "demo-test", "release_id": "r1", "fence": ledger.lock_state().fence}
    record(
        ledger,
        {**closing, "state": "finished", "entry": {"outcome": outcome}, "unlock": True},
        check_mode=False,
    )


@pytest.mark.parametrize(
    ("after", "steps", "expected"),
    [
        pytest.param("staged", ["a", "b"], ["staged"], id="staged"),
        pytest.param("first", ["a", "b"], ["a"], id="first"),
        pytest.param("each", ["a", "b"], ["a", "b"], id="each"),
        pytest.param("last", ["a", "b"], ["b"], id="last"),
        pytest.param("last", [], ["staged"], id="never left out"),
        pytest.param("each", [], ["staged"], id="never left out either"),
    ],
)
def test_when_it_is_asked(after: str, steps: list[str], expected: list[str]) -> None:
    due = approval.due([{"name": "x", "after": after}], steps)
    assert [step for step, many in due.items() if many] == expected
    assert all(many[0]["after"] == step for step, many in due.items() if many)


@pytest.mark.parametrize(("answer", "state"), [(True, "approved"), (False, "refused")])
def test_an_answer_reaches_the_run(ledger: Ledger, answer: bool, state: str) -> None:
    assert call(ledger, "asked")["approval"]["state"] == "waiting"
    said = call(ledger, "answered", name="", answer=answer, by="bob", reason="fine")
    assert said["changed"]
    seen = call(ledger, "awaited")["approval"]
    assert (seen["state"], seen["by"], seen["reason"]) == (state, "bob", "fine")


def test_asking_again_asks_once(ledger: Ledger) -> None:
    assert call(ledger, "asked")["changed"]
    assert not call(ledger, "asked")["changed"]
    assert len((ledger.entry("r1") or {})["approvals"]) == 1


def test_a_look_stays_until_the_answer_is_there(ledger: Ledger) -> None:
    call(ledger, "asked")
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            call(ledger, "answered", answer=True, by="bob")

    params = {**COMMON, "release_id": "r1", "fence": ledger.lock_state().fence, "look": 1e9}
    done = approving.change_approval(
        ledger, {**params, "state": "awaited"}, check_mode=False, clock=lambda: 0.0, sleep=nap
    )
    assert (done.facts["approval"]["state"], len(naps)) == ("approved", 3)


def test_looking_keeps_the_lock(ledger: Ledger) -> None:
    call(ledger, "asked")
    before = ledger.lock_state().lease
    call(ledger, "awaited")
    after = ledger.lock_state().lease
    assert before is not None and after is not None
    assert after.heartbeat > before.heartbeat and after.expires > before.expires


def test_the_first_answer_stands(ledger: Ledger) -> None:
    call(ledger, "asked")
    call(ledger, "answered", answer=False, by="bob")
    with pytest.raises(MainstayError, match="go-live after staged was refused by bob"):
        call(ledger, "answered", answer=True, by="eve")
    assert call(ledger, "withdrawn")["approval"]["state"] == "refused"


def test_silence_is_final(ledger: Ledger) -> None:
    call(ledger, "asked")
    assert call(ledger, "withdrawn")["approval"]["state"] == "unanswered"
    with pytest.raises(MainstayError, match="nothing waits for this answer"):
        call(ledger, "answered", answer=True, by="bob")


@pytest.mark.parametrize(
    ("question", "answer", "text"),
    [
        pytest.param({"approvers": ["bob"]}, {"by": "eve"}, "somebody else's", id="not named"),
        pytest.param({"approvers": ["@ops"]}, {"by": "eve", "groups": ["dev"]}, "somebody", id="x"),
        pytest.param({"approvers": ["@ops"]}, {"by": "ops"}, "somebody", id="a user is no group"),
        pytest.param({"other_person": True}, {"by": "ada"}, "does not approve it", id="self"),
    ],
)
def test_who_may_not(
    ledger: Ledger, question: dict[str, Any], answer: dict[str, Any], text: str
) -> None:
    call(ledger, "asked", **question)
    with pytest.raises(MainstayError, match=text):
        call(ledger, "answered", answer=True, **answer)
    assert call(ledger, "awaited")["approval"]["state"] == "waiting"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        pytest.param({"approvers": ["bob"]}, {"answer": True, "by": "bob"}, id="named"),
        pytest.param(
            {"approvers": ["@ops"]}, {"answer": True, "by": "b", "groups": ["ops"]}, id="group"
        ),
        pytest.param({"other_person": True}, {"answer": True, "by": "bob"}, id="another"),
        pytest.param({"other_person": True}, {"answer": False, "by": "ada"}, id="own no"),
    ],
)
def test_who_may(ledger: Ledger, question: dict[str, Any], answer: dict[str, Any]) -> None:
    call(ledger, "asked", **question)
    assert call(ledger, "answered", **answer)["changed"]


def test_another_release_is_refused_with_what_waits(ledger: Ledger) -> None:
    call(ledger, "asked")
    with pytest.raises(MainstayError, match="release r1 waits for go-live after staged"):
        call(ledger, "answered", release_id="r0", answer=True, by="bob")


def test_a_finished_release_is_refused(ledger: Ledger) -> None:
    call(ledger, "asked")
    finish(ledger)
    with pytest.raises(MainstayError, match="the release is over"):
        call(ledger, "answered", answer=True, by="bob")


def test_a_finished_release_is_refused_with_the_one_that_waits(ledger: Ledger) -> None:
    call(ledger, "asked")
    finish(ledger)
    begin(ledger, "r2")
    call(ledger, "asked", release_id="r2")
    with pytest.raises(MainstayError, match="release r2 waits for go-live after staged"):
        call(ledger, "answered", answer=True, by="bob")


def test_another_approval_than_the_one_that_waits_is_refused(ledger: Ledger) -> None:
    call(ledger, "asked")
    with pytest.raises(MainstayError, match="waits for go-live after staged"):
        call(ledger, "answered", name="money", answer=True, by="bob")


def test_an_answer_that_nobody_hears_is_refused(ledger: Ledger) -> None:
    call(ledger, "asked")
    state = ledger.lock_state()
    ledger.write_lock(lock.release(state, state.fence))
    with pytest.raises(MainstayError, match="does not hold the lock"):
        call(ledger, "answered", answer=True, by="bob")


def test_a_run_that_was_killed_hears_nothing() -> None:
    question = {"name": "x", "after": "staged", "state": "waiting", "by": ""}
    entry = {"id": "r1", "approvals": [question]}
    answer = approval.Answer(yes=True, by="bob")
    assert approval.answered(entry, answer, "t", approval.LISTENING)["approvals"][0]["by"] == "bob"
    with pytest.raises(MainstayError, match="silent for 61 s"):
        approval.answered(entry, answer, "t", 61.0)


def test_a_run_that_lost_its_lock_asks_nothing(ledger: Ledger) -> None:
    ledger.remember_fence(ledger.lock_state().fence + 1)
    with pytest.raises(MainstayError, match="lost its lock"):
        call(ledger, "asked")


def test_check_mode_answers_nothing(ledger: Ledger) -> None:
    call(ledger, "asked")
    assert call(ledger, "answered", check_mode=True, answer=True, by="bob")["changed"]
    assert call(ledger, "awaited")["approval"]["state"] == "waiting"


def test_the_run_does_not_hand_answers_in_with_its_record(ledger: Ledger) -> None:
    part = {"platform": "demo-test", "release_id": "r1", "fence": ledger.lock_state().fence}
    call(ledger, "asked")
    with pytest.raises(MainstayError, match="sets this key itself"):
        record(ledger, {**part, "state": "running", "entry": {"approvals": []}}, check_mode=False)
    record(ledger, {**part, "state": "running", "entry": {"notes": ["x"]}}, check_mode=False)
    assert call(ledger, "awaited")["approval"]["state"] == "waiting"


@pytest.mark.parametrize(
    ("state", "outcome", "observed"),
    [
        ("approved", "passed", "approved by bob: fine"),
        ("refused", "failed", "refused by bob: fine"),
        ("unanswered", "held", "nobody answered within 60 s"),
    ],
)
def test_what_an_answer_means(state: str, outcome: str, observed: str) -> None:
    found = approval.judge({"state": state, "by": "bob", "reason": "fine"}, 60.0)
    assert (found.outcome, found.observed) == (outcome, observed)


class Wait:
    """A wait whose looks take C(look) seconds; the answer comes with look number C(answer)."""

    def __init__(self, look: float, answer: int) -> None:
        self.now, self.look, self.answer = 0.0, look, answer
        self.asked: list[str] = []
        self.said: list[float] = []

    def ask(self, state: str) -> dict[str, Any]:
        self.asked.append(state)
        self.now += self.look
        there = self.asked.count("awaited") >= self.answer
        state = "unanswered" if state == "withdrawn" else "approved" if there else "waiting"
        return {"approval": {"state": state}}

    def say(self, left: float) -> None:
        self.said.append(self.now)

    def go(self, timeout: float) -> dict[str, Any]:
        return approving.await_answer(self.ask, timeout, self.say, clock=lambda: self.now)


def test_a_wait_is_never_silent_for_long() -> None:
    wait = Wait(look=approving.LOOK + 1.5, answer=100)
    assert wait.go(1e9)["approval"]["state"] == "approved"
    gaps = [later - sooner for sooner, later in zip(wait.said, wait.said[1:], strict=False)]
    assert wait.said[0] <= approving.PROGRESS and max(gaps) <= approving.PROGRESS


def test_silence_ends_the_wait() -> None:
    wait = Wait(look=5.0, answer=1000)
    assert wait.go(60.0)["approval"]["state"] == "unanswered"
    assert wait.asked[-1] == "withdrawn" and 60.0 <= wait.now <= 75.0


def test_a_look_that_fails_ends_the_wait() -> None:
    found = approving.await_answer(lambda state: {"failed": True}, 60.0, lambda left: None)
    assert found == {"failed": True}


def test_a_short_loss_of_contact_ends_no_wait() -> None:
    """Seen failing without patience: one broken connection took a release back after an hour."""
    now = [0.0]

    def ask(state: str) -> dict[str, Any]:
        now[0] += 10.0
        if state == "awaited" and now[0] < 60.0:
            raise ConnectionError
        return {"approval": {"state": "waiting" if state == "asked" else "approved"}}

    asked = approving.patient(ask, ConnectionError, lambda: now[0], lambda seconds: None)
    found = approving.await_answer(asked, 1e9, lambda left: None, clock=lambda: now[0])
    assert found["approval"]["state"] == "approved"


@pytest.mark.parametrize("state", ["asked", "awaited", "withdrawn"])
def test_a_loss_of_contact_is_not_waited_for_longer_than_answers_are_taken(state: str) -> None:
    now = [0.0]

    def ask(_state: str) -> dict[str, Any]:
        now[0] += approval.LISTENING + 1 if state == "awaited" else 0
        raise ConnectionError

    asked = approving.patient(ask, ConnectionError, lambda: now[0], lambda seconds: None)
    with pytest.raises(ConnectionError):
        asked(state)
