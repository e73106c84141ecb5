# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every promise about PostgreSQL's backups and restores, as rows."""

from __future__ import annotations

import pathlib
import sys

# The clusters of the integration tests are the ones that are measured, with the collection itself.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "collections"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "integration" / "postgres"))

from evidence.evidence import Row
from evidence.postgres import archive, interrupted, proofs, restores, routine, speed, switching

ROWS: list[Row] = [
    *proofs.ROWS,
    *archive.ROWS,
    *routine.ROWS,
    *restores.ROWS,
    *switching.ROWS,
    *interrupted.ROWS,
    *speed.ROWS,
]
