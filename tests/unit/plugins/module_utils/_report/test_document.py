# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON document: outcome, hosts, and what the release flow left."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._report.document import (
    document,
    iso,
)
from ansible_collections.mainstay.platform.plugins.module_utils._report.extract import Extract
from ansible_collections.mainstay.platform.tests.unit.plugins.module_utils._report import samples


def run(
    released: str = "",
    status: str = "ok",
    interrupted: bool = False,
    **counts: dict[str, int],
) -> dict[str, Any]:
    """A run of one task with C(status), a release outcome and Ansible's counters."""
    script = samples.Script()
    script.play("Only")
    script.task("Ping", {"app1": (status, 1.0)}, message="broken")
    if released:
        script.task("Stats", {"app1": ("ok", 0.0)}, found=samples.stats({"outcome": released}))
    finished = script.recorder.finish(script.now, counts, interrupted=interrupted)
    return document(finished)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, "ok", id="ok"),
        pytest.param({"status": "failed"}, "failed", id="failed"),
        pytest.param(
            {"status": "failed", "app1": {"rescued": 1, "failures": 0}}, "ok", id="rescued"
        ),
        pytest.param({"status": "unreachable"}, "unreachable", id="unreachable"),
        pytest.param({"status": "ignored"}, "ok", id="ignored"),
        pytest.param({"interrupted": True}, "interrupted", id="interrupted"),
        pytest.param({"released": "deployed"}, "deployed", id="deployed"),
        pytest.param(
            {"released": "deployed", "app1": {"failures": 1}}, "failed", id="failed after deployed"
        ),
        pytest.param(
            {"released": "rolled_back", "app1": {"failures": 1}}, "rolled_back", id="rolled back"
        ),
        pytest.param({"released": "held", "app1": {"failures": 1}}, "held", id="held"),
        pytest.param({"released": "refused", "app1": {"failures": 1}}, "refused", id="refused"),
    ],
)
def test_outcome(facts: dict[str, Any], expected: str) -> None:
    assert run(**facts)["outcome"] == expected


def test_document_is_json_and_complete() -> None:
    report = samples.deployed()
    assert json.loads(json.dumps(report)) == report
    assert report["schema"] == 1
    assert report["started"] == "2026-11-21T06:15:00.000Z"
    assert report["release"]["services"]["api"] == {"from": "1.0.0", "to": "1.1.0"}
    assert len(report["gates"]) == 6
    assert report["proof"]["requests"] == 12420
    assert report["next"][0].startswith("ansible-playbook status.yml")
    assert report["hosts"]["edge1"]["changed"] == 6


def test_times_are_relative_to_the_start_of_the_run() -> None:
    task = run()["plays"][0]["tasks"][0]
    assert (task["started"], task["seconds"]) == (0.3, 1.0)
    assert task["hosts"]["app1"]["started"] == 0.3


def test_a_gate_known_twice_is_listed_once() -> None:
    gate = {"name": "smoke", "outcome": "passed"}
    script = samples.Script()
    script.play("Only")
    script.task("Gate", {"app1": ("ok", 1.0)}, found=Extract(gates=(gate,)))
    late = samples.stats({}, gates=[gate, {"name": "late"}])
    script.task("Stats", {"app1": ("ok", 0.0)}, found=late)
    assert [known["name"] for known in script.document()["gates"]] == ["smoke", "late"]


def test_strange_stats_do_no_harm() -> None:
    script = samples.Script()
    script.play("Only")
    odd = Extract(
        stats=({"data": {"mainstay": {"gates": 7, "summary": "one\ntwo", "next": None}}},)
    )
    script.task("Stats", {"app1": ("ok", 0.0)}, found=odd)
    report = script.document()
    assert (report["gates"], report["summary"], report["next"]) == ([], ["one", "two"], [])


def test_iso() -> None:
    assert iso(samples.ZERO + 0.25) == "2026-11-21T06:15:00.250Z"
