# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a store every day, by its playbooks, on fresh machines of the bed."""

from __future__ import annotations

import pytest
from evidence.evidence import Row
from evidence.postgres import routine

pytestmark = pytest.mark.long


@pytest.mark.parametrize("row", routine.ROWS, ids=[row.id for row in routine.ROWS])
def test_it_holds(row: Row) -> None:
    figure = row.run(1)
    assert figure.holds, figure.figure
