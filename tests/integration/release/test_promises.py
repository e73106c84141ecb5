# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of evidence in their short form, on the real bed.

docs/evidence.md says how they are measured.
"""

from __future__ import annotations

import pytest
from evidence import bed
from evidence.docker import approvals, faults, interrupted, runs, speed, switching
from evidence.evidence import Row

ROWS: list[Row] = [
    *switching.ROWS,
    *faults.ROWS,
    *interrupted.ROWS,
    *approvals.ROWS,
    *[row for row in runs.ROWS if row.id in ("second-run", "secrets")],
    *[row for row in speed.ROWS if row.id == "warm-rollback"],
]
#: These stand for the others in every test run; all of them run with MAINSTAY_LONG=1. Second runs
#: and plans in check mode are tested every time on the platform of one machine.
DAILY = ("switch-canary", "fault-never-healthy", "two-at-once")


@pytest.fixture(scope="session", autouse=True)
def platform_on_the_bed() -> None:
    """Bed up, hosts prepared, version 1.0.0 serves."""
    bed.prepare("1.0.0")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.id, marks=[] if row.id in DAILY else [pytest.mark.long])
        for row in ROWS
    ],
)
def test_promise(row: Row) -> None:
    figure = row.run(1)
    assert figure.holds, f"{row.what}: {figure.figure} (goal: {row.goal})"
