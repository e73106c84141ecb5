# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promises about releases to Kubernetes, as rows."""

from __future__ import annotations

from evidence.evidence import Row
from evidence.kubernetes import (
    going_back,
    guarded,
    hidden,
    interrupted,
    peers,
    switching,
    verdicts,
    waiting,
)

ROWS: list[Row] = [
    *switching.ROWS,
    *verdicts.ROWS,
    *peers.ROWS,
    *waiting.ROWS,
    *going_back.ROWS,
    *interrupted.ROWS,
    *guarded.ROWS,
    *hidden.ROWS,
]
