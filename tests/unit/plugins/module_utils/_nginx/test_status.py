# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edge says about itself, read as facts."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._nginx.status import (
    Status,
    quantile,
)

A, B = "10.0.0.1:80", "10.0.0.2:80"


def worker(seen: int, **more: Any) -> dict[str, Any]:
    """An entry of a worker."""
    return {"pid": 1, "seen": seen, "open": {}, **more}


@pytest.mark.parametrize(
    ("workers", "settled"),
    [
        pytest.param([], False, id="no-worker-at-all"),
        pytest.param([worker(4), worker(4)], True, id="all-have-seen-it"),
        pytest.param([worker(4), worker(3)], False, id="one-is-behind"),
        pytest.param([worker(5)], True, id="one-is-ahead-of-the-answer"),
        pytest.param([worker(4), worker(3, leaving=True)], True, id="one-that-leaves-is-behind"),
        pytest.param([worker(4, leaving=True)], False, id="only-one-that-leaves"),
    ],
)
def test_settled(workers: list[dict[str, Any]], settled: bool) -> None:
    """The document is in force when every worker that stays chooses by it."""
    assert Status(generation=4, workers=tuple(workers)).settled is settled


@pytest.mark.parametrize(
    ("workers", "drained"),
    [
        pytest.param([worker(4)], True, id="nothing-open"),
        pytest.param([worker(4, open={B: 5})], True, id="another-member-is-busy"),
        pytest.param([worker(4), worker(4, open={A: 1})], False, id="open-in-one-worker"),
        pytest.param([worker(3)], False, id="a-worker-is-behind"),
        pytest.param(
            [worker(4), worker(3, leaving=True, open={A: 1})], False, id="open-in-one-that-leaves"
        ),
    ],
)
def test_drained(workers: list[dict[str, Any]], drained: bool) -> None:
    """Only this makes it safe to stop the program behind a member."""
    assert Status(generation=4, workers=tuple(workers)).drained([A]) is drained


def test_active_adds_up_over_workers() -> None:
    """Each worker counts for itself."""
    workers = (worker(1, open={A: 1, B: 2}), worker(1, open={B: 3}))
    assert Status(workers=workers).active == {A: 1, B: 5}


def test_lua_writes_an_empty_table_as_an_object_or_a_list() -> None:
    """Both mean nothing."""
    status = Status.parse({"workers": {}, "upstreams": [], "totals": [], "before": {}})
    assert (status.workers, status.upstreams, status.totals) == ((), {}, {})


def test_statistics_count_from_the_mark() -> None:
    """What happened before a change says nothing about what came after."""
    now = {"requests": 30, "failed": 4, "buckets": {"0.1": 10, "0.5": 20}}
    before = {"requests": 10, "failed": 4, "buckets": {"0.1": 10}}
    status = Status(totals={"api": {"r1": now, "r2": now}}, before={"api": {"r1": before}})
    assert status.statistics()["api"]["r1"] == {
        "requests": 20,
        "failed": 0,
        "p50": 0.5,
        "p95": 0.5,
        "p99": 0.5,
    }
    assert status.statistics()["api"]["r2"]["requests"] == 30


def test_without_requests_there_is_no_latency() -> None:
    """No data is not a good value."""
    now = {"requests": 5, "failed": 0, "buckets": {"0.1": 5}}
    figures = Status(totals={"api": {"r": now}}, before={"api": {"r": now}}).statistics()
    assert figures["api"]["r"]["requests"] == 0
    assert figures["api"]["r"]["p95"] is None


@given(
    st.lists(st.floats(min_value=0.0005, max_value=100), min_size=1, max_size=200),
    st.sampled_from([0.5, 0.95, 0.99]),
)
def test_a_quantile_is_at_most_a_quarter_too_high(values: list[float], share: float) -> None:
    """Buckets as the edge makes them; never too low, so a gate is never passed by rounding."""
    buckets: dict[float, int] = {}
    for value in values:
        step = max(0, math.ceil(math.log(value / 0.001) / math.log(1.25) - 1e-9))
        bound = 0.001 * 1.25**step
        buckets[bound] = buckets.get(bound, 0) + 1
    true = sorted(values)[math.ceil(share * len(values)) - 1]
    found = quantile(buckets, share)
    assert found is not None
    assert true * 0.999 <= found <= max(0.001, true * 1.251)
