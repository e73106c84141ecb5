# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository that pgBackRest encrypts is read again whole, and restored from."""

from __future__ import annotations

import json
import pathlib
import shutil
from collections.abc import Iterator

import pytest
from cluster import Cluster, begin_cluster, flip

KEY = "only-for-this-test-0123456789"
OPTIONS = f"repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass={KEY}"
BUNDLES = f"{OPTIONS}\nrepo1-bundle=y\nrepo1-bundle-limit=64KiB"


@pytest.fixture(params=[OPTIONS, BUNDLES], ids=["files", "bundles"])
def sealed(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster whose repository is encrypted."""
    made = begin_cluster("pgbackrest", request.param)
    yield made
    made.remove()


def findings(cluster: Cluster) -> dict[str, str]:
    """Kind and subject of what is wrong; the module fails, and says no key."""
    answer = cluster.module("postgres_verify", backups=["all"], prove_archiving=False)
    assert answer.get("failed"), answer
    assert KEY not in json.dumps(answer)
    return {f["kind"]: f["subject"] for f in answer["verification"]["findings"]}


def largest(cluster: Cluster, part: str) -> pathlib.Path:
    files = [p for p in cluster.repo.rglob("*") if p.is_file() and part in str(p)]
    return max(files, key=lambda p: p.stat().st_size)


def test_it_is_read_again_and_restored(sealed: Cluster) -> None:
    for number in range(2):
        sealed.good("postgres_backup", state="marked", point=f"p{number}")
    seen = sealed.good("postgres_verify", backups=["all"])["verification"]
    assert seen["ok"]
    assert seen["verified"]
    sealed.sql("insert into mark values (2)")
    sealed.kill()
    sealed.restore()
    assert sealed.sql("select max(id) from mark") == "2"


def test_what_is_damaged_is_named(sealed: Cluster) -> None:
    for number in range(3):
        sealed.good("postgres_backup", state="marked", point=f"p{number}")
    sealed.stop()
    whole = sealed.base / "whole"
    shutil.copytree(sealed.repo, whole)
    archive = sealed.archive()
    segment = sorted(archive)[-2]
    backup = largest(sealed, "/bundle/" if list(sealed.repo.rglob("bundle")) else "/base/")
    manifest = next(sealed.repo.glob("backup/db/*F/backup.manifest"))
    spoiled = [(archive[segment], "wal_damaged"), (backup, "backup_damaged")]
    spoiled += [(manifest, "manifest_damaged")]
    for path, kind in spoiled:
        intact = path.read_bytes()
        flip(path)
        found = findings(sealed)
        assert kind in found, (path, found)
        assert kind != "wal_damaged" or found[kind] == segment
        path.write_bytes(intact)
