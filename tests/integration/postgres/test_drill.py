# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore on purpose that cannot reach production, and leaves nothing."""

from __future__ import annotations

import os

from cluster import Cluster


def test_drill(cluster: Cluster) -> None:
    scratch = cluster.base / "drill"
    check = {"database": "postgres", "query": "select max(id) from mark", "expect": "1"}
    cluster.good("postgres_backup", state="marked", point="a")
    before = set(cluster.archive())
    found = cluster.good("postgres_drill", scratch_directory=str(scratch), checks=[check])["drill"]
    assert found["ok"]
    assert {c["check"] for c in found["checks"]} >= {"amcheck", "checksums", check["query"]}
    assert not scratch.exists()
    assert set(cluster.archive()) == before
    assert cluster.sql("select max(id) from mark") == "1"
    seconds = cluster.good("postgres_backup_info")["backups"]["predicted_restore"]
    assert 0 < seconds < 60


def test_checks_run_without_a_network(native: Cluster) -> None:
    """All that the checks could reach the world through is the loopback of a network of its own."""
    query = (
        "select string_agg(trim(split_part(line, ':', 1)), ',') from regexp_split_to_table("
        "pg_read_file('/proc/self/net/dev'), '\n') line where line like '%:%'"
    )
    check = {"database": "postgres", "query": query, "expect": "lo"}
    found = native.module(
        "postgres_drill", scratch_directory=str(native.base / "drill"), checks=[check]
    )
    if os.geteuid() == 0:
        assert found["drill"]["isolated"], found
    else:
        assert "the drill failed" in found["msg"]  # the checks see the network of this machine


def test_drill_of_a_random_second(native: Cluster) -> None:
    native.good("postgres_backup", state="marked", point="a")
    scratch = str(native.base / "drill")
    assert native.good("postgres_drill", scratch_directory=scratch, target="random")["drill"]["ok"]


def test_a_failing_check_fails_the_drill_and_is_remembered(native: Cluster) -> None:
    scratch = native.base / "drill"
    check = {"database": "postgres", "query": "select 1", "expect": "2"}
    assert "the drill failed" in native.bad(
        "postgres_drill", scratch_directory=str(scratch), checks=[check]
    )
    assert not scratch.exists()
    assert native.good("postgres_backup_info")["backups"]["predicted_restore"] == -1.0


def test_refused_places(native: Cluster) -> None:
    inside, over = native.data / "drill", native.base
    for place in (native.data, inside, over):
        message = native.bad("postgres_drill", scratch_directory=str(place))
        assert "the drill was refused" in message
    assert native.sql("select 1") == "1"
