# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a description: one problem, and all of them as one message. Pure."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

#: A value that is shown is cut to this many characters.
SHOWN = 80
#: One wrong letter in a word of at most this length changes a third of it.
SHORT = 4
#: User and password in a URL.
_URL_USER = re.compile(r"://[^/\s@]*@")
ERROR = "error"
WARNING = "warning"


@dataclass(frozen=True)
class Problem:
    """C(path) is written as in the inventory (C(platform_services.api.health.path)).

    C(found) is what stands there (never a secret value), C(allowed) what may stand there, C(hint) a
    did-you-mean or the next thing to do. A problem of severity C(warning) does not stop a run.
    """

    path: str
    message: str
    found: str = ""
    allowed: str = ""
    hint: str = ""
    severity: str = ERROR

    @property
    def is_error(self) -> bool:
        """True when the run must not go on."""
        return self.severity == ERROR

    def as_dict(self) -> dict[str, str]:
        """The problem as data, for results and filters."""
        return {
            "path": self.path,
            "message": self.message,
            "found": self.found,
            "allowed": self.allowed,
            "hint": self.hint,
            "severity": self.severity,
        }

    def sentence(self) -> str:
        """The problem on one line, for warnings."""
        parts = [f"{self.path}: {self.message}"]
        if self.found:
            parts.append(f"(found {self.found})")
        return " ".join(parts) + (f"; {self.hint}" if self.hint else "")


def errors_of(problems: Iterable[Problem]) -> list[Problem]:
    """Those that stop the run."""
    return [problem for problem in problems if problem.is_error]


def warnings_of(problems: Iterable[Problem]) -> list[Problem]:
    """Those that do not."""
    return [problem for problem in problems if not problem.is_error]


def shown(value: Any) -> str:
    """C(value) on one line, short enough to read."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    text = " ".join(text.split()) if text.strip() else json.dumps(text)
    text = _URL_USER.sub("://***@", text)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The name in C(known) that C(word) was most likely meant to be, or an empty string."""
    by_folded = {_folded(name): name for name in known}
    cutoff = 0.6 if len(word) <= SHORT else 0.72
    close = difflib.get_close_matches(_folded(word), list(by_folded), n=1, cutoff=cutoff)
    return by_folded[close[0]] if close else ""


def suggestion(word: str, known: Iterable[str]) -> str:
    """L(did_you_mean) as a hint."""
    meant = did_you_mean(word, known)
    return f"did you mean {meant}?" if meant else ""


def _folded(word: str) -> str:
    return word.lower().replace("-", "_")


def message(problems: list[Problem], nothing_changed: bool = True) -> str:
    """All problems numbered, in the order of their paths, as one text for a person."""
    ordered = sorted(problems, key=lambda problem: (problem.path, problem.message))
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    tail = "; nothing was changed" if nothing_changed else ""
    lines = [f"The description of the platform has {count}{tail}."]
    for number, problem in enumerate(ordered, 1):
        lines.append(f"{number:>3}. {problem.path}: {problem.message}")
        lines.extend(
            f"     {name}: {text}"
            for name, text in (
                ("found", problem.found),
                ("allowed", problem.allowed),
                ("next", problem.hint),
            )
            if text
        )
    return "\n".join(lines)
