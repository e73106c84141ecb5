# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration in a namespace of its own: objects and steps of deploy.yml, no Ansible."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from secrets import token_urlsafe
from typing import Any

import yaml

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    view_release as steps,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.describe import describe
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform
from evidence import bed
from evidence.kubernetes.common import ROOT, Cluster, Manifest

#: 150 clients with five requests a second each, and 200 new connections a second.
VISITORS = ("--clients=150", "--interval=200ms")
FRESH = ("--fresh=10", "--interval=50ms")
SECRETS = {name: f"canary-{token_urlsafe(48)}" for name in ("jwt_secret", "session_key")}
ROUTED, WORKERS = ["api", "web"], ["worker"]


def described(namespace: str, versions: dict[str, str], **env: str) -> Platform:
    """The inventory of the demonstration at C(versions), in C(namespace); C(env) is api's."""
    raw: dict[str, Any] = {}
    for file in sorted((ROOT / "inventories/demo_kubernetes/group_vars/all").glob("*.yml")):
        if file.name != "secrets.yml":
            raw.update(yaml.safe_load(file.read_text(encoding="utf-8")))
    raw["platform_kubernetes"] = {**raw["platform_kubernetes"], "namespace": namespace}
    raw["platform_services"]["api"]["env"].update(env)
    raw["platform_secrets"] = SECRETS
    platform, problems = describe(raw, {"release_versions": versions})
    assert platform is not None, problems
    return platform


class Shop:
    """Three services, released step by step; what serves is remembered as in the ledger."""

    def __init__(self, cluster: Cluster, **env: str) -> None:
        self.cluster, self.env = cluster, env
        self.current: dict[str, Any] | None = None
        self.versions = dict.fromkeys([*ROUTED, *WORKERS], "1.0.0")
        self.number = 0

    def release(self, strategy: str, keep_warm: float = 0.0, **versions: str) -> dict[str, Any]:
        """Bring these versions with C(strategy); the answer of the last step, or a failed one."""
        self.number += 1
        wanted = {**self.versions, **versions}
        platform = described(self.cluster.namespace, wanted, **self.env)
        plan = {"kind": "deploy", "strategy": strategy, "services": ROUTED, "workers": WORKERS}
        identity = f"r{self.number}"
        # What deploy.yml asks for first; a right that is missing anywhere on the way is told here.
        desired = steps.wanted_now(platform, SECRETS, self.current)
        planned = {"state": "planned", "prune": False, "keep_warm": keep_warm}
        if "failed" in (done := self._apply(identity, desired, **planned)):
            return done
        for manifests in self._steps(platform, plan):
            done = self._apply(identity, manifests, prune=False)
            if "failed" in done:
                return done
        last = steps.step_manifests(platform, SECRETS, plan, self.current, 100.0)
        done = self._apply(identity, last, keep_warm=keep_warm)
        if "release" in done:
            self._remember(identity, steps.staged(platform, plan, self.current, None), wanted)
        return done

    def _steps(self, platform: Platform, plan: dict[str, Any]) -> Iterator[list[Manifest]]:
        yield steps.stage_manifests(platform, SECRETS, plan, self.current)
        if plan["strategy"] == "canary":
            for step in platform.release.canary[:-1]:
                yield steps.step_manifests(platform, SECRETS, plan, self.current, step.share)
        yield steps.step_manifests(platform, SECRETS, plan, self.current, 100.0)

    def _apply(self, identity: str, manifests: list[Manifest], **more: Any) -> dict[str, Any]:
        # The namespace is made and taken away by the row itself.
        return self.cluster.release(
            [m for m in manifests if m["kind"] != "Namespace"], identity, timeout=120.0, **more
        )

    def _remember(self, identity: str, staged: dict[str, Any], versions: dict[str, str]) -> None:
        services = {
            name: {"origin": identity, "version": versions[name], "endpoints": {"cluster": places}}
            for name, places in staged["endpoints"].items()
        }
        self.current, self.versions = {"id": identity, "services": services}, versions

    def back(self) -> dict[str, Any]:
        """Back to what the last good release was, as a release that failed goes back."""
        self.number += 1
        assert self.current is not None
        words = {"state": "rolled_back", "to": self.current["id"], "timeout": 120.0}
        return self.cluster.release([], f"r{self.number}-back", **words)

    def address(self, service: str = "api") -> str:
        """Host and port of a Service, from a host of the cluster."""
        spec = self.cluster.get("service", service)["spec"]
        return f"{spec['clusterIP']}:{spec['ports'][0]['port']}"


def sources() -> str:
    """Addresses of this machine that pods can answer to, with commas between."""
    shown = subprocess.run(["ip", "-json", "-4", "address"], capture_output=True, check=True)
    links = json.loads(shown.stdout)
    found = [a["local"] for link in links for a in link["addr_info"] if a["scope"] == "global"]
    return ",".join(sorted(found))


class Loads:
    """Several load generators as one."""

    def __init__(self, loads: list[bed.Load]) -> None:
        self.loads = loads

    @property
    def failed(self) -> int:
        """Requests that got no good answer."""
        return sum(load.failed for load in self.loads)

    @property
    def requests(self) -> int:
        """Requests sent."""
        return sum(load.requests for load in self.loads)

    def first_failure(self) -> str:
        """The first failed request in words; empty when there is none."""
        return next((text for load in self.loads if (text := load.first_failure())), "")


@contextlib.contextmanager
def load(address: str, path: str = "/api/echo") -> Iterator[Loads]:
    """Keep-alive clients with GET and POST, and new connections from several addresses."""
    _await(f"http://{address}{path}")
    where = (f"-url=http://{address}", "-resolve=", f"-path={path}")
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(bed.load(*where, *VISITORS))
        fresh = stack.enter_context(bed.load(*where, *FRESH, f"-sources={sources()}"))
        yield Loads([kept, fresh])


def _await(url: str) -> None:
    """Until a new Service is known to the last rule of the network."""
    deadline, row = time.monotonic() + 30, 0
    while row < 20:
        assert time.monotonic() < deadline, f"{url} does not answer"
        try:
            with urllib.request.urlopen(url, timeout=5):
                row += 1
        except OSError:
            row = 0
            time.sleep(0.1)
