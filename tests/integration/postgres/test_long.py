# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The long stories: random targets, kills at every step, a server killed under load."""

from __future__ import annotations

import pytest
import restore_stories as stories

pytestmark = pytest.mark.long
ENGINES = pytest.mark.parametrize("engine", ["native", "pgbackrest"])


@ENGINES
def test_random_targets_across_two_timelines(engine: str) -> None:
    found = stories.random_targets(engine, 20, seed=7)
    assert found.wrong == []
    assert found.right == 20


@ENGINES
def test_killed_at_every_step(engine: str) -> None:
    assert stories.interrupted(engine, stories.POINTS) == []


@ENGINES
@pytest.mark.parametrize("gone", [False, True], ids=["data there", "data gone"])
def test_killed_under_load(engine: str, gone: bool) -> None:
    found = stories.killed_under_load(engine, gone=gone, seconds=12)
    assert found.acknowledged > 100
    if gone:
        assert found.seconds_lost <= 60
    else:
        assert found.recovered == found.acknowledged


def test_damage_is_found_with_its_name() -> None:
    for row in stories.damages():
        assert row.ours, row.damage
        assert row.named, row.damage
