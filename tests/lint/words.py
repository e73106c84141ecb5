# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No file ties the collection to the machine or the network it was written on.

    git ls-files | python tests/lint/words.py

Refused are the host names of package sources (they are settings of a machine, not of a project),
absolute paths of a developer's machine, and text that no reader of the project can follow. The
patterns carry a character class each, so that this file does not match itself.
"""

from __future__ import annotations

import pathlib
import re
import sys
from collections.abc import Iterable

REFUSED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        ("host name of a package source", r"\b(?:files\.pythonhosted|(?:test\.)?py[p]i)\.org\b"),
        ("host name of a package source", r"\b(?:deb|security|archive|ftp)\.deb[i]an\.org\b"),
        ("host name of a package source", r"\b(?:proxy|sum)\.go[l]ang\.org\b"),
        ("host name of a package source", r"\bregistry\.n[p]mjs\.org\b"),
        ("path of one machine", r"(?<![\w.}])/(?:w[o]rk|root/\.pyenv|opt/wh[e]els)/"),
        ("path of one machine", r"/tmp/b[o]ot\b"),
        ("no reader has this", r"\b(?:th[i]s|an?other) session\b(?! (?:key|id|cookie|affinity))"),
        ("no reader has this", r"\bh[e]lper [A-I]\b"),
        ("no reader has this", r"\bi[s]sues? #?\d+\b"),
        ("no reader has this", r"\b(?:t[e]stbed|requ[i]rements|d[e]sign|st[y]le)\.md\b"),
        (
            "address left in a lock file",
            r"^--(?:(?:extra-)?index-[u]rl|find-[l]inks|trusted-[h]ost)\b",
        ),
    )
)
#: Texts of others, and what is not text.
SKIPPED = (".png", ".ico", ".woff2", ".gz", "LICENSES/GPL-3.0-or-later.txt", "LICENSE")


def problems(name: str, text: str) -> list[str]:
    """C(file:line: reason: match) of everything refused in C(text)."""
    return [
        f"{name}:{number}: {reason}: {match.group(0)}"
        for number, line in enumerate(text.splitlines(), 1)
        for reason, pattern in REFUSED
        if (match := pattern.search(line))
    ]


def check(names: Iterable[str]) -> list[str]:
    """All problems of the files called C(names)."""
    found: list[str] = []
    for name in names:
        path = pathlib.Path(name)
        if name.endswith(SKIPPED) or path.is_symlink() or not path.is_file():
            continue
        found += problems(name, path.read_text(encoding="utf-8", errors="replace"))
    return found


def main() -> int:
    """Print what is refused in the files named on standard input; 1 when there is something."""
    names = sys.stdin.read().split("\n")
    found = check(name for name in names if name)
    print("\n".join(found) if found else f"{len(names)} files are free of it")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
