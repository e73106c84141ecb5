# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host remembers of its releases, in the order in which it met them."""

from __future__ import annotations

import pathlib

from ansible_collections.mainstay.platform.plugins.module_utils._docker import journal
from ansible_collections.mainstay.platform.plugins.module_utils._docker.journal import (
    FINISHED,
    Journal,
    Record,
)

# The clock of the controller went back between the two.
FIRST, SECOND = "20270101T000000Z-aaaaaa", "20260101T000000Z-bbbbbb"


def met(*releases: str) -> Journal:
    """A journal that met releases in this order, all of them finished."""
    known = Journal()
    for release in releases:
        known.open(release).phase = FINISHED
    return known


def test_the_latest_release_is_the_one_met_last_whatever_its_id_says() -> None:
    known = met(FIRST, SECOND)
    assert known.by_age() == [FIRST, SECOND]
    assert known.summary()["release_id"] == SECOND
    assert known.unfinished() == []


def test_unfinished_releases_come_in_the_order_in_which_they_began() -> None:
    known = Journal()
    known.open(FIRST)
    known.open(SECOND)
    assert known.unfinished() == [FIRST, SECOND]
    assert known.summary()["release_id"] == SECOND


def test_the_order_outlives_the_file_and_a_release_that_was_forgotten(
    tmp_path: pathlib.Path,
) -> None:
    known = met("z", FIRST, SECOND)
    del known.releases["z"]
    journal.save(str(tmp_path), known)
    read = journal.load(str(tmp_path))
    assert read.by_age() == [FIRST, SECOND]
    read.open("a")
    assert read.by_age()[-1] == "a"


def test_a_release_met_again_keeps_its_place() -> None:
    known = met(FIRST, SECOND)
    known.open(FIRST)
    assert known.by_age() == [FIRST, SECOND]


def test_a_journal_of_before_is_ordered_by_its_ids() -> None:
    known = Journal(releases={"b": Record(), "a": Record()})
    assert known.by_age() == ["a", "b"]
