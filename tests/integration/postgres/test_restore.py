# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a killed server to one that is proved: nothing overwritten, nothing lost that is there."""

from __future__ import annotations

import pathlib
import shutil
import time

import pytest
from cluster import PLATFORM, Cluster


def rows(cluster: Cluster) -> int:
    return int(cluster.sql("select count(*) from mark"))


def test_latest_after_kill_with_the_data_still_there(cluster: Cluster) -> None:
    """No commit is lost: the tail of the WAL comes from the old data directory."""
    cluster.sql("select pg_switch_wal()")
    for number in range(2, 30):
        cluster.sql(f"insert into mark values ({number})")
    cluster.kill()
    plan = cluster.good("postgres_restore", check=True)
    assert plan["restore"]["lost"]["seconds"] == 0.0
    found = cluster.restore(checks=[{"database": "postgres", "query": "select 1", "expect": "1"}])
    restore = found["restore"]
    assert rows(cluster) == 29
    assert restore["timeline"] == 2
    assert restore["archived_segment"] in cluster.archive()
    old = pathlib.Path(restore["old_directory"])
    assert (old / "PG_VERSION").exists()
    assert cluster.sql("select pg_is_in_recovery()") == "f"
    assert cluster.sql("show restore_command") == ""
    assert cluster.sql("show recovery_target_timeline") == "latest"
    # And what follows a restore: a new full, sound WAL on both timelines.
    cluster.good("postgres_backup")
    assert cluster.good("postgres_verify", backups=["all"])["verification"]["ok"]


def test_latest_with_the_data_directory_gone(cluster: Cluster) -> None:
    """Only what no segment had left the host with is lost."""
    cluster.sql("insert into mark values (2)")
    cluster.good("postgres_backup", state="marked", point="last-archived")
    cluster.sql("insert into mark values (3)")
    cluster.kill()
    shutil.rmtree(cluster.data)
    found = cluster.restore()
    assert cluster.sql("select max(id) from mark") == "2"
    assert found["restore"]["lost"]["seconds"] < 60
    assert found["restore"]["old_directory"] == ""


def test_undo_and_settle(cluster: Cluster) -> None:
    """Back to what was there, forward again from the right history, and then for good."""
    cluster.good("postgres_backup", state="marked", point="before")
    cluster.sql("insert into mark values (2)")
    cluster.restore("name:before")
    assert rows(cluster) == 1
    back = cluster.good("postgres_restore", state="undone", confirm=f"undo-{PLATFORM}")
    assert back["changed"]
    assert rows(cluster) == 2
    again = cluster.good("postgres_restore", state="undone", confirm=f"undo-{PLATFORM}")
    assert not again["changed"]
    # The timeline of the undone restore is not what anybody means by the latest.
    cluster.sql("insert into mark values (3)")
    assert cluster.restore()["restore"]["status"] == "done"
    assert rows(cluster) == 3
    cluster.good("postgres_restore", state="settled", confirm=f"settle-{PLATFORM}")
    assert not list(cluster.base.glob("main.before-*"))
    assert rows(cluster) == 3


def test_refused_before_anything_changes(cluster: Cluster) -> None:
    """Each mistake is refused, the server still runs, the directory is the same."""
    before = (cluster.data / "postmaster.pid").read_text()
    inode = cluster.data.stat().st_ino
    words = f"restore-{PLATFORM}"
    tries = [
        ({"confirm": None}, "the confirmation is missing"),
        ({"confirm": words}, "a server runs in"),
        ({"target": "2020-01-01 00:00:00+00"}, "before the end of the oldest backup"),
        ({"target": "2099-01-01 00:00:00+00"}, "in the future"),
        ({"target": "2026-10-25 02:30:00"}, "no time zone"),
        ({"backup": "20200101-000000F"}, "no usable backup"),
        ({"timeline": "7"}, "no timeline 7"),
        ({"checks": [{"query": "select 1"}]}, "the checks are not valid"),
    ]
    for change, expected in tries:
        arguments = {"confirm": words, **change}
        if expected != "a server runs in":
            arguments["stop_running"] = True
        assert expected in cluster.bad("postgres_restore", **arguments)
    assert (cluster.data / "postmaster.pid").read_text() == before
    assert cluster.data.stat().st_ino == inode
    assert [p.name for p in cluster.base.glob("main[.]*")] == []
    assert rows(cluster) == 1


def test_refused_places(native: Cluster) -> None:
    """A foreign cluster, a directory with other files, a link, a host that never held it."""
    words = f"restore-{PLATFORM}"
    native.stop()
    native.data.rename(native.base / "aside")
    native.data.mkdir()
    (native.data / "file").write_text("mine")
    assert "no PostgreSQL cluster" in native.bad("postgres_restore", confirm=words)
    assert (native.data / "file").read_text() == "mine"
    shutil.rmtree(native.data)
    native.data.symlink_to(native.base / "aside")
    assert "is a symbolic link" in native.bad("postgres_restore", confirm=words)
    native.data.unlink()
    native.initialise()
    assert "expected the same system identifier" in native.bad("postgres_restore", confirm=words)
    shutil.rmtree(native.data)
    shutil.rmtree(native.state)
    assert "never held this cluster" in native.bad("postgres_restore", confirm=words)
    assert native.restore(new_host=True)["restore"]["status"] == "done"
    assert rows(native) == 1


def test_a_backup_into_the_repository_of_another_cluster(native: Cluster) -> None:
    native.stop()
    shutil.rmtree(native.data)
    native.initialise()
    native.start()
    assert "belongs to another cluster" in native.bad("postgres_backup")


def test_a_failing_repository_is_not_the_end_of_the_wal(native: Cluster) -> None:
    """With the segment that is needed damaged, recovery stops instead of opening without it."""
    native.good("postgres_backup", state="marked", point="a")
    native.sql("insert into mark values (2)")
    native.good("postgres_backup", state="marked", point="b")
    newest = max(native.archive().items())[1]
    newest.write_bytes(b"not a segment")
    native.stop()
    message = native.bad("postgres_restore", confirm=f"restore-{PLATFORM}")
    assert "the server ended during recovery" in message
    native.good("postgres_restore", state="undone", confirm=f"undo-{PLATFORM}")
    native.start()
    assert rows(native) == 2


def test_a_time_after_the_last_commit(native: Cluster) -> None:
    """Nothing was written between the end of the WAL and the target: all of it is exact."""
    native.good("postgres_backup", state="marked", point="a")
    time.sleep(1.1)
    moment = native.sql("select to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS+00')")
    native.stop()
    assert native.restore(moment)["restore"]["status"] == "done"
    assert rows(native) == 1


def test_killed_undone_and_restored_again(native: Cluster) -> None:
    """A timeline that a killed restore began is not the latest once it is undone."""
    native.sql("insert into mark values (2)")
    native.stop()
    words = f"restore-{PLATFORM}"
    native.module("postgres_restore", confirm=words, kill_at="after-recovered")
    native.good("postgres_restore", state="undone", confirm=f"undo-{PLATFORM}")
    native.start()
    native.sql("insert into mark values (3)")
    native.restore()
    assert rows(native) == 3


@pytest.mark.parametrize("point", ["after-copied", "before-placed", "after-recovered"])
def test_killed_and_run_again(native: Cluster, point: str) -> None:
    native.sql("insert into mark values (2)")
    native.stop()
    killed = native.module("postgres_restore", confirm=f"restore-{PLATFORM}", kill_at=point)
    assert killed == {"killed": True}
    other = native.bad("postgres_restore", confirm=f"restore-{PLATFORM}", target="name:other")
    assert "another restore is not finished" in other
    assert native.restore()["restore"]["status"] == "done"
    assert rows(native) == 2
