# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups on clusters in memory: taken, read back, listed, expired, and what is refused."""

from __future__ import annotations

import datetime
import json
import pathlib
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from backup_fakes import (
    CANARY,
    KEY,
    FakePostgres,
    MemoryBucket,
    StoresCluster,
    asked,
    deployed,
    repository,
)

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    backup_manifest,
    backup_take,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_manifest import (
    Listed,
    Manifest,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.retention import Policy


def _take(bucket: MemoryBucket, **more: Any) -> dict[str, Any]:
    params = asked(**more)
    found = backup_take.backup(
        params,
        more.pop("cluster", None) or deployed(),
        FakePostgres(),
        repository(bucket, params["encryption_key"] or ""),
    )
    return found.as_dict()


def test_a_backup_holds_objects_and_rows_and_is_read_back() -> None:
    bucket = MemoryBucket()
    found = _take(bucket)["backup"]
    assert (found["verified"], found["stores"], found["sealed"]) == (True, ["orders"], True)
    manifest = repository(bucket).manifest(found["label"])
    part = manifest.part("postgres", "orders")
    assert part is not None
    assert part.facts["rows"] == {"public.orders": 3}
    names = sorted(n.rpartition("/")[2] for n in bucket.objects)
    assert names == [
        "manifest.json",
        "objects.json",
        "orders.dump",
        "orders.roles.sql",
        "verified.json",
    ]
    assert all(n.startswith(f"base/shop-production/{found['label']}/") for n in bucket.objects)


def test_nothing_secret_can_be_read_in_the_bucket_or_the_result() -> None:
    bucket = MemoryBucket()
    result = _take(bucket)
    for text in (CANARY, KEY, "Y2FuYXJ5LTdmMzE"):
        assert text not in json.dumps(result)
        assert not any(text.encode() in data for data in bucket.objects.values())


def test_without_a_key_values_of_secrets_stay_in_the_cluster() -> None:
    with pytest.raises(MainstayError, match="encryption_key: missing"):
        _take(MemoryBucket(), encryption_key=None)
    bucket = MemoryBucket()
    _take(bucket, encryption_key=None, secrets="references", stores=[])
    objects = json.loads(bucket.objects[bucket.one("objects.json")])
    secret = next(m for m in objects["released"] if m["kind"] == "Secret")
    assert secret["data"] == {"password": ""}
    assert not any(b"Y2FuYXJ5LTdmMzE" in data for data in bucket.objects.values())


def test_two_backups_in_one_second_have_two_labels_and_an_order() -> None:
    bucket = MemoryBucket()
    first, second = _take(bucket)["backup"]["label"], _take(bucket)["backup"]["label"]
    assert first != second
    assert [e.label for e in repository(bucket).listed()] == [second, first]


def test_check_mode_writes_nothing() -> None:
    bucket = MemoryBucket()
    found = backup_take.backup(
        asked(), deployed(), FakePostgres(), repository(bucket), check=True
    ).as_dict()
    assert not bucket.objects
    assert "dump postgres orders from Pod shop/orders-0 (main)" in found["actions"]


def test_the_manifest_comes_last() -> None:
    bucket = MemoryBucket()

    def fail(verb: str, name: str) -> Any:
        gone = verb == "upload" and name.endswith(".dump")
        return MainstayError("500", subject=f"s3://b/{name}") if gone else None

    bucket.fail = fail
    with pytest.raises(MainstayError) as caught:
        _take(bucket)
    assert caught.value.subject.endswith("orders.dump")
    assert not [n for n in bucket.objects if n.endswith("manifest.json")]
    (listed,) = repository(bucket).listed()
    assert listed.problem == "no manifest: it was not finished"


def test_a_dump_that_ends_badly_makes_no_backup() -> None:
    bucket, postgres = MemoryBucket(), FakePostgres()
    postgres.break_at = "pg_dump -Fc"
    with pytest.raises(MainstayError, match="cannot be dumped"):
        backup_take.backup(asked(), deployed(), postgres, repository(bucket))
    assert not [n for n in bucket.objects if n.endswith("manifest.json")]


def test_a_dump_that_does_not_say_that_it_ended_makes_no_backup() -> None:
    class Silent(FakePostgres):
        def _dump(self, script: str, data: bytes, sink: Any) -> Any:
            done = super()._dump(script, data, sink)
            return type(done)(0, "", done.err.replace('{"dumped": true}', ""))

        def run(self, place: Any, script: str, **more: Any) -> Any:
            if "pg_dump -Fc" in script:
                return self._dump(script, b"", more["sink"])
            return super().run(place, script, **more)

    bucket = MemoryBucket()
    with pytest.raises(MainstayError, match="no word of its end"):
        backup_take.backup(asked(), deployed(), Silent(), repository(bucket))
    assert not [n for n in bucket.objects if n.endswith("manifest.json")]


def test_a_bucket_that_changes_what_it_is_given_is_found_out() -> None:
    class Lying(MemoryBucket):
        def upload(self, name: str, path: str) -> None:
            super().upload(name, path)
            self.objects[name] = self.objects[name][:-1] + b"\0"

    bucket = Lying()
    with pytest.raises(MainstayError, match="not whole") as caught:
        _take(bucket)
    assert "orders.dump" in str(caught.value)
    assert [e.verified for e in repository(bucket).listed()] == [False]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(lambda d: d[:-5], "orders.dump", id="truncated"),
        pytest.param(lambda d: d[:40] + bytes([d[40] ^ 8]) + d[41:], "orders.dump", id="bit"),
        pytest.param(lambda d: b"", "orders.dump", id="empty"),
    ],
)
def test_verifying_finds_what_was_spoiled_later(spoil: Any, says: str) -> None:
    bucket = MemoryBucket()
    _take(bucket)
    name = bucket.one("orders.dump")
    bucket.objects[name] = spoil(bucket.objects[name])
    with pytest.raises(MainstayError, match="not whole") as caught:
        _take(bucket, state="verified")
    assert says in str(caught.value)
    assert [e.verified for e in repository(bucket).listed()] == [False]


def test_what_is_not_sealed_is_held_by_its_checksums() -> None:
    bucket = MemoryBucket()
    open_one: dict[str, Any] = {"encryption_key": None, "secrets": "references"}
    _take(bucket, **open_one)
    name = bucket.one("orders.dump")
    bucket.objects[name] = bucket.objects[name].replace(b"3", b"4")
    with pytest.raises(MainstayError, match="not whole"):
        _take(bucket, state="verified", **open_one)


def test_a_part_that_is_gone_is_told_by_the_list() -> None:
    bucket = MemoryBucket()
    _take(bucket)
    del bucket.objects[bucket.one("orders.dump")]
    (entry,) = _take(bucket, state="expired")["backups"]
    assert (entry["verified"], entry["problem"]) == (False, "missing: orders.dump")


def test_a_manifest_that_was_changed_is_not_believed() -> None:
    bucket = MemoryBucket()
    label = _take(bucket)["backup"]["label"]
    name = bucket.one("manifest.json")
    bucket.objects[name] = bucket.objects[name].replace(b'"namespace": "shop"', b'"namespace": "x"')
    with pytest.raises(MainstayError, match="manifest was changed"):
        repository(bucket).manifest(label)
    # What was verified was another manifest.
    assert [e.verified for e in repository(bucket).listed()] == [None]


@pytest.mark.parametrize(
    ("key", "says"),
    [("another key altogether", "is not that of the backup"), ("", "no encryption key is given")],
)
def test_a_wrong_key_is_told_by_the_manifest(key: str, says: str) -> None:
    bucket = MemoryBucket()
    label = _take(bucket)["backup"]["label"]
    with pytest.raises(MainstayError, match=says) as caught:
        repository(bucket, key).manifest(label)
    assert caught.value.subject.endswith(f"{label}/manifest.json")


def test_an_unsealed_backup_is_not_taken_for_a_sealed_one() -> None:
    bucket = MemoryBucket()
    found = _take(bucket, encryption_key=None, secrets="references", stores=[])
    with pytest.raises(MainstayError, match="is not sealed"):
        repository(bucket).manifest(found["backup"]["label"])


@pytest.mark.parametrize(
    ("denied", "says"),
    [
        pytest.param(("create", "pods/exec"), "create pods/exec in namespace shop", id="exec"),
        pytest.param(("list", "secrets"), "list secrets in namespace shop", id="secrets"),
        pytest.param(("get", "statefulsets"), "get statefulsets.apps", id="sets"),
    ],
)
def test_a_missing_right_is_named_before_anything_is_written(
    denied: tuple[str, str], says: str
) -> None:
    bucket, cluster = MemoryBucket(), deployed()
    cluster.denied.add(denied)
    with pytest.raises(MainstayError, match="rights are missing") as caught:
        backup_take.backup(asked(), cluster, FakePostgres(), repository(bucket))
    assert any(says in line for line in caught.value.evidence)
    assert not bucket.objects


def _without_pod(cluster: StoresCluster) -> None:
    del cluster.objects["pods", "shop", "orders-0"]


def _foreign(cluster: StoresCluster) -> None:
    data = cluster.objects["configmaps", "shop", "mainstay-shop-production"]["data"]
    members = [m for m in json.loads(data["members"]) if m["name"] != "orders"]
    data["members"] = json.dumps(members)


def _gone(cluster: StoresCluster) -> None:
    del cluster.objects["statefulsets", "shop", "orders"]


def _fenced(cluster: StoresCluster) -> None:
    cluster.objects["configmaps", "shop", "mainstay-shop-production"]["data"]["fence"] = "9"


def _nothing(cluster: StoresCluster) -> None:
    cluster.objects.clear()


@pytest.mark.parametrize(
    ("spoil", "more", "says"),
    [
        pytest.param(_without_pod, {}, "the store does not run", id="no pod"),
        pytest.param(_foreign, {}, "belongs to somebody else", id="foreign store"),
        pytest.param(_gone, {}, "the store is not there", id="no store"),
        pytest.param(_fenced, {"fence": 8}, "does not hold the lock", id="lost lock"),
        pytest.param(_nothing, {}, "nothing of this platform is deployed", id="not deployed"),
    ],
)
def test_what_cannot_be_backed_up_is_refused_before_anything_is_written(
    spoil: Any, more: dict[str, Any], says: str
) -> None:
    bucket, cluster = MemoryBucket(), deployed()
    spoil(cluster)
    with pytest.raises(MainstayError, match=says):
        backup_take.backup(asked(**more), cluster, FakePostgres(), repository(bucket))
    assert not bucket.objects
    assert not cluster.calls


def test_what_was_never_finished_goes_after_a_day_and_not_before() -> None:
    bucket = MemoryBucket()
    left = "base/shop-production/20261101T000000Z-aaaaaa/objects.json"
    bucket.now -= datetime.timedelta(hours=23)
    bucket.put(left, b"x")
    bucket.now += datetime.timedelta(hours=23)
    _take(bucket)
    assert left in bucket.objects
    bucket.modified[left] -= datetime.timedelta(hours=2)
    actions = _take(bucket, state="expired")["actions"]
    assert actions == ["remove what is left of the unfinished backup 20261101T000000Z-aaaaaa"]
    assert left not in bucket.objects


def test_removing_begins_with_the_manifest() -> None:
    bucket = MemoryBucket()
    label = _take(bucket)["backup"]["label"]
    repository(bucket).expire(label)
    assert bucket.removed[0].endswith("manifest.json")
    assert not bucket.objects


def _listed(days: list[tuple[int, Any]]) -> list[Listed]:
    """(day by a clock that may jump, verified or not) in the order in which they were taken."""
    found = []
    start = datetime.datetime(2026, 1, 1, 2, tzinfo=datetime.timezone.utc)
    for number, (day, verified) in enumerate(days):
        moment = start + datetime.timedelta(days=day)
        label = backup_manifest.label_of(moment, f"{number:06x}")
        stamp = backup_manifest.stamp(moment)
        manifest = Manifest(label, "p", "n", stamp, stamp, number + 1)
        found.append(Listed(label, manifest, verified))
    return found


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-30, 400), st.sampled_from([True, False, None])), max_size=60),
    st.integers(1, 3),
)
def test_retention_never_takes_the_last_good_ones(days: list[Any], floor: int) -> None:
    listed = _listed(days)
    policy = Policy(daily=7, weekly=4, monthly=3, floor=floor, wal_days=0)
    gone = set(backup_manifest.expiring(listed, policy).expired)
    good = [e.label for e in listed if e.verified]
    assert not set(good[-floor:]) & gone
    assert not {e.label for e in listed if e.verified is None} & gone
    newest_of_day = {e.label[:8]: e.label for e in listed if e.verified}
    assert good == [] or good[-1] not in gone
    assert len(newest_of_day) == 0 or any(label not in gone for label in newest_of_day.values())


def test_old_ones_go_when_enough_newer_ones_are_good() -> None:
    listed = _listed([(day, True) for day in range(60)])
    policy = Policy(daily=7, weekly=0, monthly=0, floor=2, wal_days=0)
    assert len(backup_manifest.expiring(listed, policy).expired) == 53


def test_info_says_how_old_the_newest_verified_one_is() -> None:
    bucket = MemoryBucket()
    params = {**asked(), "max_age": 60.0}
    assert backup_take.look(params, repository(bucket)).facts["too_old"] is True
    label = _take(bucket)["backup"]["label"]
    facts = backup_take.look(params, repository(bucket)).facts
    assert [e["label"] for e in facts["backups"]] == [label]
    # The fake's clock is a fixed one, so today it is too old or not by the day of the test.
    assert facts["too_old"] is (facts["newest_age"] > 60.0)
    no_limit = backup_take.look({**asked(), "max_age": None}, repository(bucket)).facts
    assert no_limit["too_old"] is False


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        pytest.param("20261121T080000Z-ffffff", "there is no such backup", id="unknown"),
        pytest.param("", "there is no verified backup", id="none verified"),
    ],
)
def test_no_backup_to_choose_says_what_there_is(wanted: str, says: str) -> None:
    listed = _listed([(1, False), (2, None)])
    with pytest.raises(MainstayError, match=says) as caught:
        backup_manifest.choose(listed, wanted, "p")
    assert listed[0].label in caught.value.found


def test_the_newest_verified_one_is_chosen_whatever_the_clock_said() -> None:
    listed = _listed([(9, True), (3, True), (5, False)])
    assert backup_manifest.choose(listed, "", "p").label == listed[1].label
