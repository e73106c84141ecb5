# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What spoils a restore is found before somebody needs it, with its name."""

from __future__ import annotations

import pathlib
import shutil

import pytest
from cluster import Cluster, flip


def findings(cluster: Cluster, **more: object) -> dict[str, str]:
    """Kind and subject of what is wrong; the module fails."""
    more.setdefault("prove_archiving", False)
    answer = cluster.module("postgres_verify", backups=["all"], **more)
    assert answer.get("failed"), answer
    return {f["kind"]: f["subject"] for f in answer["verification"]["findings"]}


def three_segments(cluster: Cluster) -> dict[str, pathlib.Path]:
    for number in range(3):
        cluster.good("postgres_backup", state="marked", point=f"p{number}")
    return cluster.archive()


def middle(archive: dict[str, pathlib.Path]) -> str:
    return sorted(n for n in archive if len(n) == 24)[-2]


def test_a_missing_segment(cluster: Cluster) -> None:
    archive = three_segments(cluster)
    name = middle(archive)
    archive[name].unlink()
    assert findings(cluster) == {"wal_missing": name}
    gaps = cluster.good("postgres_backup_info")["backups"]["gaps"]
    assert gaps == [name]
    cluster.kill()
    shutil.rmtree(cluster.data)
    message = cluster.bad("postgres_restore", confirm="restore-demo-test")
    assert f"WAL is missing between the backup and the target: {name}" in message
    assert not list(cluster.base.glob("main*.restoring*"))


def test_a_missing_segment_that_the_server_still_has(native: Cluster) -> None:
    """What the archive lost is taken from the running server before it is stopped."""
    archive = three_segments(native)
    archive[middle(archive)].unlink()
    native.sql("insert into mark values (2)")
    native.restore()
    assert native.sql("select max(id) from mark") == "2"


@pytest.mark.parametrize("how", ["truncated", "flipped"])
def test_a_damaged_segment(cluster: Cluster, how: str) -> None:
    archive = three_segments(cluster)
    name = middle(archive)
    if how == "flipped":
        # In the records: in the zeros behind them a changed bit may stand for the same zeros.
        flip(archive[name], 120)
    else:
        archive[name].write_bytes(archive[name].read_bytes()[:-100])
    assert findings(cluster) == {"wal_damaged": name}


def backup_file(cluster: Cluster, pattern: str) -> pathlib.Path:
    found = [p for p in (cluster.repo).rglob(pattern) if p.is_file() and p.stat().st_size > 200]
    assert found
    return max(found, key=lambda p: p.stat().st_size)


def test_a_bit_in_a_backup_and_retention_behind_it(cluster: Cluster) -> None:
    """The newest full is corrupt when retention runs: nothing good goes."""
    first = cluster.good("postgres_backup_info")["backups"]["list"][0]["label"]
    cluster.good("postgres_backup")
    newest = cluster.good("postgres_backup_info")["backups"]["list"][-1]["label"]
    place = next(p for p in cluster.repo.rglob(newest) if p.is_dir())
    table = max((p for p in place.rglob("base/*/*") if p.is_file()), key=lambda p: p.stat().st_size)
    flip(table)
    message = cluster.bad(
        "postgres_backup",
        state="expired",
        retention=dict.fromkeys(("daily", "weekly", "monthly", "wal_days"), 0) | {"floor": 1},
    )
    assert "nothing was removed" in message
    assert "backup_damaged" in findings(cluster)
    kept = cluster.good(
        "postgres_backup",
        state="expired",
        retention={"daily": 0, "weekly": 0, "monthly": 0, "floor": 1, "wal_days": 0},
    )["retention"]
    assert kept["expired"] == []
    assert first in kept["kept"]


def test_a_bit_in_the_lists(pgbackrest: Cluster) -> None:
    manifest = next(pgbackrest.repo.glob("backup/db/*F/backup.manifest"))
    flip(manifest, manifest.read_text().index('"checksum":"') + 14)
    assert set(findings(pgbackrest)) == {"record_damaged", "no_backup"}


def test_a_bit_in_the_manifest(native: Cluster) -> None:
    flip(next(native.repo.glob("db/backup/*F/data/backup_manifest")))
    assert set(findings(native)) == {"manifest_damaged", "no_backup"}


def test_what_retention_removes(cluster: Cluster) -> None:
    for _number in range(3):
        cluster.good("postgres_backup")
    before = [b["label"] for b in cluster.good("postgres_backup_info")["backups"]["list"]]
    policy = {"daily": 0, "weekly": 0, "monthly": 0, "floor": 2, "wal_days": 0}
    planned = cluster.good("postgres_backup", state="expired", retention=policy, check=True)
    assert planned["retention"]["expired"] == before[:2]
    assert len(cluster.good("postgres_backup_info")["backups"]["list"]) == 4
    cluster.good("postgres_backup", state="expired", retention=policy)
    after = cluster.good("postgres_backup_info")["backups"]
    assert [b["label"] for b in after["list"]] == before[2:]
    assert after["gaps"] == []
    assert cluster.good("postgres_verify", backups=["all"])["verification"]["ok"]
    assert not cluster.good("postgres_backup", state="expired", retention=policy)["changed"]


def test_backups_of_one_second_and_what_a_killed_one_left(native: Cluster) -> None:
    home = native.repo / "db" / "backup"
    (home / ".20200101-000000F" / "data").mkdir(parents=True)
    taken = [native.good("postgres_backup", verify=False)["backup"]["label"] for _number in "ab"]
    assert taken == sorted(set(taken))
    # A clock that was put back: the next one is the newest all the same.
    (home / taken[-1]).rename(home / "20380101-000000F")
    later = native.good("postgres_backup", verify=False)["backup"]["label"]
    assert later == "20380101-000001F"
    assert not list(home.glob(".*"))


COMMANDS = {"true": "/bin/true", "exit 126": "exit 126", "hanging": "sleep 1000"}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_an_archive_command_that_stores_nothing(native: Cluster, command: str) -> None:
    native.sql(f"alter system set archive_command = '{command}'")
    native.sql("select pg_reload_conf()")
    found = findings(native, prove_archiving=True, archive_timeout=3, wal=False)
    assert list(found) == ["archiving"]


def test_the_status_file(native: Cluster) -> None:
    path = native.base / "mainstay_backup_db.prom"
    native.good("postgres_verify", metrics_file=str(path))
    assert "mainstay_backup_ok{" in path.read_text()
    archive = three_segments(native)
    archive[middle(archive)].unlink()
    findings(native, metrics_file=str(path))
    text = path.read_text()
    labels = '{platform="demo-test",store="db",repository="local"}'
    assert f"mainstay_backup_ok{labels} 0" in text
    assert f"mainstay_backup_wal_missing_segments{labels} 1" in text


def test_dumps(native: Cluster) -> None:
    native.sql("create database shop")
    native.sql("create table orders (id int); insert into orders values (1)", "shop")
    backup = native.good("postgres_backup", type="logical", prove_restore=True)["backup"]
    assert backup["restored_tables"] == {"postgres": 1, "shop": 1}
    assert "mainstay_check" not in native.sql("select string_agg(datname, ',') from pg_database")
    assert backup["databases"] == ["postgres", "shop"]
    assert backup["verified"]
    (globals_file,) = native.repo.glob("db/logical/*/globals.sql")
    assert "CREATE ROLE" in globals_file.read_text()
    assert "databases cannot be dumped" in native.bad(
        "postgres_backup", type="logical", databases=["nothing"]
    )
