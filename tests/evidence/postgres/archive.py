# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of archiving and of the storage: what pgBackRest alone says, and what ours says."""

from __future__ import annotations

import archive_faults

from evidence.evidence import Figure, Row


def faults(_repeats: int) -> Figure:
    """Each fault, on a cluster of its own."""
    parts, holds = [], True
    for fault in archive_faults.FAULTS:
        found = archive_faults.found(fault)
        ours = ", ".join(found.kinds) or "NOTHING"
        cause = "" if found.named else " WITHOUT THE CAUSE"
        told = "" if found.told else " NOT IN THE METRICS"
        parts.append(
            f"{found.fault}: pgbackrest check {found.check}, verify {found.verify}; "
            f"ours {ours}{cause}{told} after {found.seconds:.0f} s"
        )
        print(f"   {parts[-1]}\n      {found.text[:400]}", flush=True)
        holds &= found.holds
    return Figure("; ".join(parts), "", holds)


ROWS = [
    Row(
        "archive-faults",
        "archive commands that do not store, a queue that overflows, a storage that refuses, "
        "is slow or is somebody else's, full disks",
        "found with the cause, also in the metrics",
        "tests/evidence/run postgres archive-faults",
        faults,
    )
]
