# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the prober saw, counted by phase."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._release.proof import (
    LISTED,
    Mark,
    Sample,
    count,
    percentile,
)


def test_requests_fall_into_the_phase_that_was_marked_before_them() -> None:
    marks = [Mark(10.0, "switch"), Mark(20.0, "after")]
    samples = [Sample(5.0, 200, 0.1), Sample(10.0, 502, 0.1), Sample(25.0, 200, 3.0)]
    found = count(samples, marks, 1.0)
    assert (found["requests"], found["failed"], found["slow"]) == (3, 1, 1)
    assert found["phases"]["switch"]["failed"] == 1
    assert found["phases"]["after"]["max"] == 3.0
    assert found["first_failures"] == [{"at": 10.0, "phase": "switch", "error": "status 502"}]


@pytest.mark.parametrize(
    ("status", "failed"), [(0, True), (500, True), (503, True), (200, False), (404, False)]
)
def test_failed_is_no_answer_or_the_servers_own_error(status: int, failed: bool) -> None:
    assert Sample(0.0, status, 0.1).failed is failed


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.95, 0.0), ([3.0], 0.5, 3.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0)],
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from([0, 200, 502]))))
def test_no_request_is_lost_or_counted_twice(rows: list[tuple[float, int]]) -> None:
    samples = [Sample(at, status, 0.1) for at, status in rows]
    found = count(samples, [Mark(50.0, "switch")], 1.0)
    assert found["requests"] == len(samples)
    assert found["failed"] == sum(s.failed for s in samples)
    assert len(found["first_failures"]) == min(LISTED, found["failed"])
