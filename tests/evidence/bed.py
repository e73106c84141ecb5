# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running playbooks, load and commands on the bed, for evidence and fault tests."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "evidence"
TESTBED = ROOT / "tests" / "testbed"
INVENTORY = "inventories/demo"
EDGE = "172.30.77.11"
DOMAIN = "demo.mainstay.test"
#: No playbook on the bed takes longer; a run that does is ended and counts as failed.
PLAYBOOK_LIMIT = 300.0
#: Where reports of runs are kept; nowhere when it is empty. The demonstration keeps them.
REPORTS: str = ""


@dataclass(frozen=True)
class Run:
    """One run of a playbook: return code, output, seconds, and the report of the timeline."""

    code: int
    output: str
    seconds: float
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """The outcome in the words of the release, or of the run when there is none."""
        return str(self.report.get("outcome") or "none")

    def tail(self, lines: int = 20) -> str:
        """The last lines of the output."""
        return "\n".join(self.output.rstrip().splitlines()[-lines:])

    @property
    def changed(self) -> int:
        """How many task results said changed."""
        return sum(h.get("changed", 0) for h in (self.report.get("hosts") or {}).values())


def play(
    playbook: str,
    *arguments: str,
    inventory: str = INVENTORY,
    environment: dict[str, str] | None = None,
    limit: float = PLAYBOOK_LIMIT,
) -> Run:
    """Run C(playbook) to its end and read its report, which stays when C(REPORTS) names a place."""
    WORK.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        reports = str(REPORTS or stack.enter_context(tempfile.TemporaryDirectory(dir=WORK)))
        started = time.monotonic()
        process = start(
            playbook,
            *arguments,
            inventory=inventory,
            environment={**(environment or {}), "MAINSTAY_REPORT_DIR": reports},
        )
        output, _nothing = process.communicate(timeout=limit)
        seconds = time.monotonic() - started
        latest = pathlib.Path(reports) / "latest.json"
        # A run that wrote none must not be told by the report of the one before.
        fresh = latest.exists() and latest.stat().st_mtime >= time.time() - seconds - 1.0
        report = json.loads(latest.read_text()) if fresh else {}
    with (WORK / "playbooks.log").open("a") as log:
        log.write(f"\n##### {playbook} {' '.join(arguments)} -> {process.returncode}\n{output}")
    return Run(process.returncode, output, seconds, report)


def start(
    playbook: str,
    *arguments: str,
    inventory: str = INVENTORY,
    environment: dict[str, str] | None = None,
) -> subprocess.Popen[str]:
    """Start C(playbook) in a process group of its own; the caller waits for it."""
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    return subprocess.Popen(
        [str(program), playbook, "-i", inventory, *arguments],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def must(run: Run, outcome: str = "deployed") -> Run:
    """C(run), or an error with the end of its output when it went another way."""
    if run.outcome != outcome:
        raise AssertionError(f"outcome {run.outcome}, expected {outcome}:\n{run.tail(40)}")
    return run


def deploy(version: str = "", *arguments: str, **options: Any) -> Run:
    """C(deploy.yml) with C(version) for all services."""
    extra = ("-e", f"release_version={version}") if version else ()
    return play("deploy.yml", *extra, *arguments, **options)


_prepared: set[str] = set()


def prepare(version: str) -> None:
    """Bed up, hosts prepared, the demo platform at C(version): what a fresh machine needs first.

    Hosts that this process has prepared already only get the version.
    """
    testbed("up")
    if INVENTORY in _prepared:
        settle(version)
        return
    run = play("site.yml", "-e", f"release_version={version}")
    if run.outcome not in ("deployed", "unchanged"):
        raise AssertionError(f"site.yml: {run.outcome}:\n{run.tail(40)}")
    _prepared.add(INVENTORY)


def settle(version: str) -> None:
    """Bring the demo platform to C(version) by whatever is needed; the starting point of a row."""
    run = deploy(version)
    if run.outcome not in ("deployed", "unchanged"):
        raise AssertionError(f"could not settle on {version}:\n{run.tail(40)}")


def testbed(command: str, *arguments: str, check: bool = True) -> str:
    """One of the bed's commands (up, down, fault, ...)."""
    done = subprocess.run(
        [str(TESTBED / command), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=600,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{command} {arguments}: {done.stdout[-500:]}{done.stderr[-1500:]}")
    return done.stdout


def on_host(host: str, command: str, *, check: bool = True) -> str:
    """Output of a shell command as root on a host of the bed (past SSH, so it works in faults)."""
    done = subprocess.run(
        ["docker", "exec", f"mainstay-bed-{host}", "sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{host}: {command}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout


def containers(host: str, running: bool = True) -> dict[str, str]:
    """Image by name of the platform's containers on a host."""
    every = "" if running else "-a"
    text = on_host(
        host,
        f"docker ps {every} --filter label=io.mainstay.platform"
        " --format '{{.Names}} {{.Image}}'",
    )
    return dict(line.split(" ", 1) for line in text.splitlines())


@dataclass
class Load:
    """A load generator at work; C(report) is filled when the block ends."""

    report: dict[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """Requests that got no good answer."""
        return int(self.report["totals"]["failed"])

    @property
    def requests(self) -> int:
        """Requests sent."""
        return int(self.report["totals"]["requests"])

    @property
    def cut(self) -> int:
        """WebSockets that ended before the load did."""
        return int(self.report["totals"]["sockets_cut"])

    @property
    def median(self) -> float:
        """Seconds within which half of the keep-alive clients' good answers came."""
        return float(self.report["modes"]["keepalive"]["latency"]["p50"])

    def first_failure(self) -> str:
        """The first failed request in words, or the first cut; empty when there is none."""
        first = (self.report.get("first_failures") or [None])[0]
        if first is None:
            cut = (self.report.get("cuts") or [{}])[0]
            return " ".join(f"{key} {cut[key]}" for key in ("by", "at", "version") if key in cut)
        keys = ("mode", "class", "method", "version", "detail")
        return " ".join(str(first.get(key, "")) for key in keys).strip()


@contextlib.contextmanager
def load(*flags: str, edge: str = EDGE) -> Iterator[Load]:
    """Constant load on the edge for the block, which begins when all clients have an answer."""
    sys.path.insert(0, str(TESTBED))
    from bed import programs  # the bed's own package, which builds the generator when needed

    WORK.mkdir(parents=True, exist_ok=True)
    handle = Load()
    name = f"load-{os.getpid()}-{time.monotonic_ns()}"
    target, ready = WORK / f"{name}.json", WORK / f"{name}.ready"
    process = subprocess.Popen(
        [
            str(programs.ensure("loadgen")),
            *("-url", f"https://{DOMAIN}", "-resolve", edge, "-insecure"),
            *("-output", str(target), "-ready-file", str(ready), "-duration", "20m"),
            *flags,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _await(ready, process)
        yield handle
        time.sleep(1.0)  # visitors stay a moment longer than what they judge
    finally:
        process.send_signal(signal.SIGTERM)
        _out, errors = process.communicate(timeout=120)
        ready.unlink(missing_ok=True)
    if not target.exists():
        raise AssertionError(f"the load generator left no report: {errors[-1000:]}")
    handle.report = json.loads(target.read_text())
    target.unlink()


def _await(ready: pathlib.Path, process: subprocess.Popen[str]) -> None:
    """Until the load runs, which its file tells."""
    deadline = time.monotonic() + 60
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError("the load generator did not get an answer for each client")
        time.sleep(0.05)
