# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock and the ledger in a cluster keep the contract of those in files."""

from __future__ import annotations

import datetime
import pathlib
import sys
import threading
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake_cluster import FakeCluster

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import engine, ledger
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ledger import (
    ClusterLedger,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import LockHeld
from ansible_collections.mainstay.platform.plugins.module_utils._release.locking import change_lock
from ansible_collections.mainstay.platform.plugins.module_utils._release.recording import (
    ask,
    record,
)


def place(cluster: FakeCluster) -> ClusterLedger:
    return ClusterLedger(cluster, "shop-test", "shop", clock=lambda: 0.0)


def asked(state: str = "acquired", **more: Any) -> dict[str, Any]:
    return {
        "state": state,
        "holder": "ada",
        "purpose": "deploy 1.0.0",
        "release_id": "r1",
        "ttl": 900.0,
        "fence": 0,
        "step": "",
        "takeover_of": None,
        "controller": {"pid": 1},
        **more,
    }


def take(cluster: FakeCluster, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = change_lock(place(cluster), asked(**more), check_mode=False).facts[
        "lock"
    ]
    return found


def test_take_renew_give_back() -> None:
    cluster = FakeCluster()
    fence = take(cluster)["fence"]
    lease = cluster.objects["leases", "shop", "mainstay-shop-test"]
    assert lease["spec"]["holderIdentity"] == "ada"
    assert lease["spec"]["leaseDurationSeconds"] == 900
    cluster.time += datetime.timedelta(seconds=60)
    renewed = take(cluster, state="renewed", fence=fence, step="switching")
    assert renewed["step"] == "switching"
    take(cluster, state="released", fence=fence)
    lease = cluster.objects["leases", "shop", "mainstay-shop-test"]
    assert "holderIdentity" not in lease["spec"]
    assert take(cluster, release_id="r2", controller={"pid": 2})["fence"] == fence + 1


def test_a_live_lock_is_refused_and_an_expired_one_taken_over() -> None:
    cluster = FakeCluster()
    fence = take(cluster)["fence"]
    other = {"holder": "bob", "release_id": "r2", "controller": {"pid": 2}}
    with pytest.raises(LockHeld, match="held by ada"):
        take(cluster, **other)
    cluster.time += datetime.timedelta(seconds=901)
    taken = take(cluster, **other)
    assert (taken["fence"], taken["taken_over_from"]) == (fence + 1, "r1")
    with pytest.raises(MainstayError, match="lost its lock"):
        take(cluster, state="renewed", fence=fence)


def test_check_mode_takes_nothing() -> None:
    cluster = FakeCluster()
    change_lock(place(cluster), asked(), check_mode=True)
    assert not cluster.objects


@pytest.mark.parametrize("left_over", [False, True])
def test_of_many_at_once_one_gets_it(left_over: bool) -> None:
    cluster = FakeCluster()
    if left_over:
        take(cluster, release_id="old", controller={"pid": 99})
        cluster.time += datetime.timedelta(seconds=901)
    start = threading.Barrier(8)
    won: list[int] = []
    refused: list[str] = []

    def one(number: int) -> None:
        here = place(cluster)
        state = here.lock_state()
        start.wait()
        wanted = {"holder": f"h{number}", "release_id": f"r{number}", "controller": {"pid": number}}
        try:
            here.lock_state = lambda: state  # type: ignore[method-assign]
            change_lock(here, asked(**wanted), check_mode=False)
            won.append(number)
        except MainstayError as error:
            refused.append(error.what)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1 and len(refused) == 7


def test_the_namespace_of_the_lock_is_one_that_the_release_may_bring() -> None:
    cluster = FakeCluster()
    take(cluster)
    manifests = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}]
    params = {"platform": "shop-test", "namespace": "shop", "release_id": "r1"}
    done = engine.release({**params, "manifests": manifests}, cluster, check=False, environment={})
    assert done.facts["release"]["outcome"] == "deployed"


def test_a_run_that_was_taken_over_can_release_nothing() -> None:
    cluster = FakeCluster()
    params = {"platform": "shop-test", "namespace": "shop", "manifests": []}
    fence = take(cluster)["fence"]
    engine.release({**params, "release_id": "r1", "fence": fence}, cluster, check=False)
    cluster.time += datetime.timedelta(seconds=901)
    take(cluster, release_id="r2", controller={"pid": 2})
    # The newer run has changed nothing yet.
    with pytest.raises(MainstayError, match="lost its lock"):
        engine.release({**params, "release_id": "r1", "fence": fence}, cluster, check=False)


def test_entries_are_written_found_and_forgotten() -> None:
    cluster = FakeCluster()
    fence = take(cluster)["fence"]
    params = {"platform": "shop-test", "fence": fence, "keep": 200, "unlock": False}
    entry = {"kind": "deploy", "who": "ada"}
    for number in (1, 2):
        cluster.time += datetime.timedelta(seconds=1)
        opened = {**params, "release_id": f"R{number}", "state": "started", "entry": entry}
        record(place(cluster), opened, check_mode=False)
    closed = {
        **params,
        "release_id": "R2",
        "state": "finished",
        "entry": {"outcome": "deployed", "committed": True},
    }
    record(place(cluster), {**closed, "unlock": True}, check_mode=False)
    facts = ask(place(cluster), {})
    assert [r["id"] for r in facts["releases"]] == ["R2", "R1"]
    assert facts["current"]["id"] == "R2" and not facts["lock"]["live"]
    place(cluster).remove("R1")
    assert place(cluster).entry("R1") is None


def test_what_is_no_entry_is_passed_over() -> None:
    cluster = FakeCluster()
    here = place(cluster)
    here.amend("r1", lambda _entry: {"id": "r1", "started": "x"})
    cluster.objects["configmaps", "shop", "mainstay-shop-test-entry-r1"]["data"]["entry"] = "?"
    found, warnings = here.entries()
    assert (found, len(warnings)) == ([], 1)
    assert "mainstay-shop-test-entry-r1: not an entry of this ledger" in warnings[0]


def test_a_lease_of_others_is_left_alone() -> None:
    cluster = FakeCluster()
    metadata = {"name": "mainstay-shop-test", "namespace": "shop"}
    cluster.create(
        ledger.LEASE,
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata},
    )
    with pytest.raises(MainstayError, match="not written by this collection"):
        take(cluster)


@pytest.mark.parametrize("there", [False, True], ids=["first write", "later write"])
def test_no_write_of_an_entry_is_lost(there: bool) -> None:
    """Somebody writes between the look and the write of this run; both writes must be there."""
    cluster = FakeCluster()
    here = place(cluster)
    if there:
        here.amend("r1", lambda _entry: {"id": "r1"})
    meddled: list[bool] = []

    def change(entry: Any) -> dict[str, Any]:
        if not meddled:
            meddled.append(True)
            place(cluster).amend("r1", lambda e: {**(e or {"id": "r1"}), "theirs": 1})
        return {**(entry or {"id": "r1"}), "ours": 1}

    before, after = here.amend("r1", change)
    assert before["theirs"] == 1
    assert here.entry("r1") == after == {"id": "r1", "theirs": 1, "ours": 1}


def test_an_entry_that_others_change_all_the_time() -> None:
    cluster = FakeCluster()
    counted: list[int] = []

    def change(entry: Any) -> dict[str, Any]:
        counted.append(1)
        theirs = {"id": "r1", "theirs": len(counted)}
        place(cluster).amend("r1", lambda _entry: theirs)
        return {"id": "r1", "ours": 1}

    with pytest.raises(MainstayError, match="changed by others all the time"):
        place(cluster).amend("r1", change)


def test_a_change_of_an_entry_in_check_mode_writes_nothing() -> None:
    cluster = FakeCluster()
    _before, after = place(cluster).amend("r1", lambda _entry: {"id": "r1"}, check_mode=True)
    assert after == {"id": "r1"} and place(cluster).entry("r1") is None
