# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that must not go through: what they leave, what visitors see, what is said."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

from evidence import bed
from evidence.docker.common import COMMAND, changed, inject, leftovers, serving
from evidence.evidence import Figure, Row

GOAL = (
    "rolled_back or refused, return code not 0, old version everywhere, 0 failed,"
    " reason in the last 20 lines"
)
START = "1.0.0"
CLIENTS = 50


@dataclass(frozen=True)
class Fault:
    """A release that must fail: what is deployed, what breaks, which word the reason must hold.

    C(allowed) says which failed requests are excused (the canary's share, what was in flight on a
    dead host); C(broken) surrounds the whole run, C(around) the visitors too, C(environment) breaks
    something at a task. C(edge) is where the visitors go.
    """

    version: str
    reason: str
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] | None = None
    broken: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext
    around: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext
    excused: Callable[[dict[str, Any]], int] = lambda report: 0
    inventory: str = bed.INVENTORY
    edge: str = bed.EDGE


def measure(fault: Fault, repeats: int) -> Figure:
    """Run the fault once under load and hold everything against the goal."""
    bed.settle(START)
    before = serving()
    visitors = bed.load("--clients", str(CLIENTS), "--ws", "5", edge=fault.edge)
    with fault.around(), visitors as load, fault.broken():
        run = bed.deploy(
            fault.version,
            *fault.arguments,
            environment=fault.environment,
            inventory=fault.inventory,
        )
    came_back = serving() == before
    after = bed.deploy(START)
    release_id = str((run.report.get("release") or {}).get("id") or "none")
    lost = load.failed - fault.excused(load.report)
    facts = {
        f"outcome {run.outcome}": run.outcome in ("rolled_back", "refused", "unreachable"),
        f"rc {run.code}": run.code != 0,
        "old version on all hosts": came_back and serving() == before,
        "nothing left behind": not leftovers(release_id),
        f"{lost} of {load.requests} failed": lost <= 0,
        "reason in the last 20 lines": fault.reason in run.tail(20),
        f"next run {after.outcome}": after.outcome in ("unchanged", "deployed"),
    }
    wrong = [name for name, holds in facts.items() if not holds]
    text = ", ".join(f"NOT {n}" if n in wrong else n for n in facts)
    return Figure(text, "", not wrong)


@contextlib.contextmanager
def host_rule(host: str, rule: str) -> Iterator[None]:
    """A firewall rule on a host for the length of the block."""
    bed.on_host(host, f"iptables -I {rule}")
    try:
        yield
    finally:
        bed.on_host(host, f"iptables -D {rule}")


@contextlib.contextmanager
def testbed_fault(host: str, fault: str, mend: str) -> Iterator[None]:
    """One of the bed's faults for the length of the block."""
    bed.testbed("fault", host, fault)
    try:
        yield
    finally:
        bed.testbed("fault", host, mend)


@contextlib.contextmanager
def two_edges() -> Iterator[None]:
    """A second edge for the length of the block; it loses its Nginx and gets it back."""
    bed.testbed("up", "edge2")
    joined = bed.play("site.yml", "-e", f"release_version={START}", *SECOND_EDGE)
    if joined.code != 0:
        raise AssertionError(f"the second edge did not join:\n{joined.tail()}")
    try:
        yield
    finally:
        bed.on_host("edge2", "systemctl start nginx")
        healed = bed.deploy(START, *SECOND_EDGE)
        if healed.code != 0:
            raise AssertionError(f"the second edge was not healed:\n{healed.tail()}")


@contextlib.contextmanager
def mended(*commands: tuple[str, str]) -> Iterator[None]:
    """Faults that a callback causes in the middle are mended after the run."""
    try:
        yield
    finally:
        for host, mend in commands:
            bed.testbed("fault", host, mend, check=False)


def errors_of_the_canary(report: dict[str, Any]) -> int:
    """Failed requests that the bad version itself answered."""
    return int((report["versions"].get("2.0.0-errors") or {}).get("failed", 0))


def in_flight(report: dict[str, Any]) -> int:
    """Requests on their way on the dead host: they got no answer and ran into their time-out.

    Each client has one request in the air, so there can be no more of them than clients.
    """
    unanswered = int((report["failures"] or {}).get("timeout", 0))
    return min(unanswered, CLIENTS)


def _smoke_fails(services: dict[str, Any]) -> None:
    services["api"]["smoke"] = [{"path": "/api/health", "contains": "words that never come"}]


NEVER_HEALTHY = "OUTPUT -p tcp --dport 3000 -m conntrack --ctstate NEW -j REJECT"
REGISTRY_DOWN = "tests/testbed/fault registry registry-down"
SECOND_EDGE = ("-i", "tests/testbed/second_edge")
PROBER = "4/6 Start the prober"
STAGE = "3/6 Stage the new version beside the old one"

FAULTS: dict[str, tuple[str, Fault]] = {
    "host-never-healthy": (
        "host 3 of 3 gets a version that never turns healthy",
        Fault("1.1.0", "app3", broken=lambda: host_rule("app3", NEVER_HEALTHY)),
    ),
    "never-healthy": (
        "a version that never turns healthy anywhere",
        Fault("2.0.0-unhealthy", "health"),
    ),
    "exits-at-start": ("a version that exits at start", Fault("2.0.0-exit", "exit")),
    "migration-fails": ("a migration that fails", Fault("2.0.0-migrate-fails", "migrat")),
    "canary-errors": (
        "canary with 20 % errors",
        Fault(
            "2.0.0-errors",
            "failed",
            ("-e", "release_strategy=canary"),
            excused=errors_of_the_canary,
        ),
    ),
    "second-edge-errors": (
        "canary with 20 % errors, all visitors on the second edge",
        Fault(
            "2.0.0-errors",
            "edge2",
            ("-e", "release_strategy=canary", *SECOND_EDGE),
            around=two_edges,
            excused=errors_of_the_canary,
            edge="172.30.77.12",
        ),
    ),
    "smoke-fails": (
        "smoke fails after the switch",
        Fault("1.1.0", "words that never come", changed("smoke", _smoke_fails, "services")),
    ),
    "registry-dies": (
        "registry dies in the middle",
        Fault(
            "1.1.0",
            "registry",
            environment=inject("before", STAGE, REGISTRY_DOWN),
            broken=lambda: mended(("registry", "registry-up")),
        ),
    ),
    "disk-full": (
        "disk full on one host",
        Fault("1.2.0", "app2", broken=lambda: testbed_fault("app2", "disk-full", "disk-free")),
    ),
    "second-edge": (
        "one of two edges refuses the switch",
        Fault(
            "1.1.0",
            "edge2",
            SECOND_EDGE,
            environment=inject(
                "before",
                "4/6 rolling 3 of 3: app3",
                "docker exec mainstay-bed-edge2 systemctl stop nginx",
            ),
            broken=two_edges,
        ),
    ),
    "host-unreachable": (
        "one app host becomes unreachable between stage and switch, and comes back later",
        Fault(
            "1.1.0",
            "  app3 became unreachable",  # and no other host is blamed
            environment=inject("before", PROBER, "tests/testbed/fault app3 unreachable"),
            broken=lambda: mended(("app3", "back")),
            excused=in_flight,
        ),
    ),
}


def _row(name: str) -> Row:
    what, fault = FAULTS[name]
    return Row(
        f"fault-{name}",
        what,
        GOAL,
        COMMAND.format(f"fault-{name}"),
        lambda repeats: measure(fault, repeats),
    )


def edge_reload(repeats: int) -> Figure:
    """A configuration that Nginx accepts and then does not serve, on both Debian versions."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/integration/edge", "-k", RELOADS],
        cwd=bed.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        stdin=subprocess.DEVNULL,
    )
    return Figure(done.stdout.strip().splitlines()[-1], "", done.returncode == 0)


RELOADS = "put_back or invalid_configuration or survive_a_reload"
ROWS = [
    *[_row(name) for name in FAULTS],
    Row(
        "fault-edge-reload",
        "edge reload fails",
        "the tree before is put back and serves",
        COMMAND.format("fault-edge-reload"),
        edge_reload,
    ),
]
