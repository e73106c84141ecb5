# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: refused before any change, all problems in one message."""

from __future__ import annotations

import subprocess
import sys

from evidence import bed
from evidence.docker.common import COMMAND
from evidence.evidence import Figure, Row


def bad_input(repeats: int) -> Figure:
    """The tables of broken descriptions and run variables, and one broken run on the bed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/unit", "-k", "broken"],
        cwd=bed.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    closing = done.stdout.strip().splitlines()[-1]
    before = bed.on_host("edge1", "ls /var/lib/mainstay/*/ledger | wc -l")
    run = bed.deploy("1.1.0;rm", "-e", "release_strategy=yolo")
    after = bed.on_host("edge1", "ls /var/lib/mainstay/*/ledger | wc -l")
    both = "release_version" in run.output and "release_strategy" in run.output
    holds = done.returncode == 0 and run.code != 0 and both and before == after
    return Figure(f"{closing}; on the bed: rc {run.code}, both problems named: {both}", "", holds)


ROWS = [
    Row(
        "bad-input",
        "40 broken descriptions and 20 broken run variables",
        "each refused before any change, all problems in one message, exact path",
        COMMAND.format("bad-input"),
        bad_input,
    )
]
