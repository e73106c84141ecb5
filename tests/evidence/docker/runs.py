# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Second runs, check mode, secrets, AWX's way of running, the demo itself."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

from evidence import bed
from evidence.docker.common import APPS, COMMAND
from evidence.evidence import Figure, Row

CANARY = "cAnArY5ecret"


def second_run(repeats: int) -> Figure:
    """C(site.yml) and C(deploy.yml) again, in check mode and for real: nothing changes.

    Once is the short form, without what C(site.yml), which ends with a deploy, shows as well.
    """
    bed.prepare("1.0.0")
    facts: dict[str, bool] = {}
    check = ("--check", "--diff")
    runs = [("site.yml", ()), ("deploy.yml", check), ("deploy.yml", ()), ("site.yml", check)]
    for playbook, extra in runs[: 1 if repeats == 1 else None]:
        run = bed.play(playbook, "-e", "release_version=1.0.0", *extra)
        name = " ".join([playbook, *extra])
        facts[f"{name}: {run.changed} changed"] = run.code == 0 and run.changed == 0
    planned = bed.play("deploy.yml", "-e", "release_version=1.1.0", "--check", "--diff")
    done = bed.deploy("1.1.0")
    facts["the plan of --check is the plan that ran"] = _plan(planned) == _plan(done) != []
    wrong = [name for name, holds in facts.items() if not holds]
    return Figure(", ".join(f"NOT {n}" if n in wrong else n for n in facts), "", not wrong)


def _plan(run: bed.Run) -> list[str]:
    """The sentences of the plan as the run printed them."""
    lines = run.output.splitlines()
    return sorted({line.strip(" -'") for line in lines if line.strip(" -'").startswith("service ")})


def secrets(repeats: int) -> Figure:
    """Deploy with a canary string as each secret at -vvv and look for it everywhere."""
    names = ("jwt_secret", "session_key", "maintenance_bypass")
    values = {name: f"{CANARY}{i}{'x' * 40}" for i, name in enumerate(names)}
    registry = (bed.ROOT / "build" / "testbed" / "registry_password").read_text().strip()
    file = bed.WORK / "canaries.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"platform_secrets": {**values, "registry_password": registry}}))
    run = bed.deploy("1.2.0", "-e", f"@{file}", "--diff", "-vvv")
    leaks = _leaks("output", run.output.replace(str(file), ""))
    leaks += _leaks("report", json.dumps(run.report))
    for path in pathlib.Path(bed.ROOT / "build" / "reports").glob("*.*"):
        leaks += _leaks(f"report {path.name}", path.read_text(errors="replace"))
    leaks += _leaks("ledger", bed.on_host("edge1", "cat /var/lib/mainstay/*/ledger/*.json"))
    for host in APPS:
        leaks += _leaks(f"{host} processes", bed.on_host(host, "ps -eo args"))
        leaks += _leaks(f"{host} log", bed.on_host(host, "journalctl --no-pager"))
        leaks += _leaks(
            f"{host} journal", bed.on_host(host, "cat /var/lib/mainstay/*/journal.json")
        )
        leaks += _leaks(
            f"{host} container logs",
            bed.on_host(host, "for c in $(docker ps -q); do docker logs $c 2>&1; done"),
        )
        leaks += _leaks(
            f"{host} images",
            bed.on_host(host, "docker image inspect $(docker images -q) 2>/dev/null", check=False),
        )
    file.unlink()
    bed.settle("1.0.0")
    holds = not leaks and run.outcome == "deployed"
    found = (
        ", ".join(leaks)
        or "nowhere in output at -vvv, diff, reports, ledger, processes, images, logs"
    )
    return Figure(f"found {found}; outcome {run.outcome}", "", holds)


def _leaks(where: str, text: str) -> list[str]:
    return [where] if CANARY in text else []


def runner(repeats: int) -> Figure:
    """C(deploy.yml) under ansible-runner with a private data directory as AWX lays it out."""
    done = _pytest("tests/integration/runner")
    return Figure(done.stdout.strip().splitlines()[-1], "", done.returncode == 0)


def demo(repeats: int) -> Figure:
    """The demonstration from its first command to its last."""
    done = subprocess.run(
        [sys.executable, str(bed.TESTBED / "demo")],
        cwd=bed.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
        stdin=subprocess.DEVNULL,
    )
    wanted = ("https://", "Three things to try", "Reports of the runs")
    missing = [w for w in wanted if w not in done.stdout]
    good = sum(line.startswith("ok ") for line in done.stdout.splitlines())
    return Figure(
        f"rc {done.returncode}, {good} checks ok, missing: {missing}",
        "",
        not done.returncode and not missing,
    )


def _pytest(*arguments: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=bed.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
        stdin=subprocess.DEVNULL,
    )


ROWS = [
    Row(
        "second-run",
        "second run of every playbook; --check --diff shows the plan that then runs",
        "0 changes; same plan",
        COMMAND.format("second-run"),
        second_run,
        repeats=2,
    ),
    Row(
        "secrets",
        "a canary string given as each secret",
        "found nowhere",
        COMMAND.format("secrets"),
        secrets,
    ),
    Row(
        "runner",
        "ansible-runner with a private data directory as AWX lays it out",
        "deploy.yml works unchanged, result in set_stats",
        COMMAND.format("runner"),
        runner,
    ),
    Row(
        "demo",
        "make demo",
        "ends green, prints addresses, release table, three things to try",
        COMMAND.format("demo"),
        demo,
    ),
]
