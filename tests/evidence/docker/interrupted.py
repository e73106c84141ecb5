# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed, and runs that meet."""

from __future__ import annotations

import time

from evidence import bed
from evidence.docker.common import COMMAND, at_once, inject, lone, versions
from evidence.evidence import Figure, Row

STAGE = "3/6 Stage the new version beside the old one"
POINTS = [
    ("before", "2/6 Take the lock"),
    ("after", "2/6 Take the lock"),
    ("after", "2/6 Open the record"),
    ("before", STAGE),
    ("after", STAGE),
    ("after", "3/6 Migrate once, from the new image"),
    ("after", "4/6 Start the prober"),
    ("after", "4/6 rolling 1 of 3: app1"),
    ("before", "4/6 rolling 3 of 3: app3"),
    ("after", "4/6 rolling 3 of 3: app3"),
    ("after", "4/6 Replace the workers one by one"),
    ("before", "5/6 Record that the new version serves"),
    ("after", "5/6 Record that the new version serves"),
    ("after", "6/6 Keep the old version warm, retire what is older"),
    ("before", "6/6 Close the record and give the lock back"),
    ("after", "6/6 Close the record and give the lock back"),
]
#: The points of the short form: one before, one in and one after the switch.
SHORT = [POINTS[4], POINTS[7], POINTS[12]]


def killed(repeats: int) -> Figure:
    """Kill a deploy at each point; the next deploy has to put everything right by itself."""
    points = POINTS if repeats > 1 else SHORT
    wrong: list[str] = []
    policy = at_once()
    target = ["1.1.0", "1.2.0"]
    bed.settle("1.0.0")  # else the first deploy may find nothing to do, and nobody kills it
    with bed.load("--clients", "20") as load:
        for number, (moment, task) in enumerate(points):
            version = target[number % 2]
            dead = bed.deploy(version, *policy, environment=inject(moment, task, "kill"))
            after = bed.deploy(version, *policy)
            name = f"{moment} {task}"
            if dead.code != -9:
                wrong.append(f"{name}: was not killed (rc {dead.code})")
            if after.code != 0 or not lone(versions()):
                wrong.append(f"{name}: {after.outcome}, {versions()}: {after.tail(8)}")
    failed = load.failed
    healed = f"{len(points) - len(wrong)} of {len(points)} points healed"
    text = f"{healed}, {failed} of {load.requests} requests failed"
    return Figure("; ".join([text, *wrong])[:600], "", not wrong and failed == 0)


def two_at_once(repeats: int) -> Figure:
    """A second deploy while the first is at work is refused with holder, time and purpose."""
    bed.settle("1.0.0")
    first = bed.start("deploy.yml", "-e", "release_version=1.1.0")
    deadline = time.monotonic() + 60
    while 'lease": null' in bed.on_host("edge1", "cat /var/lib/mainstay/*/lock.json"):
        if time.monotonic() > deadline:
            raise AssertionError("the first run took no lock")
        time.sleep(0.1)  # no event tells of a lock on another host
    second = bed.deploy("1.2.0")
    first.communicate(timeout=bed.PLAYBOOK_LIMIT)
    said = second.tail(25)
    facts = {
        f"outcome {second.outcome}": second.outcome == "refused",
        "holder": "held by" in said,
        "since when": " since 20" in said,
        "what it does": "deploy 20" in said,
        f"first rc {first.returncode}": first.returncode == 0,
    }
    wrong = [name for name, holds in facts.items() if not holds]
    return Figure(", ".join(f"NOT {n}" if n in wrong else n for n in facts), "", not wrong)


ROWS = [
    Row(
        "killed",
        f"kill -9 of the run at {len(POINTS)} points, then the next deploy",
        "resumes or reverts by itself, never two versions left, never a lock that needs a hand",
        COMMAND.format("killed"),
        killed,
        repeats=2,
    ),
    Row(
        "two-at-once",
        "two deploys at once",
        "second is refused with holder, since when, what it does",
        COMMAND.format("two-at-once"),
        two_at_once,
    ),
]
