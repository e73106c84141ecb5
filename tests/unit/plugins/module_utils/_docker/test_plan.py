# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planners of the release engine, over made-up hosts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._docker import journal, plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.journal import (
    Journal,
    Record,
    Retirement,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.request import Request
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    STORE,
    WORKER,
    Container,
    ServiceSpec,
    StoreSpec,
    container_name,
)

A, B, C = "20261121T010000Z-aaaaaa", "20261121T020000Z-bbbbbb", "20261121T030000Z-cccccc"
ORIGINS = (A, B, C)
API = ServiceSpec(
    name="api", kind="service", image="api:1", replicas=(1, 2), port=80, config_hash="x"
)
JOBS = ServiceSpec(name="jobs", kind=WORKER, image="jobs:1", config_hash="y")


def container(
    service: str, origin: str, number: int = 1, state: str = "running", kind: str = "service"
) -> Container:
    name = container_name("p", service, number, origin)
    return Container(name, state, "p", service, kind, origin, number, config="x")


def known(*releases: str, phase: str = journal.FINISHED) -> Journal:
    records = {r: Record(phase=phase, services={"api": API, "jobs": JOBS}) for r in releases}
    return Journal(releases=records)


def request(**more: object) -> Request:
    return replace(Request(platform="p", release_id=C), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("existing", "how"),
    [
        pytest.param(None, plan.CREATE, id="absent"),
        pytest.param(container("api", C), plan.ADOPT, id="runs-already"),
        pytest.param(container("api", C, state="created"), plan.REPLACE, id="half-made"),
        pytest.param(container("api", C, state="exited"), plan.REPLACE, id="ended"),
        pytest.param(replace(container("api", C), config="old"), plan.REPLACE, id="other-config"),
    ],
)
def test_new_replica(existing: Container | None, how: str) -> None:
    asked = request(services=(replace(API, replicas=(1,)),))
    found = plan.plan_replicas(asked, Journal(), [existing] if existing else [], {"api": ""})
    assert [r.how for r in found] == [how]


@pytest.mark.parametrize(
    ("state", "how"), [("running", plan.ADOPT), ("exited", plan.WAKE), (None, plan.CREATE)]
)
def test_going_back_uses_what_is_there(state: str | None, how: str) -> None:
    there = [container("api", A, n, state) for n in (1, 2)] if state else []
    asked = request(services=(API,), from_releases={"api": A})
    found = plan.plan_replicas(asked, known(A), there, {})
    assert [(r.how, r.origin) for r in found] == [(how, A)] * 2


def test_a_store_is_left_alone_unless_named() -> None:
    there = container("cache", A, kind=STORE)
    spec = StoreSpec("cache", "redis", "redis:7", 6379, config_hash="new")
    asked = request(stores=(spec,))
    left = plan.plan_stores(asked, [there], {"cache": ""})[0]
    assert (left.how, left.action()) == (plan.ADOPT, "")
    assert "left as it is" in left.warning
    named = plan.plan_stores(replace(asked, recreate_stores=("cache",)), [there], {"cache": ""})[0]
    assert named.how == plan.REPLACE


states = st.sampled_from(["running", "exited", "created"])
hosts = st.lists(
    st.builds(
        container,
        st.sampled_from(["api", "jobs", "cache"]),
        st.sampled_from(ORIGINS),
        st.integers(1, 2),
        states,
    ).map(lambda c: replace(c, kind={"cache": STORE, "jobs": WORKER}.get(c.service, c.kind))),
    unique_by=lambda c: c.name,
)
keeps = st.fixed_dictionaries({}, optional={n: st.sampled_from(ORIGINS) for n in ("api", "jobs")})


@given(hosts, keeps)
def test_a_revert_never_touches_what_is_kept_or_a_store(
    there: list[Container], keep: dict[str, str]
) -> None:
    back = plan.plan_back([B, C], keep, known(A, B, C, phase=journal.STAGED), there)
    for gone in (*back.remove, *back.stop):
        assert gone.kind != STORE
        assert keep.get(gone.service) != gone.origin
    kept = {c.name for c in there if c.kind != STORE and keep.get(c.service) == c.origin}
    assert {c.name for c in back.start} == {
        c.name for c in there if c.name in kept and not c.running
    }
    left = [c for c in there if c not in back.remove and c.kind != STORE]
    assert all(c.origin == A or c.name in kept for c in left)


@given(hosts, keeps, st.integers(0, 3), st.sampled_from([0.0, 600.0]))
def test_a_finish_keeps_what_serves_and_what_one_can_go_back_to(
    there: list[Container], keep: dict[str, str], retain: int, warm: float
) -> None:
    asked = request(keep=keep, retain=retain, keep_warm=warm)
    done = plan.plan_finish(asked, known(A, B, C), there, now=1000.0)
    touched = {*done.remove, *done.stop, *done.warm}
    assert all(c.kind != STORE and keep.get(c.service) != c.origin for c in touched)
    assert not {*done.remove} & {*done.stop, *done.warm}
    for service in ("api", "jobs"):
        left = {
            c.origin
            for c in there
            if c.service == service and c not in done.remove and keep.get(service) != c.origin
        }
        assert len(left) <= retain
    assert not set(keep.values()) & set(done.forget)


def test_what_served_last_is_retained_and_not_what_was_made_last() -> None:
    """Seen failing with the newest ids retained: B was made after A, and was gone back from.

    A served, B came and was left again for A, then C came: going back from C means A.
    """
    there = [container("api", A), container("api", B, state="exited"), container("api", C)]
    remembered = known(A, B, C)
    for origin in (A, B, A):
        remembered.serve({"api": origin})
    asked = request(keep={"api": C}, retain=1)
    done = plan.plan_finish(asked, remembered, there, now=0.0)
    assert [c.origin for c in done.remove] == [B]
    assert [c.origin for c in done.warm] == [A]
    assert done.forget == (B,)


def test_the_order_of_serving_is_kept_once_each_and_bounded() -> None:
    remembered = Journal()
    for number in range(journal.HISTORY + 5):
        remembered.serve({"api": f"r{number}"})
    remembered.serve({"api": "r50"})
    assert remembered.history["api"][:2] == ["r50", "r54"]
    assert len(remembered.history["api"]) == journal.HISTORY
    assert len(set(remembered.history["api"])) == journal.HISTORY
    assert remembered.serving == {"api": "r50"}


def test_what_is_warm_already_is_not_warmed_again_and_overdue_is_stopped() -> None:
    there = [container("api", A), container("api", B)]
    asked = request(keep={"api": B})
    remembered = known(A, B, C)
    first = plan.plan_finish(asked, remembered, there, now=0.0)
    assert [c.origin for c in first.warm] == [A]
    remembered.retiring = [Retirement("unit", 600.0, [there[0].name])]
    again = plan.plan_finish(asked, remembered, there, now=10.0)
    assert (again.warm, again.stop) == ((), ())
    late = plan.plan_finish(asked, remembered, there, now=601.0)
    assert [c.origin for c in late.stop] == [A]


def test_workers_are_replaced_one_by_one() -> None:
    spec = replace(JOBS, replicas=(1, 2))
    old = [container("jobs", A, n, kind=WORKER) for n in (1, 2)]
    new = [container("jobs", C, n, "created", WORKER) for n in (1, 2)]
    replicas = plan.plan_replicas(request(services=(spec,)), Journal(), [*old, *new], {"jobs": ""})
    pairs = plan.plan_workers(replicas, [*old, *new])
    assert [(o.replica, n.replica) for o, n in pairs if o and n] == [(1, 1), (2, 2)]
