# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaps on the way to a target, also on timelines that were left."""

from __future__ import annotations

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from wal_samples import SIZE, archive, backup

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import deciding, wal
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.target import (
    Choice,
    parse_target,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import Catalog

#: Timeline 2 was left timeline 1 in segment 9.
HISTORIES = {2: ((1, 9 * SIZE + 100),)}


@pytest.mark.parametrize(
    ("own", "target", "gaps"),
    [
        ((), "latest", [wal.join(1, 5)]),
        ((), f"lsn:{wal.format_lsn(9 * SIZE + 50)}", [wal.join(1, 5)]),
        ((9, 12), "latest", [wal.join(1, 5)]),
        ((9, 12), f"lsn:{wal.format_lsn(4 * SIZE)}", []),
    ],
    ids=["nothing of its own", "a position", "with its own", "before the gap"],
)
def test_gaps_of_the_parent_timeline_count(
    own: tuple[int, ...], target: str, gaps: list[str]
) -> None:
    files = archive(1, 2, 9, without=(5,)) + (archive(2, *own) if own else [])
    known = Catalog("7", "15", (backup(0),), tuple(files), HISTORIES)
    goal = parse_target(target)
    found, _newest = deciding._lacking(goal, Choice(backup(0), 2), known, SIZE, set())
    assert found == gaps
