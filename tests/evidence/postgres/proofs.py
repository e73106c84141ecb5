# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is lost, what is refused, what is found, and what a kill leaves."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import restore_stories as stories
from cluster import ROOT

from evidence.evidence import Figure, Row

COMMAND = "tests/evidence/run postgres {}"
ENGINES = ("pgbackrest", "native")
#: The points of the short form: before, while and after the directories change their names.
SHORT = ("after-copied", "before-placed", "after-recovered")


def _loss(gone: bool) -> Callable[[int], Figure]:
    def run(repeats: int) -> Figure:
        parts, holds = [], True
        for engine in ENGINES:
            found = stories.killed_under_load(engine, gone=gone, seconds=12 * repeats)
            missing = found.acknowledged - found.recovered
            parts.append(
                f"{engine}: {missing} of {found.acknowledged} commits lost "
                f"({found.seconds_lost:.1f} s), restored in {found.seconds:.1f} s"
            )
            holds &= found.acknowledged > 100 and found.seconds_lost <= 60
            holds &= gone or missing == 0
        return Figure("; ".join(parts), "", holds)

    return run


def targets(repeats: int) -> Figure:
    """Random targets, restored and compared row by row with the commit times."""
    count = 20 if repeats > 1 else 4
    parts, holds = [], True
    for engine in ENGINES:
        found = stories.random_targets(engine, count, seed=11)
        parts.append(f"{engine}: {found.right} of {count} exact {'; '.join(found.wrong)}".strip())
        holds &= found.right == count and not found.wrong
    return Figure("; ".join(parts)[:600], "", holds)


def damages(_repeats: int) -> Figure:
    """Each damage: the status of pgBackRest's own verify, and ours with the name."""
    rows = stories.damages()
    parts = [
        f"{r.damage}: pgbackrest verify rc {r.theirs}, ours {'found' if r.ours else 'NOT FOUND'}"
        f"{'' if r.named else ' WITHOUT NAME'}"
        for r in rows
    ]
    return Figure("; ".join(parts), "", all(r.ours and r.named for r in rows))


def interrupted(repeats: int) -> Figure:
    """Kill at each point, then run again or undo; every commit has to be there."""
    points = stories.POINTS if repeats > 1 else SHORT
    parts, holds = [], True
    for engine in ENGINES:
        wrong = stories.interrupted(engine, points)
        parts.append(f"{engine}: {len(points) - len(wrong)} of {len(points)} points healed")
        parts += wrong
        holds &= not wrong
    return Figure("; ".join(parts)[:600], "", holds)


def _pytest(*arguments: str) -> Callable[[int], Figure]:
    def run(_repeats: int) -> Figure:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *arguments],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=1800,
        )
        last = done.stdout.strip().splitlines()[-1]
        passed = re.search(r"(\d+) passed", last)
        holds = done.returncode == 0 and passed is not None and "skipped" not in last
        return Figure(last.strip("= "), "", holds)

    return run


def _row(name: str, what: str, goal: str, run: Callable[[int], Figure], repeats: int = 1) -> Row:
    return Row(name, what, goal, COMMAND.format(name), run, repeats)


HERE = "tests/integration/postgres"
UNIT = "tests/unit/plugins/module_utils/_postgres"
ROWS = [
    _row(
        "latest-data-there",
        "kill -9 under load, data directory there, restore to latest",
        "0 commits lost",
        _loss(False),
        2,
    ),
    _row(
        "latest-data-gone",
        "kill -9 under load, data directory removed, restore to latest",
        "at most 60 s of commits lost",
        _loss(True),
        2,
    ),
    _row(
        "targets",
        "random targets across two timelines, in four zones, every fourth exactly on a commit; "
        "before the oldest, in the future, in the doubled hour without a zone",
        "right to the transaction, or refused with nothing touched",
        targets,
        2,
    ),
    _row(
        "refused",
        "wrong targets, places, hosts, clusters",
        "refused before any change",
        _pytest(f"{HERE}/test_restore.py", "-k", "refused or another_cluster"),
    ),
    _row(
        "damage",
        "damaged repositories",
        "found, with the name of what is damaged",
        damages,
    ),
    _row(
        "archive-command",
        "archive_command replaced by true, exit 126, hanging",
        "found",
        _pytest(f"{HERE}/test_damage.py", "-k", "archive_command"),
    ),
    _row(
        "retention-corrupt",
        "the newest full is corrupt when retention runs",
        "nothing good is removed",
        _pytest(f"{HERE}/test_damage.py", "-k", "retention_behind or retention_removes"),
    ),
    _row(
        "retention-400-days",
        "400 simulated days with failures and clocks that jump",
        "last good kept, periods covered, floor kept",
        _pytest(f"{UNIT}/test_retention.py"),
    ),
    _row(
        "thief",
        "the writer's keys delete, overwrite and purge all they reach in a bucket with versions",
        "restore as of a moment before works; keys that delete versions are found",
        _pytest(f"{HERE}/test_attack.py"),
    ),
    _row(
        "canary",
        "keys of the storage in process lists, environments, logs, records, results",
        "nowhere but in the configuration of pgBackRest",
        _pytest(f"{HERE}/test_canary.py"),
    ),
    _row(
        "interrupted",
        "a restore killed at every step, run again or undone",
        "every commit is there",
        interrupted,
        2,
    ),
    _row(
        "drill",
        "drills in a scratch place",
        "hold, and leave nothing",
        _pytest(f"{HERE}/test_drill.py"),
    ),
]
