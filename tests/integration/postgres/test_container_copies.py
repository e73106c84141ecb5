# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of dumps in a real object storage, and a host that is lost with its dumps."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cluster import flip
from container_shop import Shop
from local_store import PLATFORM, STORE, arguments
from object_storage import WRITER_KEY, WRITER_SECRET, Storage, storage

from ansible_collections.mainstay.platform.plugins.module_utils._docker import (
    dump_away,
    dump_plan,
    dumping,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_away import (
    Repository,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_plan import Dump
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.bucket import Request
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.logical import digest
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.objects import (
    ObjectStore,
)

POLICY = {"daily": 1, "weekly": 0, "monthly": 0, "floor": 1}


class Copied(Shop):
    """A shop whose dumps are copied to a bucket, with the keys of a writer."""

    keys = ""

    def known(self, made: Storage, name: str = "far", below: str = "") -> Repository:
        """Adds to the file of the role; the repository as the modules see it."""
        bucket = made.writer().bucket
        item = {
            "name": name,
            "endpoint": f"{bucket.host}:{bucket.port}",
            "bucket": bucket.name,
            "region": bucket.region,
            "path": f"/{self.home.name}{below}",
            "path_style": True,
            "ca_file": bucket.ca_file,
            "access_key": WRITER_KEY,
            "secret_key": WRITER_SECRET,
        }
        path = self.home / "keys.json"
        before = json.loads(path.read_text())[STORE] if path.exists() else []
        path.write_text(json.dumps({STORE: [*before, item]}))
        self.keys = str(path)
        return dump_away.repositories(self.keys, PLATFORM, STORE)[-1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copied]:
    made = Copied(tmp_path_factory.mktemp("first"))
    yield made
    made.cluster.remove()


@pytest.fixture(scope="module")
def far() -> Iterator[Storage]:
    with storage() as made:
        yield made


@pytest.fixture
def shop(server: Copied, tmp_path: pathlib.Path) -> Iterator[Copied]:
    yield from server.emptied(tmp_path)  # type: ignore[misc]


@pytest.fixture
def copies(shop: Copied, far: Storage) -> Iterator[Repository]:
    yield shop.known(far)
    far.door.fault, far.door.only = "", ""


def labels(repository: Repository) -> list[str]:
    return [dump.label for dump in repository.dumps()]


def test_a_lost_host_gets_its_data_back_and_goes_on(shop: Copied, copies: Repository) -> None:
    first = shop.backup(repositories=shop.keys)
    label = first["backup"]["label"]
    assert first["actions"][-1] == f"copy {label} to far"
    assert labels(copies) == [label]
    shutil.rmtree(shop.home / "dumps")
    shop.cluster.sql("drop database shop")
    shop.cluster.sql("drop role keeper")
    plan = shop.restore(check=True, confirm="", repositories=shop.keys)
    assert f"fetch {label} from far" in plan["actions"]
    assert not (shop.home / "dumps" / label).exists()
    done = shop.restore(repositories=shop.keys)["restore"]
    assert done["label"] == label
    assert shop.sql("select count(*) from orders") == "2"
    second = shop.backup(repositories=shop.keys)["backup"]["label"]
    assert labels(copies) == [label, second]


def test_a_new_host_dumps_behind_the_copies_of_the_lost_one(
    shop: Copied, copies: Repository
) -> None:
    lost = [shop.backup(repositories=shop.keys)["backup"]["label"] for _number in range(2)]
    shutil.rmtree(shop.home / "dumps")
    made = shop.backup(repositories=shop.keys)["backup"]["label"]
    assert labels(copies) == [*lost, made]


@pytest.mark.parametrize("fault", ["403", "500", "cut"])
def test_a_storage_that_fails_costs_no_dump_and_gets_it_later(
    shop: Copied, copies: Repository, far: Storage, fault: str
) -> None:
    far.door.fault = fault
    with pytest.raises(MainstayError) as caught:
        shop.backup(repositories=shop.keys)
    words = str(caught.value)
    assert "not everywhere they should be" in words
    assert WRITER_SECRET not in words
    far.door.fault = ""
    found = shop.backup(repositories=shop.keys)
    assert sum(action.startswith("copy ") for action in found["actions"]) == 2
    assert len(labels(copies)) == 2
    assert shop.backup(state="verified", repositories=shop.keys)["verification"]


def test_a_damaged_copy_is_never_restored(shop: Copied, copies: Repository, far: Storage) -> None:
    label = shop.backup(repositories=shop.keys)["backup"]["label"]
    path = shop.home / "dumps" / label / "shop.dump"
    flip(path)
    key = f"{shop.home.name}/{PLATFORM}/{STORE}/{label}/shop.dump"
    far.root().call(Request("PUT", key, body=path.read_bytes()))
    shutil.rmtree(shop.home / "dumps")
    with pytest.raises(MainstayError, match="copy of a dump is damaged"):
        shop.restore(repositories=shop.keys)
    assert not [p for p in (shop.home / "dumps").iterdir() if p.is_dir()]
    assert shop.databases() == ["postgres", "shop"]


def test_the_second_region_is_taken_when_the_first_is_damaged(
    shop: Copied, copies: Repository, far: Storage
) -> None:
    second = shop.known(far, "second", "/second")
    label = shop.backup(repositories=shop.keys)["backup"]["label"]
    assert labels(copies) == labels(second) == [label]
    path = shop.home / "dumps" / label / "shop.dump"
    flip(path)
    key = f"{shop.home.name}/{PLATFORM}/{STORE}/{label}/shop.dump"
    far.root().call(Request("PUT", key, body=path.read_bytes()))
    shutil.rmtree(shop.home / "dumps")
    done = shop.restore(repositories=shop.keys)
    assert f"fetch {label} from second" in done["actions"]
    assert any(action.startswith("leave out far: the copy of a dump") for action in done["actions"])
    assert shop.sql("select count(*) from orders") == "2"


def test_a_fetch_that_was_killed_is_begun_again(shop: Copied, copies: Repository) -> None:
    label = shop.backup(repositories=shop.keys)["backup"]["label"]
    home = shop.home / "dumps"
    (home / label).rename(home / f".{label}.partial")
    assert shop.restore(repositories=shop.keys)["restore"]["label"] == label


def test_a_description_that_nobody_can_read_stops_no_other_copy(
    shop: Copied, copies: Repository, far: Storage
) -> None:
    taken = [shop.backup(repositories=shop.keys)["backup"]["label"] for _number in range(2)]
    key = f"{shop.home.name}/{PLATFORM}/{STORE}/{taken[1]}/dump.json"
    far.root().call(Request("PUT", key, body=b"{"))
    assert labels(copies) == taken[:1]
    shop.backup(repositories=shop.keys)
    assert labels(copies)[:2] == taken


def test_a_copy_that_is_not_complete_is_none_and_is_told(
    shop: Copied, copies: Repository, far: Storage
) -> None:
    label = shop.backup(repositories=shop.keys)["backup"]["label"]
    far.root().call(Request("DELETE", f"{shop.home.name}/{PLATFORM}/{STORE}/{label}/globals.sql"))
    assert labels(copies) == []
    with pytest.raises(MainstayError, match=f"{label}: no complete copy in far"):
        shop.backup(state="verified", repositories=shop.keys)
    shop.backup(repositories=shop.keys)
    assert label in labels(copies)


def test_copies_expire_by_the_same_rules(shop: Copied, copies: Repository) -> None:
    taken = [shop.backup(repositories=shop.keys)["backup"]["label"] for _number in range(3)]
    shop.backup(state="expired", retention=POLICY, repositories=shop.keys)
    assert labels(copies) == taken[-1:]


def test_what_stays_on_the_host_stays_elsewhere(shop: Copied, copies: Repository) -> None:
    taken = [shop.backup(repositories=shop.keys)["backup"]["label"] for _number in range(3)]
    policy = dump_plan.policy_of(POLICY)
    assert dumping._expired_there(copies, policy, taken[:1]) == taken[1:2]


def test_a_silent_storage_is_not_an_empty_one(
    shop: Copied, copies: Repository, far: Storage
) -> None:
    shop.backup(repositories=shop.keys)
    far.door.fault = "403"
    # What is here is restored all the same.
    plan = shop.restore(check=True, confirm="", repositories=shop.keys)
    assert any(action.startswith("leave out far") for action in plan["actions"])
    found = shop.info(repositories=shop.keys)["backups"]
    assert found["copies"] == {"far": []}
    assert found["silent"]["far"].startswith("far: the object storage refuses")
    with pytest.raises(MainstayError, match="far: the object storage refuses"):
        shop.backup(state="verified", repositories=shop.keys)
    with pytest.raises(MainstayError, match="refuses the request"):
        shop.restore(label="20200101T000000Z", repositories=shop.keys)
    shutil.rmtree(shop.home / "dumps")
    with pytest.raises(MainstayError, match="refuses the request"):
        shop.restore(repositories=shop.keys)


def test_a_large_file_goes_in_parts_and_comes_back_whole(
    shop: Copied, copies: Repository, far: Storage
) -> None:
    label = shop.backup()["backup"]["label"]
    home = shop.home / "dumps"
    large = home / label / "shop.dump"
    large.write_bytes(os.urandom(11 * 1024 * 1024 + 5))
    known: Dump = next(iter(dumping.read_dumps(str(home))))
    files = {**known.files, "shop.dump": digest(str(large))}
    size = sum(os.path.getsize(home / label / name) for name in files)
    made = replace(known, files=files, size=size)
    parts = Repository("far", STORE, ObjectStore(_bucket(shop, far)), part=5 * 1024 * 1024)
    before = far.door.count
    parts.put(str(home), made)
    # One to begin, three parts, one to end, beside the listing, the roles and the description.
    assert far.door.count - before >= 8
    shutil.rmtree(home / label)
    made = replace(made, label=label)
    parts.fetch(made, str(home))
    assert digest(str(large)) == files["shop.dump"]


def _bucket(shop: Copied, far: Storage) -> dump_away.Bucket:
    return replace(far.writer().bucket, root=f"/{shop.home.name}/parts")


def test_the_figures_name_every_repository(shop: Copied, copies: Repository, far: Storage) -> None:
    shop.backup(repositories=shop.keys)
    given = arguments(shop.home, "", repositories=shop.keys)
    path = shop.home / f"mainstay_{STORE}_far.prom"
    for fault, value in (("", "1"), ("403", "0")):
        far.door.fault = fault
        dumping.write_metrics(given, str(shop.home), fine=True)
        line = (
            f'mainstay_backup_ok{{platform="{PLATFORM}",store="{STORE}",repository="far"}} {value}'
        )
        assert line in path.read_text()


def test_a_file_of_the_role_that_is_not_there_is_said(shop: Copied) -> None:
    with pytest.raises(MainstayError, match="nothing is known of the repositories"):
        shop.backup(repositories=str(shop.home / "none.json"))
