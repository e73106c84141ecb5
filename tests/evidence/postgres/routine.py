# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done every day: databases.yml again and in check mode, backup.yml, dr_drill.yml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evidence import bed
from evidence.evidence import Figure, Row
from evidence.postgres import fleet
from evidence.postgres.restores import row

_OK = "mainstay_backup_ok{"


def _said(run: bed.Run) -> str:
    return f"rc {run.code}, {run.changed} changed, {run.seconds:.0f} s"


def roles(_repeats: int) -> Figure:
    """On fresh machines: check mode, the run, check mode, the run again."""
    bed.testbed("down", *fleet.HOSTS, "db3", "s3")
    bed.testbed("up", *fleet.HOSTS, "db3", "s3")
    foreseen = fleet.play("databases.yml", "--check", "--diff")
    untouched = not fleet.primary()
    first = fleet.play("databases.yml")
    again = fleet.play("databases.yml", "--check", "--diff")
    second = fleet.play("databases.yml")
    text = (
        f"check on fresh hosts {_said(foreseen)}, nothing made: {untouched}; run {_said(first)}; "
        f"check on running ones {_said(again)}; second run {_said(second)}"
    )
    codes = [run.code for run in (foreseen, first, again, second)]
    holds = codes == [0] * 4 and untouched and again.changed == 0 and second.changed == 0
    return Figure(text, "", holds and first.changed > 0)


def backup(_repeats: int) -> Figure:
    """backup.yml: a new verified full backup in each repository."""
    host = fleet.ready()
    before = fleet.backups(host)
    run = fleet.store("backup.yml", "backup")
    found = fleet.came_to(run, "backed_up")
    new = fleet.backups(host) - before
    taken = [item.get("label") for item in found.get("backups") or []]
    status = bed.on_host(host, "cat /var/lib/prometheus/node-exporter/mainstay_orders_*.prom")
    good = [line.rpartition(" ")[2] for line in status.splitlines() if line.startswith(_OK)]
    places = {number for number, _label in new}
    text = f"{len(new)} new backups in {len(places)} repositories, {taken}; {_said(run)}"
    return Figure(
        text, "", run.code == 0 and len(places) == 2 and len(taken) == 2 and good == ["1", "1"]
    )


def drill(_repeats: int) -> Figure:
    """dr_drill.yml: a restore from each repository in a scratch place, and nothing left of it."""
    host = fleet.ready()
    head = _state(host)
    run = fleet.store("dr_drill.yml", "drill")
    found = fleet.came_to(run, "drilled")
    drills: list[dict[str, Any]] = found.get("drills") or []
    held = [bool(item.get("ok")) for item in drills]
    left = bed.on_host(host, "ls -d /var/lib/postgresql/*drill* 2>/dev/null", check=False).strip()
    same = _state(host) == head
    text = (
        f"{sum(held)} of {len(drills)} drills held ("
        + "; ".join(str(item.get("sentence")) for item in drills)[:300]
        + f"); left: {left or 'nothing'}, server untouched: {same}; {_said(run)}"
    )
    return Figure(text, "", run.code == 0 and held == [True, True] and not left and same)


def _state(host: str) -> str:
    query = "select pg_postmaster_start_time(), (select timeline_id from pg_control_checkpoint())"
    return fleet.sql(host, query)


_ROWS: list[tuple[str, str, str, Callable[[int], Figure]]] = [
    (
        "bed-roles",
        "databases.yml on fresh machines: --check --diff, run, --check --diff, run",
        "all go through, 0 changes in the last two",
        roles,
    ),
    (
        "bed-backup",
        "backup.yml into a local repository and a bucket",
        "a new verified full backup in both",
        backup,
    ),
    (
        "bed-drill",
        "dr_drill.yml from both repositories",
        "hold, and leave nothing",
        drill,
    ),
]
ROWS: list[Row] = [row(*words) for words in _ROWS]
