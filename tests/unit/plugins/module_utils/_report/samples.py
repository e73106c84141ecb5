# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs as the recorder sees them, for tests of documents, pages and pictures."""

from __future__ import annotations

from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._report.document import document
from ansible_collections.mainstay.platform.plugins.module_utils._report.extract import (
    Extract,
    extract,
)
from ansible_collections.mainstay.platform.plugins.module_utils._report.model import Run
from ansible_collections.mainstay.platform.plugins.module_utils._report.recorder import Recorder

#: 2026-11-21 06:15:00 UTC
ZERO = 1795241700.0

HOSTS = ("edge1", "app1", "app2", "app3")


def stats(release: dict[str, Any], **more: Any) -> Extract:
    """What a C(set_stats) task of the release flow leaves."""
    data = {"mainstay": {"release": release, **more}}
    return Extract(stats=({"data": data, "aggregate": False, "per_host": False},))


class Script:
    """Writes a run as a list of lines: who did what for how long."""

    def __init__(self, playbook: str = "deploy.yml", **more: Any) -> None:
        run = Run(playbook=playbook, started=ZERO, controller="runner-7", who="mira", **more)
        self.recorder = Recorder(run)
        self.now = ZERO + 0.3
        self._keys = 0

    def play(self, name: str) -> None:
        """A play begins."""
        self.recorder.play(name, self.now)

    def task(
        self,
        name: str,
        took: dict[str, tuple[str, float]],
        step: str = "",
        found: Extract | None = None,
        message: str = "",
    ) -> None:
        """A task in which each host of C(took) ends with a status after some seconds."""
        self._keys += 1
        key = f"task-{self._keys}"
        path = f"roles/release/tasks/flow.yml:{self._keys * 7}"
        self.recorder.task(key, name, path, "mainstay.platform.some", self.now, step)
        for number, host in enumerate(took):
            self.recorder.host_started(key, host, self.now + 0.01 * number)
        for host, (status, seconds) in sorted(took.items(), key=lambda pair: pair[1][1]):
            bad = status in ("failed", "unreachable")
            result = {"msg": message, "invocation": {}} if bad else {"invocation": {}}
            plain = extract(result, action="mainstay.platform.some", failed=bad)
            self.recorder.host_done(key, host, status, self.now + seconds, found or plain)
        self.now += max(seconds for _status, seconds in took.values()) + 0.05

    def document(self, **counts: dict[str, int]) -> dict[str, Any]:
        """The document of the finished run."""
        return document(self.recorder.finish(self.now, counts))


def everywhere(status: str, *seconds: float) -> dict[str, tuple[str, float]]:
    """All four hosts with C(status), each with its time (the last one repeats)."""
    given = [*seconds, *[seconds[-1]] * len(HOSTS)]
    return {host: (status, given[number]) for number, host in enumerate(HOSTS)}


SERVICES = {
    "api": {"from": "1.0.0", "to": "1.1.0"},
    "web": {"from": "1.0.0", "to": "1.1.0"},
    "worker": {"from": "1.0.0", "to": "1.1.0"},
}

PROOF = {
    "requests": 12420,
    "failed": 0,
    "slow": 3,
    "p50": 0.0041,
    "p95": 0.0123,
    "phases": {
        "before": {"requests": 4020, "failed": 0, "slow": 0, "p50": 0.004, "p95": 0.0112},
        "batch 1 of 3": {"requests": 2811, "failed": 0, "slow": 2, "p50": 0.0042, "p95": 0.0131},
        "after": {"requests": 5589, "failed": 0, "slow": 1, "p50": 0.0041, "p95": 0.0119},
    },
}


def gate(name: str, outcome: str, **more: Any) -> Extract:
    """The result of one gate."""
    facts = {"name": name, "outcome": outcome, "samples": 120, "seconds": 6.02, **more}
    return Extract(gates=(facts,), module_runs=1)


def deployed() -> dict[str, Any]:
    """A release that went well: six steps, three batches, gates and proof."""
    script = Script()
    script.play("1/6 Preflight")
    script.task("Describe the platform and check the run variables", {"edge1": ("ok", 0.8)})
    script.task("Observe what runs", everywhere("ok", 0.5, 0.9, 0.8, 1.0))
    script.play("2/6 to 6/6 Release")
    script.task("2/6 Take the lock", {"edge1": ("changed", 0.5)}, "2/6 Lock")
    stage = {"app1": ("changed", 6.2), "app2": ("changed", 7.9), "app3": ("changed", 6.6)}
    script.task("3/6 Stage everywhere", stage, "3/6 Stage and migrate")
    script.task("3/6 Migrate once", {"app1": ("changed", 2.2)}, "3/6 Stage and migrate")
    for batch in (1, 2, 3):
        step = "4/6 Switch"
        script.task(f"4/6 batch {batch} of 3", {"edge1": ("changed", 0.7)}, step)
        found = gate(
            f"smoke after batch {batch} of 3",
            "passed",
            kind="http",
            observed="200 in 0.011 s",
            expected="200 within 2 s",
        )
        script.task("4/6 Smoke checks", {"edge1": ("ok", 1.2)}, step, found)
        found = gate(
            f"edge after batch {batch} of 3",
            "passed",
            kind="edge",
            observed={"error_percent": 0.0, "p95": 0.012},
            expected={"error_percent": "at most 1", "p95": "at most 1"},
        )
        script.task("4/6 Error share and latency at the edge", {"edge1": ("ok", 2.4)}, step, found)
    proof = Extract(proofs=(PROOF,), module_runs=1)
    script.task("5/6 Stop the prober", {"edge1": ("changed", 0.6)}, "5/6 Verify", proof)
    script.task("6/6 Finish", everywhere("changed", 0.4, 1.0, 1.1, 0.9), "6/6 Finish")
    release = {
        "id": "20261121T061500Z-1a2b3c",
        "kind": "deploy",
        "platform": "demo-production",
        "outcome": "deployed",
        "strategy": "rolling",
        "services": SERVICES,
        "seconds": 30.1,
    }
    summary = [
        "demo-production: deploy 20261121T061500Z-1a2b3c is deployed after 30.1 s",
        *(f"{name} serves 1.1.0 (before: 1.0.0)" for name in SERVICES),
        "proof: 12420 requests through the edge, 0 failed, 3 slow",
    ]
    following = [
        "ansible-playbook status.yml -i inventories/demo",
        "ansible-playbook rollback.yml -i inventories/demo",
    ]
    done = stats(release, summary=summary, next=following)
    script.task("Leave the result where machines find it", {"edge1": ("ok", 0.02)}, "6/6 End", done)
    return script.document()


REASON = """\
api: the container exits right after its start
  found: exit status 3 after 1.2 s
  expected: healthy within 60 s
  | starting api 2.0.0 on :3000
  | panic: cannot read /run/secrets/jwt
  next: look at the log with docker logs demo-production-api-1-1a2b3c"""


def rolled_back() -> dict[str, Any]:
    """One host of three cannot start the new version; a gate is held as well."""
    script = Script(job_id="4711")
    script.play("1/6 Preflight")
    script.task("Observe what runs", everywhere("ok", 0.5, 0.9, 0.8, 1.0))
    script.play("2/6 to 6/6 Release")
    stage = {"app1": ("changed", 6.2), "app2": ("changed", 5.1), "app3": ("failed", 3.4)}
    script.task("3/6 Stage everywhere", stage, "3/6 Stage and migrate", message=REASON)
    found = gate(
        "metrics: error share",
        "held",
        kind="metric",
        observed="no data",
        expected="at most 1 %",
        samples=0,
        evidence=["query sum(rate(http_requests_total[1m])) gave no point in 60 s"],
    )
    script.task("4/6 Metrics", {"edge1": ("ignored", 2.0)}, "4/6 Switch", found)
    back = {"app1": ("changed", 2.0), "app2": ("changed", 2.2), "app3": ("changed", 1.0)}
    script.task("6/6 Take the new version away", back, "6/6 Revert")
    release = {
        "id": "20261121T061500Z-1a2b3c",
        "platform": "demo-production",
        "outcome": "rolled_back",
        "strategy": "canary",
        "services": {"api": {"from": "1.0.0", "to": "2.0.0-broken"}},
        "reason": "api: the container exits right after its start",
    }
    summary = [
        "demo-production: deploy 20261121T061500Z-1a2b3c was rolled back after 14.2 s",
        "api still serves 1.0.0",
        "reason: Stage everywhere (app3)",
    ]
    following = ["ansible-playbook deploy.yml -i inventories/demo --check --diff"]
    done = stats(release, summary=summary, next=following)
    script.task("Leave the result where machines find it", {"edge1": ("ok", 0.02)}, "6/6 End", done)
    return script.document(app3={"ok": 2, "failures": 1}, edge1={"ok": 3, "failures": 1})


def hostile() -> dict[str, Any]:
    """Every name is an attack on the page."""
    bad = "<script>alert('x')</script>\"'&<img src=x onerror=alert(1)>"
    script = Script(playbook=bad)
    script.play(bad)
    took = {bad: ("failed", 1.0), "app2": ("changed", 2.0)}
    script.task(bad, took, bad, message=bad)
    found = gate(bad, bad, kind=bad, observed={bad: bad}, expected=[bad], evidence=bad)
    script.task(bad, {bad: ("ok", 1.0)}, bad, found)
    proof = Extract(proofs=({"requests": 1, "phases": {bad: {"requests": bad}}},))
    script.task(bad, {bad: ("ok", 1.0)}, bad, proof)
    release = {"id": bad, "outcome": bad, "services": {bad: {"from": bad, "to": bad}}}
    script.task(bad, {bad: ("ok", 0.1)}, bad, stats(release, summary=[bad, bad], next=[bad]))
    return script.document()


def long_run(hosts: int = 60, tasks: int = 300) -> dict[str, Any]:
    """Many hosts, many short tasks, one long one."""
    script = Script(playbook="site.yml")
    names = [f"node{number:02d}.example.internal" for number in range(1, hosts + 1)]
    for part in range(3):
        script.play(f"{part + 1}/3 Part with a rather long name that has to wrap somewhere")
        for number in range(tasks // 3):
            took = {
                name: ("changed" if (i + number) % 9 == 0 else "ok", 0.2 + (i * number % 7) / 20)
                for i, name in enumerate(names)
            }
            script.task(f"Task {number}", took)
    script.task("Wait for the slow one", {names[7]: ("failed", 1800.0)}, message="timed out")
    return script.document()
