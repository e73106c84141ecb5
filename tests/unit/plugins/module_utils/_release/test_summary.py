# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What failed is found wherever Ansible keeps it, also in the items of a loop."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._release import flow, summary


def verdict(name: str, outcome: str) -> dict[str, Any]:
    """The result of a gate task, or of one item of it."""
    found: dict[str, Any] = {"gate": {"name": name, "outcome": outcome}, "changed": False}
    if outcome != "passed":
        found.update(failed=True, msg=f"gate {name} {outcome}")
    return found


def loop(*items: dict[str, Any]) -> dict[str, Any]:
    """What Ansible keeps of a loop with a failed item."""
    return {"failed": True, "msg": "One or more items failed", "results": list(items)}


@pytest.mark.parametrize(
    ("results", "name", "outcome", "reason"),
    [
        pytest.param(
            {"app1": verdict("smoke", "held")}, "smoke", "held", "gate smoke held", id="one gate"
        ),
        pytest.param(
            {"app1": loop(verdict("errors", "passed"), verdict("queue", "held"))},
            "queue",
            "held",
            "gate queue held",
            id="undecided in a loop",
        ),
        pytest.param(
            {"app1": loop(verdict("errors", "held"), verdict("queue", "failed"))},
            "queue",
            "failed",
            "gate queue failed",
            id="failed after undecided in a loop",
        ),
        pytest.param(
            {"app1": verdict("edge app1", "held"), "app2": verdict("edge app2", "failed")},
            "edge app2",
            "failed",
            "gate edge app2 failed",
            id="failed on another host than undecided",
        ),
        pytest.param(
            {"app1": {"failed": True, "msg": "no space"}}, None, None, "no space", id="no gate"
        ),
        pytest.param(
            {"app1": {"failed": True, "msg": "broken", "results": [{"failed": False}]}},
            None,
            None,
            "broken",
            id="no item failed",
        ),
    ],
)
def test_what_failed(
    results: dict[str, Any], name: str | None, outcome: str | None, reason: str
) -> None:
    hosts = ["app1", "app2"]
    found = summary.first_failure(results, {}, hosts, hosts)
    assert found["reason"] == reason
    assert (found["gate"].get("name"), found["gate"].get("outcome")) == (name, outcome)


def test_every_verdict_of_a_failed_loop_is_kept() -> None:
    results = {"app1": loop(verdict("errors", "passed"), verdict("queue", "held"))}
    found = summary.first_failure(results, {}, ["app1"], ["app1"])
    assert [gate["name"] for gate in found["gates"]] == ["errors", "queue"]


def test_a_gate_of_a_loop_that_could_not_decide_holds_the_release() -> None:
    failure = summary.first_failure({"app1": loop(verdict("queue", "held"))}, {}, ["app1"], [])
    assert summary.outcome_of(failure, locked=True, reverted=True) == "held"


PLAN = flow.Plan(kind="deploy", strategy="rolling", previous="r1")


def document(**more: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "plan": PLAN,
        "platform_id": "demo-test",
        "release_id": "r2",
        "outcome": "deployed",
        "failure": None,
        "proof": None,
        "gates": [],
        "steps": [],
        "seconds": 1.0,
        "inventory": "inventories/demo",
        **more,
    }
    return summary.summarise(**facts)


FAILURE = {"step": "6/6 Finish (app1)", "reason": "no space", "gate": {}, "gates": []}


@pytest.mark.parametrize(
    ("facts", "good", "words"),
    [
        pytest.param({}, True, "is deployed", id="deployed"),
        pytest.param({"outcome": "planned"}, True, "is planned", id="planned"),
        pytest.param(
            {"failure": FAILURE}, False, "is deployed after 1.0 s, but its end failed", id="tidying"
        ),
        pytest.param(
            {"unclosed": ["the lock was not given back: gone"]},
            False,
            "the lock was not given back: gone; the next run heals it",
            id="unclosed",
        ),
        pytest.param(
            {"outcome": "rolled_back", "failure": FAILURE}, False, "was rolled back", id="back"
        ),
    ],
)
def test_a_run_is_good_only_when_its_end_is(facts: dict[str, Any], good: bool, words: str) -> None:
    """Seen failing with the outcome alone: a pipeline saw 0 for a lock that was left behind."""
    found = document(**facts)
    assert found["good"] is good
    assert words in "\n".join(found["summary"])


def test_what_of_the_end_failed() -> None:
    results = {
        "the prober was not stopped": {"failed": True, "msg": "gone\nmore"},
        "the record was not closed": {"skipped": True},
        "the lock was not given back": {"unreachable": True, "msg": "no route"},
        "nothing": {},
    }
    assert summary.unclosed(results) == [
        "the prober was not stopped: gone",
        "the lock was not given back: no route",
    ]
