# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new version under constant load, with each strategy."""

from __future__ import annotations

import functools

from evidence import bed
from evidence.docker.common import COMMAND, VISITORS
from evidence.evidence import Figure, Row

VERSIONS = ("1.1.0", "1.2.0")


def switch(strategy: str, repeats: int) -> Figure:
    """C(repeats) releases under load, the version going to and fro."""
    bed.settle("1.0.0")
    requests = failed = cut = 0
    first = ""
    for number in range(repeats):
        version = VERSIONS[number % len(VERSIONS)]
        with bed.load(*VISITORS) as load:
            bed.must(bed.deploy(version, "-e", f"release_strategy={strategy}"))
        requests += load.requests
        failed += load.failed
        cut += load.cut
        first = first or load.first_failure()
    figure = f"{failed} of {requests} failed, {cut} sockets cut, {repeats} runs {first[:120]}"
    return Figure(figure.strip(), "requests", failed == 0 and cut == 0 and requests > 0)


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
