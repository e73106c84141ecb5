# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of a restore: what was decided, and which steps are behind us.

Each step is entered as begun before it is done and as done behind it, so that after a kill at any
instant the next run knows what it may find. Every step can be repeated.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    read_json,
    write_json,
)

#: In this order. From C(renamed) on the old data directory has its new name.
STEPS = (
    "stopped",
    "tail_saved",
    "copied",
    "configured",
    "renamed",
    "placed",
    "recovered",
    "checked",
    "archiving",
    "opened",
)
RUNNING, DONE, UNDONE, SETTLED = "running", "done", "undone", "settled"


@dataclass
class Journal:
    """One restore. Directories are whole paths; empty ones do not exist."""

    id: str
    target: str
    inclusive: bool
    backup: str
    timeline: int
    follow: str
    data_directory: str
    new_directory: str
    old_directory: str
    tail_directory: str
    private_directory: str
    system_identifier: str
    status: str = RUNNING
    had_cluster: bool = False
    was_running: bool = False
    begun: str = ""
    done: list[str] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def next_step(self) -> Optional[str]:
        """The first step that is not done."""
        return next((s for s in STEPS if s not in self.done), None)


def path_of(directory: str) -> str:
    """The journal's file in the state directory of a store."""
    return os.path.join(directory, "restore.json")


def load(directory: str) -> Optional[Journal]:
    """The latest restore of the store, or nothing."""
    document = read_json(path_of(directory))
    if document is None:
        return None
    try:
        return Journal(**document)
    except TypeError as error:
        raise MainstayError(
            "the journal of the restore was written by another version",
            subject=path_of(directory),
            found=str(error),
            expected="a journal of this version",
            next_step="finish or undo the restore with the version that began it",
        ) from error


def save(directory: str, journal: Journal) -> None:
    """Write it, whole and synced."""
    write_json(path_of(directory), asdict(journal))


def same_wish(journal: Journal, target: str, inclusive: bool, wanted: str) -> bool:
    """Whether a new call asks for what an unfinished restore is doing."""
    same = journal.target == target and journal.inclusive == inclusive
    return same and wanted in ("", journal.backup)


def unfinished(journal: Journal, target: str) -> MainstayError:
    """The refusal of another restore while one is half done."""
    return MainstayError(
        "another restore is not finished",
        subject=journal.data_directory,
        found=f"restore {journal.id} to {journal.target}, next step: {journal.next_step()}",
        expected=f"no unfinished restore before one to {target}",
        next_step=f"restore to {journal.target} again to finish it, or undo it",
    )
