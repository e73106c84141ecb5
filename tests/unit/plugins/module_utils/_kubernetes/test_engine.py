# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole releases on a cluster in memory: kills, losses, fences, and what comes after."""

from __future__ import annotations

import contextlib
import pathlib
import sys
import threading
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake_cluster import FakeCluster, refused

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    engine,
    history,
    info,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, no handler either."""


def config(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def deployment(name: str = "api", image: str = "api:1") -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}, "replicas": 1}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def bring(
    cluster: FakeCluster, release_id: str, manifests: list[Any], check: bool = False, **more: Any
) -> dict[str, Any]:
    params = {
        "platform": "shop-test",
        "namespace": "shop",
        "release_id": release_id,
        "manifests": manifests,
        "retain": 5,
        "timeout": 5.0,
        **more,
    }
    return engine.release(params, cluster, check=check, environment={}).as_dict()


def look(cluster: FakeCluster) -> dict[str, Any]:
    found: dict[str, Any] = info.look({"platform": "shop-test", "namespace": "shop"}, cluster).facts
    platform: dict[str, Any] = found["platform"]
    return platform


FIRST = [config("a", x="1"), secret("s", p="one"), deployment()]
SECOND = [config("a", x="2"), config("b", x="1"), secret("s", p="two"), deployment(image="api:2")]


def test_check_mode_writes_nothing_and_says_the_same() -> None:
    cluster = FakeCluster()
    checked = bring(cluster, "r1", FIRST, check=True)
    assert not cluster.objects
    assert {c.split()[0] for c in cluster.calls} == {"try"}
    done = bring(cluster, "r1", FIRST)
    assert checked["actions"] == done["actions"] and checked["changed"] and done["changed"]


def test_the_second_run_only_reads() -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", FIRST)
    cluster.calls.clear()
    requests = cluster.requests
    again = bring(cluster, "r2", FIRST)
    assert (cluster.calls, again["changed"], again["actions"]) == ([], False, [])
    assert again["release"]["release_id"] == "r1"
    # One for each object, and one for the record.
    assert cluster.requests - requests == len(FIRST) + 1


def test_everything_is_tried_before_anything_is_done() -> None:
    cluster = FakeCluster()

    def fail(verb: str, what: str) -> Optional[Exception]:
        bad = verb == "try" and what.split()[0] in ("ConfigMap", "Deployment")
        return refused(422, f"{what} is wrong") if bad else None

    cluster.fail = fail
    with pytest.raises(MainstayError, match="refuses 2 objects; nothing was changed"):
        bring(cluster, "r1", FIRST)
    assert not cluster.objects


def test_what_the_plan_can_tell_is_not_tried() -> None:
    """One dry run for each kind: whether the account may, and the namespace takes it."""
    cluster = FakeCluster()
    many = [config(f"c{n}", x="1") for n in range(40)] + [secret(f"s{n}", p="1") for n in range(40)]
    other = [config(f"c{n}", x="2") for n in range(40)] + [
        secret(f"s{n}", p="2") for n in range(40)
    ]
    for release_id, manifests in (("r1", many), ("r2", other)):
        cluster.calls.clear()
        requests = cluster.requests
        assert bring(cluster, release_id, manifests)["release"]["outcome"] == "deployed"
        assert [c for c in cluster.calls if c.startswith("try")] == [
            "try ConfigMap c0",
            "try Secret s0",
        ]
        assert cluster.requests - requests <= 80 + 12
    cluster.calls.clear()
    bring(cluster, "r3", many, check=True)
    assert len(cluster.calls) == 80, "whoever only wants to know gets to know all"


def test_the_names_are_written_before_anything_is_applied() -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", FIRST)
    first = next(i for i, c in enumerate(cluster.calls) if c.startswith("apply"))
    assert cluster.calls[:first][-2:] == [
        "create ConfigMap mainstay-shop-test",
        "create Secret mainstay-shop-test-r1",
    ]


def test_a_failure_while_applying_is_recorded_and_nothing_is_removed() -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", [*FIRST, config("old")])

    def fail(verb: str, what: str) -> Optional[Exception]:
        return refused(403, "denied") if (verb, what) == ("apply", "Deployment api") else None

    cluster.fail = fail
    with pytest.raises(MainstayError, match="Deployment shop/api: the cluster does not admit it"):
        bring(cluster, "r2", SECOND)
    cluster.fail = None
    known = look(cluster)
    assert (known["phase"], known["current"]) == ("failed", "r1")
    assert [(r["release_id"], r["outcome"]) for r in known["releases"]] == [
        ("r2", "failed"),
        ("r1", "deployed"),
    ]
    assert "old" in cluster.names("configmaps")
    # What the failed release had made is known, and goes with the way back.
    bring(cluster, "r3", [], state="rolled_back", to="r1")
    assert cluster.names("configmaps") == {"a", "old", "mainstay-shop-test"}
    assert (cluster.data("a"), cluster.plain("s", "p")) == ({"x": "1"}, "one")


def test_waiting_ends_when_it_is_ready() -> None:
    cluster = FakeCluster()
    cluster.held.add("api")
    threading.Timer(0.3, cluster.release, ["api"]).start()
    done = bring(cluster, "r1", FIRST)
    assert 0.2 < done["release"]["ready"]["Deployment shop/api"] < 3.0


def test_waiting_ends_when_the_time_is_over() -> None:
    cluster = FakeCluster()
    cluster.held.add("api")
    with pytest.raises(MainstayError, match="the time is over") as raised:
        bring(cluster, "r1", FIRST, timeout=0.01)
    assert "Deployment shop/api: availableReplicas 0 of 1" in raised.value.evidence
    assert look(cluster)["phase"] == "failed"


def test_another_run_at_the_same_time_is_found_out() -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", FIRST)

    def meddle(verb: str, what: str) -> Optional[Exception]:
        if verb == "try":  # between reading and the first write
            cluster.fail = None
            bring(cluster, "r2", [*FIRST, config("theirs")])
        return None

    cluster.fail = meddle
    with pytest.raises(MainstayError, match="another run changes this platform"):
        bring(cluster, "r3", SECOND)
    assert cluster.data("a") == {"x": "1"}
    assert look(cluster)["current"] == "r2"


def test_a_lower_counter_is_refused() -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", FIRST, fence=8)
    cluster.calls.clear()
    with pytest.raises(MainstayError, match="lost its lock"):
        bring(cluster, "r2", SECOND, fence=7)
    assert cluster.calls == []


def test_secret_values_are_in_no_result() -> None:
    cluster = FakeCluster()
    results = [bring(cluster, "r1", FIRST), bring(cluster, "r2", SECOND)]
    cluster.held.add("api")
    with pytest.raises(MainstayError) as raised:
        bring(cluster, "r3", FIRST, timeout=0.1)
    shown = str(results) + str(raised.value.as_dict()) + str(look(cluster))
    for value in ("b25l", "dHdv"):  # one, two
        assert value not in shown


def _all(cluster: FakeCluster) -> dict[Any, Any]:
    """Everything that was described, without what differs from run to run."""
    return {
        place: (o.get("data"), o.get("spec"))
        for place, o in cluster.objects.items()
        if "mainstay-shop-test" not in place[2]
    }


@given(st.integers(1, 40), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=80)
def test_a_kill_before_any_write_is_gone_on_from(
    number: int, lost_answer: bool, same: bool
) -> None:
    """Killed before its n-th write (or right after it, with the answer lost), a release is brought
    to its end by the same call, or taken back whole by the next one."""
    cluster = FakeCluster()
    cluster.parallel = 1
    bring(cluster, "r1", [*FIRST, config("old")])
    before = _all(cluster)
    expected = FakeCluster()
    bring(expected, "r2", SECOND)
    writes = 0
    original = cluster._store

    def fail(verb: str, what: str) -> Optional[Exception]:
        nonlocal writes
        if verb in ("apply", "create", "replace", "merge", "delete"):
            writes += 1
            if writes == number and not lost_answer:
                raise Killed
        return None

    def store(place: Any, manifest: Any, managers: Any = None) -> Any:
        done = original(place, manifest, managers)
        if writes >= number and lost_answer:
            raise Killed
        return done

    cluster.fail, cluster._store = fail, store  # type: ignore[method-assign]
    with contextlib.suppress(Killed):
        bring(cluster, "r2", SECOND)
    cluster.fail, cluster._store = None, original  # type: ignore[method-assign]
    if same:
        bring(cluster, "r2", SECOND)
        assert _all(cluster) == _all(expected)
    else:
        bring(cluster, "r3", [], state="rolled_back", to="r1")
        assert _all(cluster) == before
    assert look(cluster)["phase"] == "deployed"
    assert look(cluster)["working"] == ""


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6))
@settings(deadline=None, max_examples=40)
def test_rollbacks_in_any_order_end_at_what_is_stored(order: list[int]) -> None:
    cluster = FakeCluster()
    pictures = []
    for number in range(4):
        manifests = [config("a", x=str(number)), secret("s", p=f"p{number}")]
        manifests += [config(f"only-{number}"), deployment(f"d{number % 2}", f"api:{number}")]
        bring(cluster, f"r{number}", manifests, retain=99)
        pictures.append(_all(cluster))
    for step, number in enumerate(order):
        bring(cluster, f"back{step}", [], state="rolled_back", to=f"r{number}", retain=99)
        assert _all(cluster) == pictures[number]


def test_only_the_plan_that_was_agreed_to_is_done() -> None:
    cluster = FakeCluster()
    planned = bring(cluster, "", FIRST, state="planned")
    assert (planned["changed"], planned["release"]["outcome"]) == (False, "planned")
    with pytest.raises(MainstayError, match="not the one that was agreed to"):
        bring(cluster, "r1", SECOND, plan=planned["release"]["plan"])
    assert not cluster.objects
    assert bring(cluster, "r1", FIRST, plan=planned["release"]["plan"])["changed"]


def test_one_release_in_several_steps_is_one_record() -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", FIRST)
    bring(cluster, "r2", [*FIRST, config("staged")])
    done = bring(cluster, "r2", SECOND)
    assert done["release"]["previous"] == "r1"
    assert [(r["release_id"], r["previous"]) for r in look(cluster)["releases"]] == [
        ("r2", "r1"),
        ("r1", ""),
    ]
    bring(cluster, "r3", FIRST)
    bring(cluster, "r4", [], state="rolled_back", to="r2")
    assert (cluster.data("a"), cluster.names("configmaps")) == (
        {"x": "2"},
        {"a", "b", "mainstay-shop-test"},
    )


def test_a_step_that_is_smaller_leaves_no_part_of_the_larger_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "CHUNK", 100)
    cluster = FakeCluster()
    bring(cluster, "r1", [config(f"c{n}", x=str(n)) for n in range(9)])
    assert len(cluster.names("secrets")) > 2
    bring(cluster, "r1", [])
    assert len(cluster.names("secrets")) == look(cluster)["releases"][0]["parts"]
    bring(cluster, "r2", [], state="rolled_back", to="r1")


def test_a_rollback_runs_no_job_again() -> None:
    cluster = FakeCluster()
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate-1"}, "spec": {}}
    bring(cluster, "r1", [job, config("a", x="1")], wait=False)
    bring(cluster, "r2", [config("a", x="2")], wait=False)
    assert cluster.names("jobs") == set()
    bring(cluster, "r3", [], state="rolled_back", to="r1", wait=False)
    assert cluster.names("jobs") == set() and cluster.data("a") == {"x": "1"}


def test_a_write_whose_answer_was_lost_is_known_again() -> None:
    """The transport sends it a second time, and is told that the version is an old one."""
    cluster = FakeCluster()
    bring(cluster, "r1", FIRST)
    original = cluster.replace

    def twice(resource: Any, manifest: Any) -> Any:
        original(resource, manifest)
        return original(resource, manifest)

    cluster.replace = twice  # type: ignore[method-assign]
    assert bring(cluster, "r2", SECOND)["release"]["outcome"] == "deployed"


def test_what_is_taken_out_of_a_manifest_is_a_change() -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", [config("a", x="1", y="2")])
    assert bring(cluster, "r2", [config("a", x="1")])["actions"] == ["change ConfigMap shop/a"]
    assert cluster.data("a") == {"x": "1"}
