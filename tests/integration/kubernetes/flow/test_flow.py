# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""deploy.yml, rollback.yml and status.yml on a real cluster, as somebody types them."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[4]
HERE = pathlib.Path(__file__).resolve().parent
PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"
LEDGERS = pathlib.Path("/var/lib/mainstay")

pytestmark = pytest.mark.long


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Flow:
    """The demonstration under a name of its own, with what stands in for an ingress controller."""

    def __init__(self, kubeconfig: str, kubectl: str) -> None:
        self.name = f"flow{uuid.uuid4().hex[:6]}"
        self.namespace = self.name
        self._kubectl = kubectl
        self.environment = {
            **os.environ,
            "KUBECONFIG": kubeconfig,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "PATH": f"{pathlib.Path(kubectl).parent}:{os.environ['PATH']}",
        }
        self.port = free_port()
        places = ("/=web:4200", "/api=api:3000", "/socket.io=api:3000")
        self.front = subprocess.Popen(
            [sys.executable, str(HERE / "front.py"), str(self.port), self.namespace, *places],
            env=self.environment,
        )

    def command(self, playbook: str, *words: str) -> list[str]:
        """The command line."""
        cluster = {
            "namespace": self.namespace,
            "limit_range": {
                "default": {"cpu": "500m", "memory": "128Mi"},
                "default_request": {"cpu": "10m", "memory": "16Mi"},
            },
        }
        return [
            str(PLAYBOOK),
            playbook,
            "-i",
            str(ROOT / "inventories/demo_kubernetes"),
            "-e",
            json.dumps({"platform_name": self.name, "platform_kubernetes": cluster}),
            "-e",
            f"release_kubernetes_address=127.0.0.1 release_kubernetes_port={self.port}",
            *words,
        ]

    def run(self, playbook: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook to its end."""
        return subprocess.run(
            self.command(playbook, *words),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )

    def kubectl(self, *words: str) -> str:
        """The answer of kubectl."""
        done = subprocess.run(
            [self._kubectl, "-n", self.namespace, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.stdout

    def serving(self) -> dict[str, str]:
        """Service -> version of the Deployment whose pods it selects."""
        found = {}
        items = json.loads(self.kubectl("get", "deployments,services", "-o", "json"))["items"]
        for service in (i for i in items if i["kind"] == "Service"):
            wanted = service["spec"]["selector"].items()
            for item in (i for i in items if i["kind"] == "Deployment"):
                template = item["spec"]["template"]
                if wanted <= template["metadata"]["labels"].items():
                    image = template["spec"]["containers"][0]["image"]
                    found[service["metadata"]["name"]] = image.rpartition(":")[2]
        return found

    def uid(self, deployment: str) -> str:
        """Which very Deployment has the name; empty when none has."""
        path = "jsonpath={.metadata.uid}"
        return self.kubectl("get", "deployment", deployment, "-o", path, "--ignore-not-found")

    def end(self) -> None:
        """Leave nothing behind."""
        self.front.terminate()
        self.front.wait(10)
        self.kubectl("delete", "namespace", self.namespace, "--wait=false")
        for path in LEDGERS.glob(f"{self.name}-*"):
            shutil.rmtree(path)


@pytest.fixture
def flow(kubeconfig: str) -> Iterator[Flow]:
    """A platform that was never released."""
    own = ROOT / "build/testbed/kubernetes/bin/kubectl"
    found = Flow(kubeconfig, str(own) if own.exists() else str(shutil.which("kubectl")))
    yield found
    found.end()


def proof(done: subprocess.CompletedProcess[str]) -> tuple[int, int]:
    """(requests, failed) of the prober."""
    match = re.search(r"proof: (\d+) requests through the edge, (\d+) failed", done.stdout)
    assert match, done.stdout[-3000:]
    return int(match.group(1)), int(match.group(2))


def good(done: subprocess.CompletedProcess[str], judged: bool = True) -> None:
    """It went through, and no request was lost on the way."""
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    if judged:
        requests, failed = proof(done)
        assert requests > 20
        assert failed == 0


@pytest.mark.parametrize("strategy", ["rolling", "blue_green", "canary"])
def test_a_release_a_bad_one_and_the_way_back(flow: Flow, strategy: str) -> None:
    chosen = ("-e", f"release_strategy={strategy}")
    good(flow.run("deploy.yml", *chosen), judged=False)
    assert {flow.serving()[n] for n in ("api", "web")} == {"1.0.0"}
    again = flow.run("deploy.yml", *chosen)
    assert "needs no change" in again.stdout
    assert "changed=0" in again.stdout

    good(flow.run("deploy.yml", *chosen, "-e", "release_version=1.1.0"))
    assert {flow.serving()[n] for n in ("api", "web")} == {"1.1.0"}

    bad = flow.run("deploy.yml", *chosen, "-e", 'release_versions={"web":"2.0.0-exit"}')
    assert bad.returncode != 0
    assert "was rolled back" in bad.stdout
    assert "broken on purpose" in bad.stdout  # the last line of the container
    if strategy == "rolling":  # the others fail before anything is switched
        assert proof(bad)[1] == 0
    assert {flow.serving()[n] for n in ("api", "web")} == {"1.1.0"}

    good(flow.run("rollback.yml"))
    assert {flow.serving()[n] for n in ("api", "web")} == {"1.0.0"}
    status = flow.run("status.yml")
    assert status.returncode == 0, status.stdout
    assert "api 1.0.0" in status.stdout


def test_the_old_version_is_warm_for_a_while_and_then_goes(flow: Flow) -> None:
    release = {"strategy": "blue_green", "keep_warm": "15m", "drain": "5s", "stage_timeout": "2m"}
    chosen = ("-e", json.dumps({"platform_release": release}))
    good(flow.run("deploy.yml", *chosen), judged=False)
    first = {n: flow.uid(n) for n in ("api", "web")}
    good(flow.run("deploy.yml", *chosen, "-e", "release_version=1.1.0"))
    assert {n: flow.uid(n) for n in ("api", "web")} == first, "they are warm"
    good(flow.run("rollback.yml", *chosen))
    assert {n: flow.uid(n) for n in ("api", "web")} == first, "going back was a flip"
    assert not flow.kubectl("get", "jobs", "-l", "mainstay.platform/clock", "-o", "name")

    chosen = ("-e", json.dumps({"platform_release": {**release, "keep_warm": "10s"}}))
    good(flow.run("deploy.yml", *chosen, "-e", "release_version=1.2.0"))
    deadline = time.monotonic() + 60
    while flow.uid("api") or flow.uid("web"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert {flow.serving()[n] for n in ("api", "web")} == {"1.2.0"}
    again = flow.run("deploy.yml", *chosen, "-e", "release_version=1.2.0")
    assert again.returncode == 0 and "changed=0" in again.stdout, again.stdout[-3000:]
    good(flow.run("rollback.yml", *chosen))
    assert {flow.serving()[n] for n in ("api", "web")} == {"1.0.0"}


def test_a_run_that_was_killed_is_healed_by_the_next(flow: Flow) -> None:
    good(flow.run("deploy.yml"), judged=False)
    with subprocess.Popen(
        flow.command("deploy.yml", "-e", "release_version=1.1.0"),
        cwd=ROOT,
        env=flow.environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.startswith("TASK") and "4/6 rolling" in line:
                break
        time.sleep(1.0)  # in the midst of it
        os.killpg(run.pid, signal.SIGKILL)
    healed = flow.run("deploy.yml")
    assert healed.returncode == 0, healed.stdout[-4000:]
    assert {flow.serving()[n] for n in ("api", "web")} == {"1.0.0"}
    assert "2/6 Heal release" in healed.stdout
