# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module returns: the same keys in check mode and in a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Result:
    """Outcome of one module run.

    C(actions) are sentences ("start quality-api-1-..."), also in check mode; C(facts) holds the
    noun-named values of the module; C(duration) is in seconds.
    """

    changed: bool = False
    actions: list[str] = field(default_factory=list)
    diff: dict[str, str] = field(default_factory=lambda: {"before": "", "after": ""})
    duration: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The keyword arguments of C(exit_json)."""
        return {
            "changed": self.changed,
            "actions": self.actions,
            "diff": self.diff,
            "duration": round(self.duration, 3),
            **self.facts,
        }
