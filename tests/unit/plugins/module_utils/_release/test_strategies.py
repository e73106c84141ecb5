# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategies: where traffic goes, step by step."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    CanaryStep,
    ReleasePolicy,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.strategies import (
    Fleet,
    Placement,
    batches,
    plan_switch,
    settled,
)

HOSTS = ["app1", "app2", "app3"]


def fleet(origin: str, port: int, names: tuple[str, ...] = ("api",), hosts: int = 3) -> Fleet:
    return {
        name: Placement(
            origin,
            {h: (f"10.0.0.{i}:{port + n}",) for i, h in enumerate(HOSTS[:hosts], 1)},
        )
        for n, name in enumerate(names)
    }


def shares(document: dict[str, Any], name: str = "api") -> dict[str, float]:
    return {g["release"]: g["share"] for g in document[name]["groups"]}


def addresses(document: dict[str, Any], name: str = "api") -> set[str]:
    return {m["address"] for g in document[name]["groups"] for m in g["members"]}


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param("1", [["app1"], ["app2"], ["app3"]], id="one"),
        pytest.param("2", [["app1", "app2"], ["app3"]], id="two"),
        pytest.param("9", [HOSTS], id="more than there are"),
        pytest.param("34%", [["app1"], ["app2"], ["app3"]], id="34 percent of three is one"),
        pytest.param("67%", [["app1", "app2"], ["app3"]], id="67 percent of three is two"),
        pytest.param("100%", [HOSTS], id="all"),
        pytest.param("1%", [["app1"], ["app2"], ["app3"]], id="never less than one"),
    ],
)
def test_batches(size: str, expected: list[list[str]]) -> None:
    assert batches(HOSTS, size) == expected


def test_rolling_moves_host_by_host_and_ends_settled() -> None:
    old, new = fleet("r1", 20000), fleet("r2", 21000)
    steps = plan_switch("rolling", ReleasePolicy(), old, new, HOSTS)
    assert [s.name for s in steps] == [
        "rolling 1 of 3: app1",
        "rolling 2 of 3: app2",
        "rolling 3 of 3: app3",
    ]
    assert shares(steps[0].upstreams) == {"r1": 66.667, "r2": 33.333}
    assert addresses(steps[0].upstreams) == {"10.0.0.1:21000", "10.0.0.2:20000", "10.0.0.3:20000"}
    assert steps[-1].upstreams == settled(new)


def test_rolling_skips_hosts_without_a_replica() -> None:
    old, new = fleet("r1", 20000, hosts=1), fleet("r2", 21000, hosts=1)
    steps = plan_switch("rolling", ReleasePolicy(), old, new, HOSTS)
    assert len(steps) == 1
    assert steps[0].upstreams == settled(new)


def test_blue_green_previews_then_switches_at_once() -> None:
    old, new = fleet("r1", 20000), fleet("r2", 21000)
    preview, switch = plan_switch("blue_green", ReleasePolicy(), old, new, HOSTS)
    assert shares(preview.upstreams) == {"r1": 100.0, "r2": 0.0}
    assert preview.upstreams["api"]["preview"] == {"header": "X-Mainstay-Preview", "release": "r2"}
    assert preview.preview and not preview.judge
    assert switch.upstreams == settled(new)


def test_canary_takes_the_shares_of_the_policy_and_is_sticky() -> None:
    policy = ReleasePolicy(canary=(CanaryStep(10.0, 30.0), CanaryStep(100.0)))
    steps = plan_switch("canary", policy, fleet("r1", 20000), fleet("r2", 21000), HOSTS)
    assert [(s.share, s.seconds) for s in steps] == [(10.0, 30.0), (100.0, 0.0)]
    assert shares(steps[0].upstreams) == {"r1": 90.0, "r2": 10.0}
    assert steps[0].upstreams["api"]["sticky"] == {"cookie": "mainstay_api", "max_age": 3600}
    assert steps[-1].upstreams["api"]["sticky"] is None


def test_canary_that_does_not_end_at_100_is_completed() -> None:
    policy = ReleasePolicy(canary=(CanaryStep(10.0),))
    steps = plan_switch("canary", policy, fleet("r1", 20000), fleet("r2", 21000), HOSTS)
    assert steps[-1].upstreams == settled(fleet("r2", 21000))


def test_the_first_release_goes_straight_to_its_place() -> None:
    for strategy in ("rolling", "blue_green", "canary", "flip"):
        steps = plan_switch(strategy, ReleasePolicy(), {}, fleet("r1", 20000), HOSTS)
        assert [s.upstreams for s in steps] == [settled(fleet("r1", 20000))]


def test_an_unchanged_service_keeps_its_group_in_every_step() -> None:
    web = fleet("r0", 30000, ("web",))
    old, new = {**fleet("r1", 20000), **web}, {**fleet("r2", 21000), **web}
    for strategy in ("rolling", "blue_green", "canary", "flip"):
        for step in plan_switch(strategy, ReleasePolicy(), old, new, HOSTS):
            assert step.upstreams["web"] == settled(web)["web"]


def test_no_change_needs_no_step() -> None:
    assert plan_switch("rolling", ReleasePolicy(), fleet("r1", 1), fleet("r1", 1), HOSTS) == []


def test_an_unknown_strategy_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(MainstayError) as caught:
        plan_switch("yolo", ReleasePolicy(), fleet("r1", 1), fleet("r2", 2), HOSTS)
    assert "rolling" in caught.value.expected


@given(
    strategy=st.sampled_from(["rolling", "blue_green", "canary", "flip"]),
    old_hosts=st.integers(1, 3),
    new_hosts=st.integers(1, 3),
    batch=st.sampled_from(["1", "2", "50%", "100%"]),
)
def test_every_step_serves_and_the_last_is_settled(
    strategy: str, old_hosts: int, new_hosts: int, batch: str
) -> None:
    old = fleet("r1", 20000, ("api", "web"), old_hosts)
    new = fleet("r2", 21000, ("api", "web"), new_hosts)
    steps = plan_switch(strategy, ReleasePolicy(batch=batch), old, new, HOSTS)
    assert steps[-1].upstreams == settled(new)
    known = set(old["api"].addresses()) | set(new["api"].addresses())
    for step in steps:
        groups = step.upstreams["api"]["groups"]
        assert abs(sum(g["share"] for g in groups) - 100.0) < 0.01
        assert all(g["members"] for g in groups)
        assert addresses(step.upstreams) <= known
