# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new version under constant load, with each strategy."""

from __future__ import annotations

import functools
import random
import statistics
from collections import Counter

from evidence import bed
from evidence.docker.common import APPS, COMMAND, VISITORS
from evidence.evidence import Figure, Row

VERSIONS = ("1.1.0", "1.2.0")
#: Later than this, connections are never idle and the race that is looked for cannot happen: a run
#: with slower answers proves nothing. Visitors ask every 0.2 s.
IDLE_P50 = 0.1


def switch(strategy: str, repeats: int) -> Figure:
    """C(repeats) releases under load, the version going to and fro."""
    bed.settle("1.0.0")
    requests = failed = cut = 0
    first = ""
    middles = []
    for number in range(repeats):
        version = VERSIONS[number % len(VERSIONS)]
        with bed.load(*VISITORS) as load:
            bed.must(bed.deploy(version, "-e", f"release_strategy={strategy}"))
        requests += load.requests
        failed += load.failed
        cut += load.cut
        first = first or load.first_failure()
        middles.append(load.median)
    middle = statistics.median(middles)
    figure = (
        f"{failed} of {requests} failed, {cut} sockets cut, {repeats} runs,"
        f" half of the answers within {middle * 1000:.0f} ms {first[:120]}"
    )
    holds = failed == 0 and cut == 0 and requests > 0 and middle < IDLE_P50
    return Figure(figure.strip(), "requests", holds)


def to_and_fro(repeats: int) -> Figure:
    """Releases and rollbacks in random order: whatever came before, all replicas serve.

    The short form is the order that once lost replicas: a version that was gone back to is older
    than the one that was gone back from.
    """
    bed.settle("1.0.0")
    steps = ["1.1.0", "back", "1.2.0", "back"]
    chance = random.Random(20261121)
    while len(steps) < 4 * repeats:
        steps.append(chance.choice([*VERSIONS, "1.0.0", "back"]))
    wrong = []
    with bed.load("--clients", "20") as load:
        for number, step in enumerate(steps):
            run = bed.play("rollback.yml") if step == "back" else bed.deploy(step)
            if run.outcome not in ("deployed", "unchanged", "refused"):
                wrong.append(f"step {number} {step}: {run.outcome}")
            wrong += [f"step {number} {step}: {text}" for text in _thin()]
    figure = f"{len(steps)} steps, {load.failed} of {load.requests} failed"
    return Figure("; ".join([figure, *wrong])[:400], "", not wrong and load.failed == 0)


def _thin() -> list[str]:
    """Services with fewer replicas in one version than the description asks for."""
    wanted = {"api": 3, "web": 3, "worker": 2}
    found: Counter[tuple[str, str]] = Counter()
    for host in APPS:
        for name in bed.containers(host):
            service, _replica, origin = name.rsplit("-", 2)
            found[service.rsplit("-", 1)[-1], origin] += 1
    return [
        f"{service}: at most {most} of {count} in one version"
        for service, count in wanted.items()
        if (most := max((n for (s, _o), n in found.items() if s == service), default=0)) < count
    ]


ROWS = [
    Row(
        f"switch-{strategy.replace('_', '-')}",
        f"new version under load, {strategy}",
        "0 failed requests, 0 sockets cut before the drain limit",
        COMMAND.format(f"switch-{strategy.replace('_', '-')}"),
        functools.partial(switch, strategy),
        repeats=10,
    )
    for strategy in ("rolling", "blue_green", "canary")
]
ROWS.append(
    Row(
        "to-and-fro",
        "releases and rollbacks in random order under load",
        "all replicas serve after each, 0 failed requests",
        COMMAND.format("to-and-fro"),
        to_and_fro,
        repeats=6,
    )
)
