# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""restore.yml on the bed, killed with SIGKILL at named tasks, and the same command again."""

from __future__ import annotations

from evidence.docker.common import inject
from evidence.evidence import Figure, Row
from evidence.postgres import fleet
from evidence.postgres.restores import row

#: In the order of the run: before anything, with the lock, while servers stop, around the restore,
#: while the cluster is covered, while the replica is copied anew, at the end.
POINTS = [
    ("before", "Plan the restore, changing nothing"),
    ("before", "Take the lock"),
    ("after", "Take the lock"),
    ("after", "Open the record"),
    ("before", "Stop the server, so that only one writes"),
    ("after", "Stop the server, so that only one writes"),
    ("after", "From here on the store is changed"),
    ("after", "Restore, and prove it"),
    ("after", "Say where WAL goes and comes from"),
    ("before", "Take a backup"),
    ("after", "Take a backup"),
    ("after", "Keep what the replica had under another name"),
    ("before", "Copy the primary"),
    ("after", "Copy the primary"),
    ("before", "Close the record"),
    ("before", "Give the lock back"),
]
#: The points of the short form: servers stopped, data restored, the replica without data.
SHORT = [POINTS[5], POINTS[7], POINTS[11]]


def interrupted(repeats: int) -> Figure:
    """Commits, kill -9 of the server, a restore that is killed, and once more."""
    points = POINTS if repeats > 1 else SHORT
    fleet.ready()
    wrong: list[str] = []
    for number, (moment, task) in enumerate(points):
        host = fleet.primary()
        table = "create table if not exists before_kill (n int primary key)"
        fleet.sql(
            host,
            f"{table}; insert into before_kill select {number} + 1000 * count(*) from before_kill",
        )
        rows = fleet.sql(host, "select count(*) from before_kill")
        fleet.kill_server(host)
        words = ("restore", "-e", f"restore_host={host}")
        dead = fleet.store("restore.yml", *words, environment=inject(moment, task, "kill"))
        again = fleet.store("restore.yml", *words)
        kept = fleet.sql(host, "select count(*) from before_kill")
        name = f"{moment} {task}"
        if dead.code != -9:
            wrong.append(f"{name}: was not killed (rc {dead.code})")
        if fleet.operation(again).get("outcome") != "restored" or kept != rows or not rows:
            wrong.append(f"{name}: {kept} of {rows} rows: {again.tail(6)}")
            break
        if fleet.streams(host) != 1:
            wrong.append(f"{name}: the replica does not follow")
    healed = f"{len(points) - len(wrong)} of {len(points)} points healed by the same command"
    return Figure("; ".join([healed, *wrong])[:800], "", not wrong)


ROWS: list[Row] = [
    row(
        "bed-interrupted",
        f"restore.yml killed with SIGKILL at {len(POINTS)} tasks, then the same command",
        "restored, every commit is there, the replica follows",
        interrupted,
        2,
    )
]
