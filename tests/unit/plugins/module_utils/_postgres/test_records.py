# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is forgotten is what was written first, whatever it is called."""

from __future__ import annotations

import pathlib
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import records

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def test_the_oldest_restore_point_is_forgotten(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records.Records._change, "__defaults__", (3,))
    kept = records.Records(str(tmp_path))
    for number, name in enumerate(["z", "y", "b", "a"]):
        kept.remember_point(name, f"0/{number}", BEGIN + timedelta(days=number))
    assert set(kept.points()) == {"y", "b", "a"}


def test_a_year_of_hourly_backups_stays_verified(tmp_path: pathlib.Path) -> None:
    kept = records.Records(str(tmp_path))
    first = {f"2026{day:04}-020000F": True for day in range(600)}
    kept.remember_verified("local", first, BEGIN)
    kept.remember_verified("local", {"20300101-020000F": False}, BEGIN + timedelta(days=1))
    assert kept.whole("local") == {**first, "20300101-020000F": False}
