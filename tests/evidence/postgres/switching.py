# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another primary, planned and not, under clients of PgBouncer, and the old one that comes back."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

import yaml

from evidence import bed
from evidence.evidence import Figure, Row
from evidence.postgres import fleet
from evidence.postgres.restores import row

SETTLE = 10.0


def _other(host: str) -> str:
    return next(h for h in fleet.HOSTS if h != host)


def planned(_repeats: int) -> Figure:
    """failover.yml while pgbench and counting clients go on."""
    old = fleet.ready()
    new = _other(old)
    with fleet.bench(new) as bench, fleet.writers(new) as answers:
        time.sleep(SETTLE)
        began = time.time()
        run = fleet.store("failover.yml", "failover")
        time.sleep(SETTLE)
    fleet.came_to(run, "switched")
    held = answers.silence(began)
    failed = bench.figure("number of failed transactions")
    done = bench.figure("number of transactions actually processed")
    missing = len(answers.missing(new))
    follows = fleet.streams(new) == 1
    text = (
        f"pgbench {failed} of {done} failed; {len(answers.refused)} of "
        f"{len(answers.acknowledged)} counted commits refused, {missing} lost; "
        f"held for {held:.1f} s, promoted after {fleet.done_after(run, 'Promote'):.0f} s; "
        f"failover.yml {run.seconds:.0f} s; old primary follows: {follows}"
    )
    aborted = "aborted" in bench.output
    holds = failed == 0 and done > 100 and not answers.refused and missing == 0 and follows
    return Figure(text, "", holds and not aborted)


def _killed(*arguments: str) -> tuple[fleet.Answers, float, bed.Run, str]:
    """kill -9 of the primary under counting clients, then failover.yml at once."""
    old = fleet.primary()
    new = _other(old)
    with fleet.writers(new) as answers:
        time.sleep(SETTLE)
        died = fleet.kill_server(old)
        run = fleet.store("failover.yml", "failover", *arguments)
        time.sleep(SETTLE)
    fleet.came_to(run, "switched")
    return answers, died, run, new


def _unplanned_words(name: str, *arguments: str) -> tuple[str, bool, int]:
    answers, died, run, new = _killed(*arguments)
    missing = answers.missing(new)
    silent = answers.silence(died)
    follows = fleet.streams(new) == 1
    text = (
        f"{name}: {len(missing)} of {len(answers.acknowledged)} acknowledged commits lost, "
        f"promoted {fleet.done_after(run, 'Promote'):.0f} s after the command, clients without "
        f"an answer for {silent:.1f} s, failover.yml "
        f"{run.seconds:.0f} s, old primary follows: {follows}"
    )
    return text, follows and silent > 0 and len(answers.acknowledged) > 100, len(missing)


def synchronous() -> tuple[str, str]:
    """The same platform, whose commits wait for the replica."""
    source = bed.ROOT / fleet.INVENTORY / "group_vars" / "all" / "platform.yml"
    stores: dict[str, Any] = yaml.safe_load(source.read_text())["platform_stores"]
    stores[fleet.STORE]["postgres"]["synchronous"] = True
    target = bed.WORK / "synchronous.json"
    bed.WORK.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"platform_stores": stores}))
    return "-e", f"@{target}"


def unplanned(_repeats: int) -> Figure:
    """kill -9 with an asynchronous replica."""
    fleet.ready()
    text, holds, _lost = _unplanned_words("asynchronous")
    return Figure(text, "", holds)


def unplanned_synchronous(_repeats: int) -> Figure:
    """kill -9 with a synchronous replica."""
    fleet.ready()
    words = synchronous()
    run = fleet.play("databases.yml", *words)
    if run.code != 0:
        raise AssertionError(run.tail(60))
    try:
        text, holds, lost = _unplanned_words("synchronous", *words)
    finally:
        fleet.play("databases.yml")
    return Figure(text, "", holds and lost == 0)


def rejoin(_repeats: int) -> Figure:
    """The primary's machine freezes, another takes over, then it goes on as if nothing was."""
    old = fleet.ready()
    new = _other(old)
    machine = f"mainstay-bed-{old}"
    docker = ["docker", "pause", machine]
    subprocess.run(docker, check=True, capture_output=True)
    try:
        failed_over = fleet.store("failover.yml", "failover", "-e", "ops_fenced=true")
    finally:
        subprocess.run(["docker", "unpause", machine], check=True, capture_output=True)
    back = time.monotonic()
    fleet.came_to(failed_over, "switched")
    fenced = _stopped(old, back)
    bed.on_host(old, f"systemctl start {fleet.UNIT}", check=False)
    refused = fleet.sql(old, "select 1") == ""
    fleet.sql(new, "create table if not exists since (n int); insert into since values (1)")
    run = fleet.store("failover_rejoin.yml", "rejoin", "-e", f"ops_rejoin={old}")
    fleet.came_to(run, "rejoined")
    follows = fleet.streams(new) == 1 and fleet.sql(old, "select pg_is_in_recovery()") == "t"
    text = (
        f"stopped {fenced:.1f} s after its return, its start refused: {refused}; "
        f"failover_rejoin.yml {run.seconds:.0f} s, follows: {follows}"
    )
    return Figure(text, "", 0 <= fenced <= 30 and refused and follows)


def _stopped(host: str, since: float) -> float:
    """Seconds until the server of a host is gone; -1 when it goes on for a minute."""
    while time.monotonic() - since < 60:
        if not fleet.sql(host, "select 1"):
            return time.monotonic() - since
        time.sleep(0.2)  # nobody tells another machine that a server ended
    return -1.0


_ROWS: list[tuple[str, str, str, Callable[[int], Figure]]] = [
    (
        "bed-switchover",
        "planned failover.yml under pgbench and counted commits through PgBouncer",
        "0 failed transactions",
        planned,
    ),
    (
        "bed-failover",
        "kill -9 of the primary under counted commits, failover.yml to an asynchronous replica",
        "clients go on; only what was not sent yet may be lost",
        unplanned,
    ),
    (
        "bed-failover-synchronous",
        "the same to a synchronous replica",
        "0 commits lost",
        unplanned_synchronous,
    ),
    (
        "bed-rejoin",
        "a frozen primary comes back after failover.yml -e ops_fenced=true",
        "stopped within 30 s, its start refused, follows after failover_rejoin.yml",
        rejoin,
    ),
]
ROWS: list[Row] = [row(*words) for words in _ROWS]
