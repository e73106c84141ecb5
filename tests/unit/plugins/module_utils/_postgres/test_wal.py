# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, positions and gaps."""

from __future__ import annotations

import pathlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from wal_samples import SIZE

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import wal


def names(timeline: int, *numbers: int) -> list[str]:
    return [wal.join(timeline, n) for n in numbers]


@given(st.integers(1, 2**32 - 1), st.integers(0, 2**40), st.sampled_from([1, 16, 64, 1024]))
def test_names_go_both_ways(timeline: int, number: int, mebibytes: int) -> None:
    size = mebibytes << 20
    number = min(number, (2**64 // size) - 1)
    assert wal.split(wal.join(timeline, number, size), size) == (timeline, number)


@given(st.integers(0, 2**64 - 1))
def test_positions_go_both_ways(position: int) -> None:
    assert wal.parse_lsn(wal.format_lsn(position)) == position


def test_the_name_after_a_full_log_file() -> None:
    assert wal.join(1, 256) == "000000010000000100000000"


@pytest.mark.parametrize("text", ["", "0", "0/", "0/G", "0/123456789", "x/1"])
def test_no_position(text: str) -> None:
    with pytest.raises(ValueError, match="is not a position"):
        wal.parse_lsn(text)


HISTORY = "1\t0/5000090\tno recovery target specified\n2\t0/9000000\tat restore point\n"


def test_history() -> None:
    assert wal.parse_history(HISTORY) == ((1, 0x5000090), (2, 0x9000000))


#: Timeline 2 left 1 in segment 5, timeline 3 left 2 at the very start of segment 9.
HISTORIES = {2: ((1, 0x5000090),), 3: ((1, 0x5000090), (2, 0x9000000))}
CASES = [
    pytest.param(names(1, 2, 3, 4), {}, [], id="whole"),
    pytest.param(names(1, 2, 4), {}, ["000000010000000000000003"], id="one missing"),
    pytest.param(
        names(1, 2, 6),
        {},
        ["000000010000000000000003..000000010000000000000005 (3)"],
        id="a range",
    ),
    pytest.param(names(1, 3, 4), {}, ["000000010000000000000002"], id="the first"),
    pytest.param(names(1, 2, 3, 4) + names(2, 5, 6), HISTORIES, [], id="a timeline left"),
    pytest.param(
        names(1, 2, 3) + names(2, 5, 6),
        {2: HISTORIES[2]},
        ["000000010000000000000004"],
        id="missing before the switch",
    ),
    pytest.param(
        names(1, 2, 3, 4, 5) + names(2, 6),
        {2: HISTORIES[2]},
        ["000000020000000000000005"],
        id="the switch segment of the new timeline",
    ),
    pytest.param(
        names(1, 2, 3, 4) + names(2, 5, 6, 7, 8) + names(3, 9, 10), HISTORIES, [], id="two switches"
    ),
    pytest.param(
        names(1, 2, 3, 4) + names(2, 5, 6, 8) + names(3, 9, 10),
        HISTORIES,
        ["000000020000000000000007"],
        id="missing between two switches",
    ),
]


@pytest.mark.parametrize(("archive", "histories", "expected"), CASES)
def test_gaps(archive: list[str], histories: wal.Histories, expected: list[str]) -> None:
    found = wal.continuity([wal.join(1, 2)], archive, histories, SIZE)
    assert [str(g) for g in found] == expected


def test_an_older_backup_needs_only_its_own() -> None:
    archive = names(1, 2, 3, 9, 10)
    pinned = [(wal.join(1, 2), wal.join(1, 3))]
    assert wal.continuity([wal.join(1, 9)], archive, {}, SIZE, pinned) == []
    assert wal.continuity([wal.join(1, 9)], archive[1:], {}, SIZE, pinned) != []


@given(st.sets(st.integers(3, 40), max_size=20))
def test_every_missing_segment_is_in_a_gap(missing: set[int]) -> None:
    archive = [wal.join(1, n) for n in range(2, 42) if n not in missing]
    found = wal.continuity([wal.join(1, 2)], archive, {}, SIZE)
    listed: set[int] = set()
    for gap in found:
        listed |= set(range(wal.split(gap.first)[1], wal.split(gap.last)[1] + 1))
    assert listed == missing
    assert sum(g.count for g in found) == len(missing)
