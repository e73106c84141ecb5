# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is the primary, and who becomes it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import topology


def seen(running: bool = True, recovery: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "exists": True,
        "running": running,
        "in_recovery": recovery,
        "standby": recovery,
        "system_identifier": "7",
        "received": "0/3000000" if recovery else None,
        "lsn": None if recovery else "0/3000000",
        "replication": [],
        **more,
    }


NOTHING = {"exists": False, "running": False}
HOSTS = ["db1", "db2", "db3"]


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ({}, "db1"),
        ({"db1": NOTHING, "db2": NOTHING}, "db1"),
        ({"db1": seen(), "db2": seen(recovery=True)}, "db1"),
        ({"db1": seen(recovery=True), "db2": seen()}, "db2"),
        ({"db1": seen(running=False), "db2": seen(recovery=True)}, "db1"),
        ({"db1": seen(running=False, standby=True), "db2": seen(running=False)}, "db2"),
        ({"db1": NOTHING, "db2": seen()}, "db2"),
    ],
    ids=["unknown", "new", "first", "second", "stopped", "stopped second", "new host first"],
)
def test_primary(observed: dict[str, Any], expected: str) -> None:
    assert topology.primary(observed, HOSTS) == expected


def test_two_that_write_are_refused() -> None:
    with pytest.raises(MainstayError, match="two servers write"):
        topology.primary({"db1": seen(), "db2": seen()}, HOSTS)


def test_a_primary_that_nobody_can_tell_is_refused() -> None:
    stopped = {"db1": seen(running=False), "db2": seen(running=False)}
    with pytest.raises(MainstayError, match="cannot be told"):
        topology.primary(stopped, HOSTS)
    with pytest.raises(MainstayError, match="cannot be told"):
        topology.primary({"db2": seen(recovery=True)}, HOSTS)


def test_the_replica_with_the_most_becomes_primary() -> None:
    observed = {
        "db1": seen(running=False),
        "db2": seen(recovery=True, received="0/FFFFFFF"),
        "db3": seen(recovery=True, received="1/0"),
    }
    assert topology.candidate(observed, HOSTS, "db1") == "db3"
    with pytest.raises(MainstayError, match="less than another"):
        topology.candidate(observed, HOSTS, "db1", "db2")
    observed["db2"]["received"] = "1/0"
    assert topology.candidate(observed, HOSTS, "db1") == "db2"
    assert topology.candidate(observed, HOSTS, "db1", "db3") == "db3"


def test_without_a_replica_that_runs_there_is_no_candidate() -> None:
    observed = {"db1": seen(running=False), "db2": seen(running=False, recovery=True)}
    with pytest.raises(MainstayError, match="no replica runs"):
        topology.candidate(observed, HOSTS, "db1")
    with pytest.raises(MainstayError, match="no replica that runs"):
        topology.candidate(observed, HOSTS, "db1", "db2")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (seen(replication=[{"application_name": "db2"}]), seen(recovery=True), ""),
        (seen(), seen(recovery=True), "does not stream"),
        (
            seen(lsn="0/9000000", replication=[{"application_name": "db2"}]),
            seen(recovery=True),
            "bytes behind",
        ),
        (
            seen(replication=[{"application_name": "db2"}]),
            seen(recovery=True, system_identifier="8"),
            "no copy",
        ),
    ],
    ids=["fit", "not streaming", "behind", "foreign"],
)
def test_what_stands_against_a_switch(old: dict[str, Any], new: dict[str, Any], words: str) -> None:
    found = topology.switch_problems({"db1": old, "db2": new}, "db1", "db2", 1 << 20)
    assert bool(found) is bool(words)
    assert words in " ".join(found)


def test_slots_have_names_that_postgresql_takes() -> None:
    assert topology.slot_name("DB-1.example.org") == "db_1_example_org"


def test_the_host_whose_data_is_gone_is_the_one_to_restore() -> None:
    gone = {**NOTHING, "configured": True, "standby": False}
    observed = {"db1": gone, "db2": seen(recovery=True)}
    assert topology.operated(observed, ["db1", "db2"]) == "db1"
    assert topology.operated(observed, ["db1", "db2"], "db2") == "db2"
    with pytest.raises(MainstayError, match="does not carry"):
        topology.operated(observed, ["db1", "db2"], "db9")


def test_nobody_guesses_which_of_two_hosts_to_restore() -> None:
    gone = {**NOTHING, "configured": True, "standby": False}
    observed = {"db1": gone, "db2": gone, "db3": seen(recovery=True)}
    with pytest.raises(MainstayError) as caught:
        topology.operated(observed, HOSTS)
    assert "restore_host" in caught.value.next_step


def test_a_switch_is_planned_only_while_the_primary_writes() -> None:
    streaming = seen(replication=[{"application_name": "db2"}])
    plan = topology.failover({"db1": streaming, "db2": seen(recovery=True)}, ["db1", "db2"])
    assert {**plan, "lost": plan["lost"]["seconds"]} == {
        "planned": True,
        "old": "db1",
        "new": "db2",
        "problems": [],
        "lost": 0.0,
    }
    stopped = {"db1": seen(running=False), "db2": seen(recovery=True)}
    plan = topology.failover(stopped, ["db1", "db2"])
    assert (plan["planned"], plan["old"], plan["new"]) == (False, "db1", "db2")
    assert plan["problems"] == []
    assert plan["lost"]["seconds"] == -1.0
    assert "after 0/3000000" in plan["lost"]["text"]
    plan = topology.failover(stopped, ["db1", "db2"], synchronous=True)
    assert plan["lost"]["text"].startswith("nothing that was acknowledged")


@pytest.mark.parametrize(
    ("old", "words"),
    [
        (seen(timeline=1), ""),
        (seen(running=False, timeline=1), ""),
        (NOTHING, ""),
        (seen(timeline=1, system_identifier="8"), "another cluster: 8, and db2 is 7"),
        (seen(running=False, timeline=3), "it is the newer primary"),
    ],
    ids=["came back and writes", "crashed", "data gone", "foreign", "ahead"],
)
def test_rejoining(old: dict[str, Any], words: str) -> None:
    plan = topology.rejoin({"db1": old, "db2": seen(timeline=2)}, ["db1", "db2"], "db1")
    assert (plan["old"], plan["new"]) == ("db1", "db2")
    assert (words in plan["problems"][0]) if words else plan["problems"] == []


@pytest.mark.parametrize(
    ("observed", "wanted", "words"),
    [
        ({"db1": seen(), "db2": seen(recovery=True)}, "db1", "none write"),
        ({"db1": seen(), "db2": seen(), "db3": seen()}, "db1", "db2, db3 write"),
        ({"db1": seen(), "db2": seen()}, "", "nobody carries no part"),
        ({"db2": seen()}, "db1", "cannot be reached"),
    ],
    ids=["the only primary", "two others", "not named", "away"],
)
def test_rejoining_is_refused(observed: dict[str, Any], wanted: str, words: str) -> None:
    assert words in "; ".join(topology.rejoin(observed, HOSTS, wanted)["problems"])


def test_a_primary_out_of_reach_may_still_write() -> None:
    observed = {"db2": seen(recovery=True)}
    plan = topology.failover(observed, ["db1", "db2"])
    assert "ops_fenced=true" in plan["problems"][0]
    assert topology.failover(observed, ["db1", "db2"], fenced=True)["problems"] == []


@pytest.mark.parametrize(
    ("have", "need", "expected"),
    [
        ("0/5000090", "0/5000028", True),
        ("0/5000028", "0/5000028", True),
        ("0/FFFFFFFF", "1/0", False),
        (None, "0/0", False),
        ("0/1", None, False),
        ("", "", False),
    ],
    ids=str,
)
def test_promotion_needs_everything_that_was_written(have: str, need: str, expected: bool) -> None:
    assert topology.reaches(have, need) is expected
