# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No two backups share a label, and labels order as backups were taken."""

from __future__ import annotations

import pathlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import labels

NOW = datetime(2026, 11, 21, 2, 0, 4, 900000, timezone.utc)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param([], "20261121-020004F", id="the first"),
        pytest.param(["20261120-020004F"], "20261121-020004F", id="a day later"),
        pytest.param(["20261121-020004F"], "20261121-020005F", id="the same second"),
        pytest.param([".20261121-020004F"], "20261121-020005F", id="one that still goes on"),
        pytest.param([".20261121-020004F.expired"], "20261121-020005F", id="half removed"),
        pytest.param(["20380101-000000F"], "20380101-000001F", id="a clock put back"),
        pytest.param(["lost+found", "cluster.json"], "20261121-020004F", id="other names"),
    ],
)
def test_the_next_label(known: list[str], expected: str) -> None:
    assert labels.next_label(NOW, known, "F") == expected


def test_a_zone_does_not_move_the_label() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=11)))
    assert labels.next_label(there, [], "L") == "20261121-020004L"


def test_many_in_one_moment(tmp_path: pathlib.Path) -> None:
    home = str(tmp_path / "backup")
    owned: list[str] = []
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _n: labels.claim(home, NOW, "F", owned.append), range(8)))
    assert len(set(found)) == 8
    assert sorted(owned) == [f"{home}/.{label}" for label in sorted(found)]


def test_what_a_killed_run_left() -> None:
    names = [".20261121-020004F", ".20261121-020005F.expired", "20261121-020006F", ".snapshot"]
    assert labels.leftovers(names) == [".20261121-020004F", ".20261121-020005F.expired"]
