# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What maintenance and pruning plan and say."""

from __future__ import annotations

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._release.upkeep import (
    maintenance_plan,
    maintenance_summary,
    prune_summary,
)

ONE_OF_TWO = {"edge1": {"maintenance": True}, "edge2": {"maintenance": False}}


@pytest.mark.parametrize(
    ("wanted", "edges"),
    [pytest.param(True, ["edge2"], id="on"), pytest.param(False, ["edge1"], id="off")],
)
def test_only_edges_that_differ_are_planned(wanted: bool, edges: list[str]) -> None:
    plan = maintenance_plan(ONE_OF_TWO, wanted)
    assert plan["edges"] == edges
    assert len(plan["steps"]) == 1
    assert not plan["nothing_to_do"]
    assert plan["before"] == {"edge1": True, "edge2": False}


def test_nothing_is_planned_when_all_edges_are_as_wanted() -> None:
    plan = maintenance_plan({"edge1": {"maintenance": True}}, True)
    assert plan["nothing_to_do"]
    assert plan["steps"] == []


@pytest.mark.parametrize(
    ("wanted", "outcome", "shown", "following"),
    [
        pytest.param(True, "switched", True, "off", id="switched on"),
        pytest.param(False, "switched", False, "on", id="switched off"),
        pytest.param(True, "unchanged", True, "off", id="was on"),
        pytest.param(True, "planned", False, "on", id="check mode"),
        pytest.param(True, "failed", False, "on", id="failed"),
    ],
)
def test_the_summary_says_what_is_shown_now_and_what_to_type(
    wanted: bool, outcome: str, shown: bool, following: str
) -> None:
    plan = maintenance_plan({"edge1": {"maintenance": not wanted}}, wanted)
    found = maintenance_summary(plan, "shop-production", "inventories/shop", outcome, "why")
    assert found["maintenance"]["shown"] is shown
    assert found["next"][0].endswith(f"-i inventories/shop -e ops_maintenance={following}")
    assert ("why" in found["summary"][0]) == (outcome == "failed")


@pytest.mark.parametrize("check", [False, True], ids=["run", "check mode"])
def test_the_summary_of_pruning_names_each_host(check: bool) -> None:
    pruned = {"app1": {"images": ["a", "b"], "freed_bytes": 3 * 2**20}, "app2": {"images": []}}
    found = prune_summary(pruned, "shop-production", "inventories/shop", check)
    assert found["prune"]["hosts"] == {
        "app1": {"images": 2, "freed_mib": 3.0},
        "app2": {"images": 0, "freed_mib": 0.0},
    }
    assert ("would be removed" in found["summary"][1]) is check
    assert ("docker_prune.yml" in found["next"][0]) is check
