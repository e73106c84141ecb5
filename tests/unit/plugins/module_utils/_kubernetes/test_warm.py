# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays warm, what goes at once, and what is taken back."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake_cluster import FakeCluster
from kubernetes_support import not_restricted
from test_engine import bring, config, deployment, look, secret

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import naming, warm
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

Manifest = dict[str, Any]


def version(track: str, number: str) -> list[Manifest]:
    return [
        config(f"settings-{number}", n=number),
        secret(f"keys-{number}", p=number),
        deployment(f"api-{track}", f"api:{number}"),
    ]


BLUE, GREEN = version("blue", "1"), version("green", "2")


def switched(seconds: float = 60.0) -> FakeCluster:
    """Two releases side by side, the first one left warm."""
    cluster = FakeCluster()
    bring(cluster, "r1", BLUE)
    bring(cluster, "r2", [*BLUE, *GREEN], prune=False)
    bring(cluster, "r2", GREEN, keep_warm=seconds)
    return cluster


def clock_of(cluster: FakeCluster) -> Manifest:
    (name,) = cluster.names("jobs")
    return cluster.objects["jobs", "shop", name]


def owners(cluster: FakeCluster, plural: str, name: str) -> list[str]:
    metadata = cluster.objects[plural, "shop", name]["metadata"]
    return [o["uid"] for o in metadata.get("ownerReferences", [])]


def test_what_the_release_before_had_belongs_to_the_clock() -> None:
    cluster = switched(59.2)
    clock = clock_of(cluster)
    mine = [clock["metadata"]["uid"]]
    for plural, name in (
        ("deployments", "api-blue"),
        ("configmaps", "settings-1"),
        ("secrets", "keys-1"),
    ):
        assert owners(cluster, plural, name) == mine
    for plural, name in (
        ("deployments", "api-green"),
        ("configmaps", "settings-2"),
        ("secrets", "keys-2"),
    ):
        assert owners(cluster, plural, name) == []
    assert clock["spec"]["ttlSecondsAfterFinished"] == 60


def test_the_clock_makes_no_pod_and_no_admission_rule_minds_it() -> None:
    spec = clock_of(switched())["spec"]
    assert (spec["completions"], spec["parallelism"]) == (0, 0)
    assert not_restricted(spec["template"]) == []
    assert spec["template"]["spec"]["containers"][0]["image"] == "api:1"


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_it_is_told_what_stays(seconds: float) -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", BLUE)
    bring(cluster, "r2", [*BLUE, *GREEN], prune=False)
    checked = bring(cluster, "r2", GREEN, keep_warm=seconds, check=True)
    done = bring(cluster, "r2", GREEN, keep_warm=seconds)
    assert checked["actions"] == done["actions"]
    verbs = {a.partition(" ")[0] for a in done["actions"]}
    assert verbs == ({"keep"} if seconds else {"remove"})
    assert len(done["release"]["warm"]) == (3 if seconds else 0)
    assert len(cluster.names("jobs")) == (1 if seconds else 0)


def test_a_second_call_leaves_the_clock_alone() -> None:
    cluster = switched()
    before = clock_of(cluster)["metadata"]["resourceVersion"]
    again = bring(cluster, "r2", GREEN, keep_warm=60.0)
    assert (again["changed"], again["actions"]) == (False, [])
    assert clock_of(cluster)["metadata"]["resourceVersion"] == before


def test_going_back_takes_what_was_warm_out_of_the_hands_of_the_clock() -> None:
    cluster = switched()
    cluster.calls.clear()
    bring(cluster, "r3", [], state="rolled_back", to="r1")
    assert owners(cluster, "deployments", "api-blue") == []
    assert owners(cluster, "configmaps", "settings-1") == []
    assert cluster.names("deployments") == {"api-blue"}
    assert cluster.names("jobs") == set(), "the clock has nothing to end"
    taken = cluster.calls.index("apply Deployment api-blue")
    ended = next(i for i, c in enumerate(cluster.calls) if c.startswith("delete Job"))
    assert taken < ended


def test_the_next_release_ends_what_is_older() -> None:
    cluster = switched()
    third = version("blue", "3")
    bring(cluster, "r3", [*GREEN, *third], prune=False)
    assert owners(cluster, "deployments", "api-blue") == [], "it is described again"
    bring(cluster, "r3", third, keep_warm=60.0)
    assert cluster.names("configmaps") == {"mainstay-shop-test", "settings-2", "settings-3"}
    assert clock_of(cluster)["metadata"]["name"] == warm.clock_name("shop-test", "r3")
    assert owners(cluster, "deployments", "api-green") == [clock_of(cluster)["metadata"]["uid"]]


def test_what_has_left_is_no_loss() -> None:
    cluster = switched()
    for place in list(cluster.objects):
        if place[0] == "jobs" or place[2] in ("api-blue", "settings-1", "keys-1"):
            del cluster.objects[place]
    assert look(cluster)["unready"] == []
    assert not bring(cluster, "r3", GREEN, check=True)["changed"]


def test_configuration_alone_does_not_stay() -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", version("blue", "1"))
    done = bring(cluster, "r2", version("blue", "2"), keep_warm=60.0)
    assert done["release"]["warm"] == [] and cluster.names("jobs") == set()
    assert "settings-1" not in cluster.names("configmaps")


def test_owners_that_somebody_takes_off_are_told() -> None:
    class Strict(FakeCluster):
        def apply(self, resource: Any, manifest: Manifest, **more: Any) -> Manifest:
            metadata = {k: v for k, v in manifest["metadata"].items() if k != "ownerReferences"}
            return super().apply(resource, {**manifest, "metadata": metadata}, **more)

    cluster = Strict()
    bring(cluster, "r1", BLUE)
    with pytest.raises(MainstayError, match="did not get its end"):
        bring(cluster, "r2", GREEN, keep_warm=60.0)


@pytest.mark.parametrize("platform", ["a", "a" * 63])
def test_the_name_of_a_clock_can_be_a_label(platform: str) -> None:
    assert naming.label(warm.clock_name(platform, "20261121T061500Z-1a2b3c")) == ""


class Dying(FakeCluster):
    """The Deployment C(api-blue) is being removed; with C(held) something never lets it go."""

    def __init__(self, held: bool) -> None:
        super().__init__()
        self.stays = held

    def apply(self, resource: Any, manifest: Manifest, **more: Any) -> Manifest:
        place = ("deployments", "shop", manifest["metadata"]["name"])
        found = self.objects.get(place, {})
        if not found.get("metadata", {}).get("deletionTimestamp") or more.get("dry_run"):
            return super().apply(resource, manifest, **more)
        if not self.stays:
            del self.objects[place]
        return found


def dying(held: bool) -> Dying:
    cluster = Dying(held)
    bring(cluster, "r1", BLUE)
    metadata = cluster.objects["deployments", "shop", "api-blue"]["metadata"]
    metadata.update(deletionTimestamp="2026-11-21T06:00:00Z", finalizers=["example.com/hold"])
    return cluster


def test_what_is_being_removed_is_made_anew() -> None:
    cluster = dying(held=False)
    done = bring(cluster, "r2", BLUE)
    assert done["actions"] == ["change Deployment shop/api-blue"]
    assert "deletionTimestamp" not in cluster.objects["deployments", "shop", "api-blue"]["metadata"]


def test_what_never_goes_is_told() -> None:
    with pytest.raises(MainstayError, match="still being removed") as told:
        bring(dying(held=True), "r2", BLUE, timeout=0.3)
    assert "example.com/hold" in str(told.value)
