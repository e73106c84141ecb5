# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disasters of a database on the bed, and restore.yml after them."""

from __future__ import annotations

import time
from collections.abc import Callable

from evidence import bed
from evidence.evidence import Figure, Row
from evidence.postgres import fleet

COMMAND = "tests/evidence/run postgres {}"
#: Seconds of load before something breaks: more than the time after which a segment is archived.
LOAD = 75.0
#: Another row each time: those of earlier restores are in the data.
WRITE = """
insert into told select -1, coalesce(max(number), 0) + 1 from told where client = -1 returning 1
"""


def _loaded(host: str, seconds: float, ending: Callable[[], float]) -> tuple[fleet.Answers, float]:
    """pgbench and counting clients on C(host) for C(seconds), then C(ending), which says when."""
    with fleet.bench(host), fleet.writers(host) as answers:
        time.sleep(seconds)  # load is a span of time, not something that comes true
        died = ending()
    return answers, died


def _words(answers: fleet.Answers, died: float, host: str) -> tuple[str, float]:
    missing = answers.missing(host)
    lost = max(died - missing[0], 0.0) if missing else 0.0
    text = f"{len(missing)} of {len(answers.acknowledged)} commits lost, {lost:.1f} s of them"
    return text, lost


def _restored(run: bed.Run, answers: fleet.Answers, died: float, most: float) -> Figure:
    found = fleet.came_to(run, "restored")
    host = str(found["host"])
    text, lost = _words(answers, died, host)
    peers = fleet.streams(host)
    writable = fleet.sql(host, WRITE, fleet.STORE) == "1"
    parts = [
        text,
        f"restore.yml {run.seconds:.0f} s ({fleet.phases(found)})",
        f"said: {(found.get('lost') or {}).get('text', '')}",
        f"writable {writable}, {peers} replicas stream",
    ]
    holds = len(answers.acknowledged) > 100 and lost <= most and writable
    return Figure("; ".join(parts), "", holds)


def _same_host(gone: bool) -> Callable[[int], Figure]:
    def run(_repeats: int) -> Figure:
        host = fleet.ready()

        def ending() -> float:
            died = fleet.kill_server(host)
            if gone:
                bed.on_host(host, f"rm -rf {fleet.DATA}")
            return died

        answers, died = _loaded(host, LOAD, ending)
        restored = fleet.store("restore.yml", "restore", "-e", f"restore_host={host}")
        return _restored(restored, answers, died, 60.0 if gone else 0.0)

    return run


def new_host(_repeats: int) -> Figure:
    """Both machines gone with all they had; one new machine, and the bucket."""
    host = fleet.ready()
    other = next(h for h in fleet.HOSTS if h != host)

    def ending() -> float:
        died = time.time()
        bed.testbed("fault", host, "power-off")
        return died

    # The clients outlive the primary, on the machine of the replica.
    answers, died = _loaded(other, LOAD, ending)
    bed.testbed("down", *fleet.HOSTS)
    bed.testbed("up", other)
    words = [f"restore_host={other}", "restore_repository=bucket", "ops_fenced=true"]
    arguments = [part for word in words for part in ("-e", word)]
    return _restored(fleet.store("restore.yml", "restore", *arguments), answers, died, 60.0)


def row(name: str, what: str, goal: str, run: Callable[[int], Figure], repeats: int = 1) -> Row:
    """A row of this part."""
    return Row(name, what, goal, COMMAND.format(name), run, repeats)


ROWS = [
    row(
        "bed-restore-same-host-tail",
        "pgbench and counted commits, kill -9 of the primary, restore.yml to latest on its host",
        "0 commits lost",
        _same_host(False),
    ),
    row(
        "bed-restore-same-host",
        "the same with the data directory removed",
        "at most 60 s of commits lost",
        _same_host(True),
    ),
    row(
        "bed-restore-new-host",
        "all machines of the store lost under load, restore.yml on a new one from the bucket",
        "at most 60 s of commits lost",
        new_host,
    ),
]
