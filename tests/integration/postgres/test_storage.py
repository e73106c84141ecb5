# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository in a bucket: damage is found, and a storage that is away is no damage."""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cluster import Cluster, begin_cluster
from object_storage import OTHER, Storage, certificate, storage


@dataclass
class Stored:
    """A cluster whose repository is in a bucket, in bundles."""

    cluster: Cluster
    storage: Storage
    metrics: pathlib.Path

    def findings(self, **more: object) -> dict[str, str]:
        """Kind and words of what is wrong; the module fails."""
        given = {"prove_archiving": False, "metrics_file": str(self.metrics), **more}
        answer = self.cluster.module("postgres_verify", backups=["all"], **given)
        assert answer.get("failed"), answer
        return {f["kind"]: f["found"] for f in answer["verification"]["findings"]}

    def objects(self, part: str) -> list[pathlib.Path]:
        """Files of the server whose path holds C(part)."""
        data = self.storage.folder / "data"
        return sorted(p for p in data.rglob("*") if part in str(p) and p.is_file())


@pytest.fixture(scope="module")
def stored() -> Iterator[Stored]:
    """One for all tests here, each of which leaves it as it was."""
    with storage() as made:
        options = made.options() + "\nrepo1-bundle=y\nrepo1-bundle-limit=64KiB"
        cluster = begin_cluster("pgbackrest", options)
        yield Stored(cluster, made, made.folder / "status.prom")
        cluster.remove()


@pytest.fixture(autouse=True)
def _open_door(stored: Stored) -> Iterator[None]:
    yield
    stored.storage.door.fault = stored.storage.door.only = ""
    stored.storage.door.show(stored.storage.pem)


def test_bundles_are_read_again(stored: Stored) -> None:
    stored.cluster.good("postgres_backup", state="marked", point="a")
    assert stored.cluster.good("postgres_verify", backups=["all"])["verification"]["ok"]
    bundle = max(stored.objects("/bundle/"), key=lambda p: p.stat().st_size)
    whole = bundle.read_bytes()
    try:
        data = bytearray(whole)
        data[len(data) // 2] ^= 1
        bundle.write_bytes(bytes(data))
        found = stored.findings()
        assert set(found) == {"backup_damaged", "no_backup"}
        assert "bundle/" in found["backup_damaged"]
    finally:
        bundle.write_bytes(whole)
    assert stored.cluster.good("postgres_verify", backups=["all"])["verification"]["ok"]


@pytest.mark.parametrize(
    ("fault", "only", "words"),
    [
        pytest.param("403", "", "", id="403 for all"),
        pytest.param("500", "", "", id="500 for all"),
        pytest.param("403", "/bundle/", "status 403", id="403 for some files"),
        pytest.param("500", "/bundle/", "status 500", id="500 for some files"),
        pytest.param("cut", "/archive/db/15-1/0", "", id="answers cut short"),
    ],
)
def test_a_storage_that_is_away_is_no_damage(
    stored: Stored, fault: str, only: str, words: str
) -> None:
    before = stored.cluster.good("postgres_backup_info")["backups"]["list"]
    stored.storage.door.fault, stored.storage.door.only = fault, only
    found = stored.findings()
    assert set(found) == {"unreachable"}, found
    assert words in found["unreachable"]
    assert "mainstay_backup_ok{" in stored.metrics.read_text()
    assert 'kind="unreachable"} 1' in stored.metrics.read_text()
    if not only:
        # pgBackRest itself lists nothing and ends with 0.
        assert "does not tell what is in it" in stored.cluster.bad("postgres_backup_info")
        assert "does not tell what is in it" in stored.cluster.bad("postgres_backup")
    stored.storage.door.fault = ""
    after = stored.cluster.good("postgres_backup_info")["backups"]["list"]
    assert [b["verified"] for b in after] == [b["verified"] for b in before]


def test_the_certificate_of_another(stored: Stored) -> None:
    folder = stored.storage.folder / "other"
    folder.mkdir(exist_ok=True)
    stored.storage.door.show(certificate(folder, OTHER))
    found = stored.findings()
    assert set(found) == {"unreachable"}
    shutil.rmtree(folder)


def test_a_restore_from_bundles(stored: Stored) -> None:
    stored.cluster.sql("insert into mark values (2)")
    stored.cluster.good("postgres_backup", state="marked", point="b")
    stored.cluster.kill()
    shutil.rmtree(stored.cluster.data)
    stored.cluster.restore()
    assert stored.cluster.sql("select max(id) from mark") == "2"
