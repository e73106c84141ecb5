# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows, lanes and bars of the picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._report.gantt import (
    LANES,
    Bar,
    draw,
    melt,
    rows,
    ticks,
)
from ansible_collections.mainstay.platform.tests.unit.plugins.module_utils._report import samples


def test_rows_are_the_steps_in_order() -> None:
    names = [row.name for row in rows(samples.deployed())]
    assert names == [
        "1/6 Preflight",
        "2/6 Lock",
        "3/6 Stage and migrate",
        "4/6 Switch",
        "5/6 Verify",
        "6/6 Finish",
        "6/6 End",
    ]


def test_many_hosts_share_a_lane_but_the_failed_one_keeps_its_own() -> None:
    last = rows(samples.long_run())[-1]
    lanes = [name for name, _bars in last.lanes]
    assert len(lanes) == LANES
    assert lanes[-1] == "49 more hosts"
    assert "node08.example.internal" in lanes


def test_a_long_run_stays_small() -> None:
    assert draw(samples.long_run()).count("<rect") < 100


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        pytest.param([(0, 0.1, "ok"), (0.1, 0.2, "ok")], ["ok"], id="short neighbours"),
        pytest.param([(0, 0.1, "ok"), (0.1, 0.2, "changed")], ["changed"], id="worse colours"),
        pytest.param([(0, 0.1, "ok"), (0.1, 0.2, "failed")], ["ok", "failed"], id="trouble stays"),
        pytest.param([(0, 20, "ok"), (20, 40, "ok")], ["ok", "ok"], id="long ones stay apart"),
        pytest.param([(0, 20, "ok"), (10, 40, "ok")], ["ok"], id="overlap"),
    ],
)
def test_melt(bars: list[tuple[float, float, str]], expected: list[str]) -> None:
    melted = melt([Bar(start, end, status, "x") for start, end, status in bars], 100.0)
    assert [stripe.status for stripe in melted] == expected


BARS = st.lists(
    st.builds(
        lambda start, length, status: Bar(start, start + length, status, "x"),
        st.floats(0, 1000),
        st.floats(0, 50),
        st.sampled_from(["ok", "changed", "failed", "unreachable", "skipped"]),
    ),
    max_size=40,
)


@given(BARS)
def test_melting_loses_no_task_no_trouble_and_no_time(bars: list[Bar]) -> None:
    melted = melt(bars, 1000.0)
    assert sum(stripe.tasks for stripe in melted) == len(bars)
    for status in ("failed", "unreachable"):
        assert any(b.status == status for b in melted) == any(b.status == status for b in bars)
    for stripe in bars:
        assert any(m.start <= stripe.start and stripe.end <= m.end for m in melted)


@given(st.floats(0.001, 200_000))
def test_ticks_are_few_and_inside(total: float) -> None:
    marks = ticks(total)
    assert 1 <= len(marks) <= 6
    assert marks[0] == 0
    assert marks[-1] <= total + 1e-9
