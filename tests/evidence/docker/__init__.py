# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every promise about Docker hosts, as rows."""

from __future__ import annotations

from evidence.docker import approvals, faults, interrupted, runs, speed, switching
from evidence.docker import input as descriptions
from evidence.evidence import Row

ROWS: list[Row] = [
    *switching.ROWS,
    *speed.ROWS,
    *faults.ROWS,
    *interrupted.ROWS,
    *approvals.ROWS,
    *runs.ROWS,
    *descriptions.ROWS,
]
