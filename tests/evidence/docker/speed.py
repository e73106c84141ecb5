# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a release and the way back take, and what the switch costs per request."""

from __future__ import annotations

import datetime
import json
import statistics
import subprocess
import sys
from typing import Any

from evidence import bed
from evidence.docker.common import COMMAND, changed
from evidence.evidence import Figure, Row


def three_by_three() -> tuple[str, str]:
    """Three services with three replicas each."""

    def change(services: dict[str, Any]) -> None:
        for service in services.values():
            service["replicas"] = 3

    return changed("three-by-three", change, "services")


def deploy_time(repeats: int) -> Figure:
    """Median of whole C(deploy.yml) runs, images in the registry, and their module runs."""
    shape = three_by_three()
    bed.deploy("1.0.0", *shape)
    seconds, runs = [], []
    for number in range(max(repeats, 2)):
        run = bed.must(bed.deploy(("1.1.0", "1.2.0")[number % 2], *shape))
        seconds.append(run.seconds)
        runs.append(int(run.report["module_runs"]))
    median = statistics.median(seconds)
    figure = f"{median:.1f} s (median of {len(seconds)}), {max(runs)} module runs"
    return Figure(figure, "", median <= 40.0 and max(runs) < 45)


def warm_rollback(repeats: int) -> Figure:
    """Time from the switch task to the first answer of the old version, and the whole."""
    first, whole = [], []
    for _number in range(max(repeats, 1)):
        bed.settle("1.0.0")
        bed.must(bed.deploy("1.1.0"))
        # Enough visitors to see the first answer, too few to take the processors from the run.
        with bed.load("--clients", "5", "--interval", "100ms") as load:
            run = bed.must(bed.play("rollback.yml"))
        whole.append(run.seconds)
        first.append(_first_answer(load.report, run.report, "1.0.0"))
    answer, end = statistics.median(first), statistics.median(whole)
    figure = f"{answer:.2f} s to the first answer, {end:.1f} s in all"
    return Figure(figure, "", max(first) <= 3.0 and max(whole) <= 15.0)


def _first_answer(load: dict[str, Any], report: dict[str, Any], version: str) -> float:
    """Seconds between the switch task and the first answer of C(version) seen by visitors."""
    tasks = [t for p in report["plays"] for t in p["tasks"]]
    switch = next(t for t in tasks if t["name"].endswith("4/6 switch all at once") and t["hosts"])
    run = datetime.datetime.fromisoformat(report["started"].replace("Z", "+00:00"))
    began = run + datetime.timedelta(seconds=switch["started"])
    seen = datetime.datetime.fromisoformat(
        load["versions"][version]["first"].replace("Z", "+00:00")[:26] + "+00:00"
    )
    return (seen - began).total_seconds()


def edge_price(repeats: int) -> Figure:
    """CPU per request of the edge beside a plain proxy_pass, in the same run."""
    program = bed.ROOT / "tests" / "bench" / "edge_price"
    done = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        check=False,  # 1 says that it is over budget, in the same document
        timeout=900,
    )
    if not done.stdout.strip():
        raise AssertionError(f"no measurement: {done.stderr[-1000:]}")
    data = json.loads(done.stdout)
    return Figure(f"{data['figure']:.1f} % over plain proxy_pass", "", data["holds"])


ROWS = [
    Row(
        "deploy-time",
        "deploy of 3 services x 3 replicas on 3 hosts, images in the registry",
        "at most 40 s, under 45 module runs",
        COMMAND.format("deploy-time"),
        deploy_time,
        repeats=4,
    ),
    Row(
        "warm-rollback",
        "warm rollback",
        "first good answer of the old version within 3 s of the switch task;"
        " whole playbook within 15 s",
        COMMAND.format("warm-rollback"),
        warm_rollback,
        repeats=3,
    ),
    Row(
        "edge-price",
        "price of the switch mechanism at the edge (CPU per request)",
        "at most 20 % over a plain proxy_pass",
        COMMAND.format("edge-price"),
        edge_price,
    ),
]
