# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events become plays, tasks, steps and counters."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._report.extract import Extract
from ansible_collections.mainstay.platform.plugins.module_utils._report.model import Run
from ansible_collections.mainstay.platform.plugins.module_utils._report.recorder import (
    Recorder,
    add_stats,
)

NOTHING = Extract()


def recorder() -> Recorder:
    """A recorder with one play."""
    made = Recorder(Run(playbook="x.yml", started=0.0))
    made.play("1/3 Preflight", 0.0)
    return made


def test_a_numbered_task_opens_a_step_and_the_next_ones_stay_in_it() -> None:
    made = recorder()
    for number, name in enumerate(["Look", "1/3 Check", "2/3 Lock", "Wait", "2/3 Heal", "3/3 End"]):
        made.task(str(number), name, "x.yml:1", "ping", 1.0)
    steps = [task.step for task in made.run.plays[0].tasks]
    assert steps == ["1/3 Preflight"] * 2 + ["2/3 Lock"] * 3 + ["3/3 End"]


def test_a_numbered_parent_names_the_step() -> None:
    made = recorder()
    made.task("a", "4/6 Start the prober", "x.yml:1", "ping", 1.0, "4/6 Switch")
    assert made.run.plays[0].tasks[0].step == "4/6 Switch"


def test_a_handler_that_runs_twice_is_two_tasks() -> None:
    made = recorder()
    for at in (1.0, 5.0):
        made.task("h", "Reload", "x.yml:1", "service", at)
        made.host_started("h", "app1", at)
        made.host_done("h", "app1", "changed", at + 1, NOTHING)
    assert [task.started for task in made.run.plays[0].tasks] == [1.0, 5.0]


def test_the_free_strategy_announces_a_task_once_a_host() -> None:
    made = recorder()
    for host in ("app1", "app2"):
        made.task("t", "Ping", "x.yml:1", "ping", 1.0)
        made.host_started("t", host, 1.0)
    assert len(made.run.plays[0].tasks) == 1


def test_the_watch_follows_the_hosts_and_ends_with_the_task() -> None:
    made = recorder()
    made.task("t", "Stage", "x.yml:1", "ping", 1.0)
    for host in ("app1", "app2"):
        made.host_started("t", host, 1.0)
    made.host_done("t", "app2", "ok", 2.0, NOTHING)
    watch = made.watch
    assert watch is not None
    assert (watch.waiting, watch.done) == (("app1",), ("app2",))
    made.host_done("t", "app1", "ok", 2.0, NOTHING)
    assert made.watch is None


def test_the_watch_falls_back_to_a_task_that_still_runs() -> None:
    made = recorder()
    for key in ("slow", "quick"):
        made.task(key, key, "x.yml:1", "ping", 1.0)
        made.host_started(key, f"host-{key}", 1.0)
    made.host_done("quick", "host-quick", "ok", 2.0, NOTHING)
    assert made.watch is not None
    assert made.watch.task == "slow"


def test_what_still_runs_at_the_end_was_interrupted() -> None:
    made = recorder()
    made.task("t", "Stage", "x.yml:1", "ping", 1.0)
    made.host_started("t", "app1", 1.0)
    run = made.finish(9.0, {}, interrupted=True)
    part = run.plays[0].tasks[0].hosts["app1"]
    assert (part.status, part.seconds) == ("interrupted", 8.0)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param(
            {"data": {"a": {"x": 1}}},
            {"data": {"a": {"y": 2}}},
            {"_run": {"a": {"x": 1, "y": 2}}},
            id="mappings merge",
        ),
        pytest.param({"data": {"a": 1}}, {"data": {"a": 2}}, {"_run": {"a": 3}}, id="numbers add"),
        pytest.param(
            {"data": {"a": 1}},
            {"data": {"a": 2}, "aggregate": False},
            {"_run": {"a": 2}},
            id="replaced",
        ),
        pytest.param(
            {"data": {"a": 1}},
            {"data": {"a": 2}, "per_host": True},
            {"_run": {"a": 1}, "app1": {"a": 2}},
            id="per host",
        ),
        pytest.param({"data": {"a": 1}}, {"data": None}, {"_run": {"a": 1}}, id="no data"),
    ],
)
def test_custom_stats(
    first: dict[str, Any], second: dict[str, Any], expected: dict[str, Any]
) -> None:
    custom: dict[str, Any] = {}
    add_stats(custom, first, "app1")
    add_stats(custom, second, "app1")
    assert custom == expected
