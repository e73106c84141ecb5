# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cron fields as calendar expressions."""

from __future__ import annotations

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import schedule


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 2 * * *", ["*-*-* 02:00:00 UTC"]),
        ("*/15 * * * *", ["*-*-* *:00,15,30,45:00 UTC"]),
        ("0 8,14,20 * * *", ["*-*-* 08,14,20:00:00 UTC"]),
        ("0 4 * * 0", ["Sun *-*-* 04:00:00 UTC"]),
        ("0 4 * * 7", ["Sun *-*-* 04:00:00 UTC"]),
        ("30 1 * * 1-5", ["Mon,Tue,Wed,Thu,Fri *-*-* 01:30:00 UTC"]),
        ("0 3 1 */6 *", ["*-01,07-01 03:00:00 UTC"]),
        # Cron means either of them.
        ("0 4 1 * 0", ["*-*-01 04:00:00 UTC", "Sun *-*-* 04:00:00 UTC"]),
        ("", []),
    ],
    ids=str,
)
def test_calendar(cron: str, expected: list[str]) -> None:
    assert schedule.calendar(cron) == expected


@pytest.mark.parametrize(
    "cron",
    ["weekly", "0 24 * * *", "60 * * * *", "0 2 * *", "0 2 0 * *", "5-1 * * * *", "*/0 * * * *"],
)
def test_what_is_no_schedule_is_refused(cron: str) -> None:
    with pytest.raises(MainstayError, match="no schedule"):
        schedule.calendar(cron)
