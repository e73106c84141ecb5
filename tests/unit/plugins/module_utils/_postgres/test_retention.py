# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What expires: the invariants hold over 400 days with failures and clocks that jump."""

from __future__ import annotations

import pathlib
import sys
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from wal_samples import BEGIN, backup

from ansible_collections.mainstay.platform.plugins.module_utils._postgres.retention import (
    Policy,
    plan_retention,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import Backup

DAYS = 400
GOOD, NONE, BAD, UNREAD = "good", "none", "bad", "unread"

policies = st.builds(
    Policy,
    daily=st.integers(0, 35),
    weekly=st.integers(0, 9),
    monthly=st.integers(0, 13),
    yearly=st.integers(0, 2),
    floor=st.integers(1, 4),
    wal_days=st.integers(0, 40),
)
#: Runs of days with the same fate, and the clock's error in days during each.
stretches = st.lists(
    st.tuples(
        st.sampled_from([GOOD, GOOD, GOOD, NONE, BAD, UNREAD]),
        st.integers(1, 60),
        st.sampled_from([0, 0, 0, 0, 1, -1, -40, 1100, -9000]),
    ),
    min_size=8,
    max_size=40,
)


def days_of(runs: list[tuple[str, int, int]]) -> list[tuple[str, datetime]]:
    """What becomes of each of the 400 days, and what the clock says."""
    found: list[tuple[str, datetime]] = []
    while len(found) < DAYS:
        for fate, length, error in runs:
            for _day in range(length):
                found.append((fate, BEGIN + timedelta(days=len(found) + error)))
    return found[:DAYS]


def slots(taken: list[Backup], form: str, count: int) -> list[str]:
    """The last periods, in the order of taking, that ever had a good backup."""
    names = list(dict.fromkeys(b.stopped.strftime(form) for b in reversed(taken)))
    return names[:count]


# Not made smaller when it fails: each try is 400 days.
@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(policy=policies, runs=stretches)
def test_invariants_over_400_days(policy: Policy, runs: list[tuple[str, int, int]]) -> None:
    held: list[Backup] = []
    whole: dict[str, bool] = {}
    good: list[Backup] = []
    for number, (fate, clock) in enumerate(days_of(runs)):
        if fate != NONE:
            item = backup(number, clock)
            held.append(item)
            if fate != UNREAD:
                whole[item.label] = fate == GOOD
            if fate == GOOD:
                good.append(item)
        plan = plan_retention(held, whole, policy)
        before = {b.label for b in held}
        held = [b for b in held if b.label not in plan.expired]
        left = {b.label for b in held}
        here = [b for b in good if b.label in left]
        assert set(plan.kept) | set(plan.expired) == before
        if good:
            assert good[-1].label in left, "the last good one went"
        assert len(here) >= min(policy.floor, len(good)), "the floor was broken"
        assert not [label for label in plan.expired if label not in whole], "an unread one went"
        if len(good) < policy.floor:
            assert not plan.expired, "something went before there were enough good ones"
        for form, count in (
            ("%Y-%m-%d", policy.daily),
            ("%G-%V", policy.weekly),
            ("%Y-%m", policy.monthly),
            ("%Y", policy.yearly),
        ):
            covered = {b.stopped.strftime(form) for b in here}
            missing = set(slots(good, form, count)) - covered
            assert not missing, f"no good backup of {missing}"


def test_a_plain_year_keeps_days_weeks_and_months() -> None:
    held: list[Backup] = []
    for number in range(365):
        held.append(backup(number))
        whole = {b.label: True for b in held}
        plan = plan_retention(held, whole, Policy(daily=7, weekly=4, monthly=12, wal_days=7))
        held = [b for b in held if b.label not in plan.expired]
    # 7 days, 2 Sundays before them, the ends of 11 months, and the start of the window of WAL.
    assert len(held) == 21
    assert held[-1].label == "00364F"
    assert plan.wal_from == "00357F"


def test_newest_broken_lets_nothing_good_go() -> None:
    items = [backup(n) for n in range(3)]
    whole = {items[0].label: True, items[1].label: True, items[2].label: False}
    plan = plan_retention(items, whole, Policy(daily=1, weekly=0, monthly=0, floor=1, wal_days=0))
    assert plan.expired == ["00000F"]
    assert items[1].label in plan.kept


def test_all_broken_keeps_everything() -> None:
    items = [backup(n) for n in range(5)]
    plan = plan_retention(items, {b.label: False for b in items}, Policy())
    assert plan.expired == []


def test_a_full_stays_while_something_built_on_it_does() -> None:
    full, incr = backup(0), backup(1, kind="incr", prior="00000F")
    later = [backup(n) for n in range(2, 6)]
    items = [full, incr, *later]
    whole = {b.label: True for b in items}
    policy = Policy(daily=5, weekly=0, monthly=0, floor=1, wal_days=0)
    plan = plan_retention(items, whole, policy)
    assert plan.expired == []
    assert plan.kept[full.label] == ["belongs to a backup that stays"]


def test_one_jump_of_the_clock_does_not_shorten_the_window() -> None:
    items = [backup(n) for n in range(60)]
    items.append(backup(60, BEGIN + timedelta(days=4000)))
    plan = plan_retention(items, {b.label: True for b in items}, Policy(wal_days=30))
    assert "00030F" <= plan.wal_from <= "00038F"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        pytest.param(Policy(floor=0), "retention.floor is 0", id="floor"),
        pytest.param(Policy(daily=-1), "retention.daily is -1", id="daily"),
    ],
)
def test_a_bad_policy_is_named(policy: Policy, words: str) -> None:
    assert any(words in problem for problem in policy.problems())
