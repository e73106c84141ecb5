# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each helper of the tests has a name of its own.

    git ls-files | python tests/lint/helpers.py

Helpers are imported by their bare names from the folder of the test. Where two folders have a
helper of one name, the one that was imported first in a process answers for both: a test then
fails, or passes, for the reasons of another one, in runs of everything only.
"""

from __future__ import annotations

import collections
import pathlib
import sys
from collections.abc import Iterable

ROOTS = ("tests/unit/", "tests/integration/")
#: pytest gives these names of their own.
OWN = ("conftest.py", "__init__.py")


def problems(names: Iterable[str]) -> list[str]:
    """C(name: paths) for every helper whose name is taken more than once."""
    by_name: dict[str, list[str]] = collections.defaultdict(list)
    for name in names:
        file = pathlib.PurePosixPath(name).name
        if name.startswith(ROOTS) and name.endswith(".py") and file not in OWN:
            by_name[file].append(name)
    return [
        f"{file}: {', '.join(sorted(paths))}: give each a name of its own"
        for file, paths in sorted(by_name.items())
        if len(paths) > 1 and not file.startswith("test_")
    ]


def main() -> int:
    """Print what was found; 1 when there is something."""
    found = problems(line.strip() for line in sys.stdin)
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
