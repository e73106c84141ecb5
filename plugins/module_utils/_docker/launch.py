# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing up one container: create, start, wait, or say why it did not become ready."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker import health
from ansible_collections.mainstay.platform.plugins.module_utils._docker.check import (
    OwnCheck,
    command_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._docker.recipe import (
    RESTART,
    service_recipe,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.secrets import (
    directory_name,
    environment_of,
    files_of,
    owner_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    WORKER,
    ServiceSpec,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.watch import (
    Cancelled,
    Probe,
    Watch,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

#: How long a new worker must stay up before it counts as started.
STEADY_SECONDS = 2.0


@dataclass(frozen=True)
class Order:
    """One container to bring up. C(port) is its host port, C(kind) differs for a migration."""

    spec: ServiceSpec
    replica: int
    origin: str
    name: str
    image: str
    secrets: str
    port: int = 0
    kind: Optional[str] = None
    fresh_secrets: bool = True


@dataclass
class Launcher:
    """Creates, starts and watches containers; shared by the threads of one call."""

    context: Context
    watch: Watch
    json_logs: bool
    deadline: float

    def create(self, order: Order) -> None:
        """Write the secrets, note the container in the journal, create it."""
        context, spec = self.context, order.spec
        place = directory_name(order.secrets, spec.config_hash)
        environment = self._environment(order, place)
        recipe = service_recipe(
            spec,
            platform=context.request.platform,
            origin=order.origin,
            replica=order.replica,
            image=order.image,
            environment=environment,
            secrets=order.secrets,
            secrets_directory=context.secrets.directory(place),
            publish=(context.request.address, order.port) if order.port else None,
            json_logs=self.json_logs,
            kind=order.kind,
        )
        context.kill("secrets")
        context.note("created", order.name)
        context.client.create(order.name, recipe)
        context.kill("created")

    def _environment(self, order: Order, place: str) -> dict[str, str]:
        """The variables that hold secrets: from the arguments, or as kept with an old release."""
        secrets = self.context.secrets
        if not order.secrets:
            return {}
        if not order.fresh_secrets:
            return secrets.environment(place)
        values = self.context.request.secrets
        environment = environment_of(order.spec, values)
        secrets.write(place, files_of(order.spec, values), environment, owner_of(order.spec.user))
        return environment

    def start(self, name: str) -> None:
        """Start a container; events are followed from before that."""
        self.watch.follow(name)
        self.context.client.start(name)
        self.context.kill("started")

    def wait_ready(self, name: str, spec: ServiceSpec, steady: float = 0.0) -> None:
        """Return once the container is ready; MainstayError with evidence when it is not."""
        self.watch.follow(name)
        inspected = self.context.client.inspect(name)
        seen, checked = health.seen_in(inspected)
        asked = spec.port is not None and spec.health.path is not None
        wanted = health.Wanted(
            probe=spec.port is not None, check=checked and not asked, steady=steady
        )
        limit = min(spec.health.grace, max(self.deadline - time.monotonic(), 0.1))
        verdict, text, seen = self.watch.until_ready(
            name,
            wanted,
            probe_of(spec, inspected),
            interval=spec.health.interval,
            limit=limit,
            seen=seen,
            check=self._own_check(name, spec, inspected) if wanted.check else None,
        )
        if verdict == health.READY:
            self.context.kill("healthy")
            policy = (inspected.get("HostConfig") or {}).get("RestartPolicy") or {}
            if policy.get("Name") != RESTART:
                self.context.client.restart_always(name)
            return
        raise self.context.failure(
            name,
            text,
            code=seen.exit_code,
            oom=seen.oom,
            probe=seen.probe[1] if seen.probe else "",
            expected=f"healthy within {limit:.0f} s",
        )

    def _own_check(self, name: str, spec: ServiceSpec, inspected: dict[str, Any]) -> OwnCheck:
        return OwnCheck(
            self.context.client, name, command_of(inspected), max(spec.health.timeout, 0.1)
        )

    def steady_time(self, spec: ServiceSpec) -> float:
        """How long a new worker has to stay up; one with a check at most until its second turn."""
        if spec.kind != WORKER:
            return 0.0
        checked = [spec.health.interval] if spec.health.command else []
        return min(STEADY_SECONDS, spec.health.grace, *checked)

    def wait_needs(self, spec: ServiceSpec) -> None:
        """A program that ends when its store is not there yet must not fail a first release."""
        delay = health.FIRST_PROBE_SECONDS
        limit = min(self.deadline, time.monotonic() + max(spec.health.grace, 1.0))
        for need in spec.needs:
            while True:
                passed, text = health.probe_tcp(need.host, need.port, 2.0)
                if passed:
                    break
                if time.monotonic() > limit:
                    raise MainstayError(
                        f"store {need.store} cannot be reached from this host",
                        subject=f"service {spec.name}",
                        found=text,
                        expected=f"{need.host}:{need.port} accepts connections",
                        next_step="look at the store and at the firewall between the hosts",
                    )
                if self.watch.cancelled.wait(delay):
                    raise Cancelled("stopped because another container failed", subject=spec.name)
                delay = health.next_delay(delay, spec.health.interval)


def probe_of(spec: ServiceSpec, inspected: dict[str, Any]) -> Optional[Probe]:
    """Our own probe: HTTP at the published address, or a connection to the program's port."""
    published = published_address(inspected)
    if spec.port is None or published is None:
        return None
    host, port = published
    path, timeout = spec.health.path, spec.health.timeout
    if path:
        return lambda: health.probe_http(host, port, path, timeout)
    # A published port accepts connections even when nobody listens behind the Engine's proxy,
    # so without a path the program itself is asked.
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    inside = next((n.get("IPAddress") for n in networks.values() if n.get("IPAddress")), host)
    return lambda: health.probe_tcp(str(inside), int(spec.port or 0), timeout)


def published_address(inspected: dict[str, Any]) -> Optional[tuple[str, int]]:
    """Host address and port from the container's own configuration."""
    bindings = (inspected.get("HostConfig") or {}).get("PortBindings") or {}
    for entries in bindings.values():
        for entry in entries or []:
            return str(entry.get("HostIp") or "127.0.0.1"), int(entry["HostPort"])
    return None
