# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line for all test runs, from their JUnit files: C(N passed, N failed, N skipped).

    python tests/tools/summary.py build/junit

Exit status 1 when a test failed or none ran.
"""

from __future__ import annotations

import pathlib
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """Tests by outcome; errors in setup or teardown count as failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read(path: pathlib.Path) -> Counts:
    """The counts of one JUnit file; a file that cannot be read is one failure."""
    try:
        root = ET.parse(path).getroot()
    except (ET.ParseError, OSError):
        return Counts(failed=1)
    cases = [_outcome(case) for case in root.iter("testcase")]
    return Counts(cases.count("passed"), cases.count("failed"), cases.count("skipped"))


def _outcome(case: ET.Element) -> str:
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in kinds else "passed"


def main(arguments: list[str]) -> int:
    """Print each file's counts, then the sum on a line of its own."""
    total = Counts()
    for path in sorted(pathlib.Path(arguments[0]).glob("*.xml")):
        counts = read(path)
        print(f"    {path.stem}: {counts}")
        total += counts
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
