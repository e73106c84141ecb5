# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease: one holder at a time, a counter that only grows."""

from __future__ import annotations

import contextlib
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import (
    Controller,
    Lease,
    LockHeld,
    LockState,
    acquire,
    describe,
    is_live,
    release,
    renew,
)

NOW = datetime.datetime(2026, 11, 21, 6, 0, tzinfo=datetime.timezone.utc)
TTL = 900.0


def later(seconds: float) -> datetime.datetime:
    return NOW + datetime.timedelta(seconds=seconds)


def wanted(holder: str = "ada", release_id: str = "r1", pid: int = 7) -> Lease:
    place = Controller("m", "b", "laptop", pid, 100)
    return Lease(holder, f"deploy {release_id}", release_id, "", "", "", 0, place)


def taken() -> LockState:
    return acquire(LockState(), wanted(), NOW, TTL)


def test_first_lock_has_counter_one() -> None:
    state = taken()
    assert state.lease is not None
    assert (state.fence, state.lease.fence, state.lease.taken_over_from) == (1, 1, None)
    assert state.lease.expires == "2026-11-21T06:15:00.000000Z"


def test_same_process_may_ask_again_and_keeps_its_counter() -> None:
    again = acquire(taken(), wanted(), later(60), TTL)
    assert again.lease is not None
    assert (again.fence, again.lease.fence) == (1, 1)
    assert again.lease.expires > "2026-11-21T06:15:00.000000Z"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(wanted("bob", "r2", 8), id="another run"),
        pytest.param(wanted("ada", "r1", 8), id="second process with the same release id"),
        pytest.param(wanted("bob", "r1", 7), id="another holder with the same release id"),
    ],
)
def test_live_lock_is_refused_with_all_that_is_known(other: Lease) -> None:
    state = renew(taken(), 1, later(10), TTL, "switching edge1")
    with pytest.raises(LockHeld) as refused:
        acquire(state, other, later(20), TTL)
    text = str(refused.value)
    for part in ("ada", "laptop", "20 s ago", "deploy r1", "switching edge1", "06:15:10"):
        assert part in text
    assert refused.value.lease.fence == 1


def test_expired_lock_is_taken_over_with_a_higher_counter() -> None:
    state = acquire(taken(), wanted("bob", "r2", 8), later(TTL), TTL)
    assert state.lease is not None
    assert (state.lease.holder, state.fence, state.lease.taken_over_from) == ("bob", 2, "r1")


def test_take_over_of_a_dead_holder_names_its_counter() -> None:
    state = acquire(taken(), wanted("bob", "r2", 8), later(1), TTL, takeover_of=1)
    assert state.fence == 2
    with pytest.raises(LockHeld):
        acquire(state, wanted("eve", "r3", 9), later(2), TTL, takeover_of=1)


def test_counter_survives_release() -> None:
    state = release(taken(), 1)
    assert state == LockState(1, None)
    assert release(state, 1) == state, "given back twice is no error"
    assert acquire(state, wanted("bob", "r2"), later(5), TTL).fence == 2


def test_who_lost_the_lock_is_told() -> None:
    state = acquire(taken(), wanted("bob", "r2", 8), later(TTL), TTL)
    with pytest.raises(MainstayError, match="lost its lock"):
        renew(state, 1, later(TTL + 1), TTL)
    with pytest.raises(MainstayError, match="lost its lock"):
        release(state, 1)


def test_description_says_whether_it_lives() -> None:
    assert describe(taken(), later(1))["live"] is True
    assert describe(taken(), later(TTL))["live"] is False
    assert describe(LockState(4), NOW) == {"fence": 4, "live": False}


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["take", "free"]), st.integers(0, 1000))
    )
)
def test_counters_only_grow_and_two_never_hold(moves: list[tuple[str, str, int]]) -> None:
    state, clock = LockState(), 0.0
    owned: dict[str, int] = {}
    for who, verb, wait in moves:
        clock += wait
        before, now = state, later(clock)
        blocked = before.lease is not None and before.lease.holder != who
        with contextlib.suppress(MainstayError):
            state = one_move(before, who, verb, now, owned)
        assert state.fence >= before.fence
        if blocked and is_live(before.lease, now):
            assert state == before, "a live lease is nobody else's to change"


def one_move(
    state: LockState, who: str, verb: str, now: datetime.datetime, owned: dict[str, int]
) -> LockState:
    if verb == "free":
        return release(state, owned.get(who, 0))
    after = acquire(state, wanted(who, who), now, TTL)
    assert after.lease is not None
    assert after.lease.fence not in {f for name, f in owned.items() if name != who}
    owned[who] = after.lease.fence
    return after
