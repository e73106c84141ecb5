# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole platforms, as their inventories describe them, on fresh machines of the bed."""

from __future__ import annotations

import os
import pathlib
import sys
from collections.abc import Iterator

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from live import Live


@pytest.fixture(scope="module")
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    """The platform of C(INVENTORY) of the test module, deployed by site.yml."""
    found = Live(request.module.INVENTORY)
    # For work on these tests: MAINSTAY_KEEP_BED=1 goes on with what the last run left.
    keep = bool(os.environ.get("MAINSTAY_KEEP_BED"))
    try:
        found.machines_up(fresh=not keep)
        if not keep:
            found.foreseen = found.play("site.yml", "--check", "--diff")
        run = found.play("site.yml")
        if run.outcome not in ("deployed", *(["unchanged"] if keep else [])):
            pytest.fail(f"site.yml: {run.outcome}\n{run.tail(40)}")
        found.first = run
        yield found
    finally:
        if not keep:
            found.machines_down()
