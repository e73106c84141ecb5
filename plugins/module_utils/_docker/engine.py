# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of docker_release or docker_release_info from arguments to facts."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker import journal, observe
from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import DockerClient
from ansible_collections.mainstay.platform.plugins.module_utils._docker.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._docker.migrate import migrate
from ansible_collections.mainstay.platform.plugins.module_utils._docker.ports import (
    parse_range,
    publishing_address,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.request import Request
from ansible_collections.mainstay.platform.plugins.module_utils._docker.retire import (
    finish,
    revert,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    MIGRATION,
    SERVICE,
    Container,
    ServiceSpec,
    StoreSpec,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.stage import stage
from ansible_collections.mainstay.platform.plugins.module_utils._docker.timer import (
    SystemdTimers,
    Timers,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.workers import switch
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import decode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import exclusive
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Registry
from ansible_collections.mainstay.platform.plugins.module_utils._release.fence import check_fence

STATES: dict[str, Callable[[Context], None]] = {
    "staged": stage,
    "migrated": migrate,
    "switched": switch,
    "finished": finish,
    "reverted": revert,
}
KILL_VARIABLE = "MAINSTAY_KILL_AT"


def request_from(params: Mapping[str, Any]) -> Request:
    """The module's parameters as a request."""
    return Request(
        platform=params["platform"],
        release_id=params.get("release_id") or "",
        services=tuple(decode(ServiceSpec, s) for s in params.get("services") or []),
        from_releases=dict(params.get("from_releases") or {}),
        stores=tuple(decode(StoreSpec, s) for s in params.get("stores") or []),
        registries=tuple(decode(Registry, r) for r in params.get("registries") or []),
        secrets={k: str(v) for k, v in (params.get("secrets") or {}).items()},
        address=publishing_address(params.get("address") or "127.0.0.1"),
        ports=parse_range(params.get("port_range") or "20000-29999"),
        timeout=float(params.get("timeout") or 300.0),
        keep=dict(params.get("keep") or {}),
        keep_warm=float(params.get("keep_warm") or 0.0),
        retain=int(params.get("retain") or 0),
        recreate_stores=tuple(params.get("recreate_stores") or ()),
    )


def release(
    params: Mapping[str, Any],
    client: DockerClient,
    *,
    check: bool,
    timers: Optional[Timers] = None,
    environment: Optional[Mapping[str, str]] = None,
) -> Result:
    """Run one state of docker_release."""
    started = time.monotonic()
    request = request_from(params)
    directory = journal.directory_of(params["state_root"], request.platform)
    check_fence(directory, int(params["fence"]), remember=not check)
    wanted = (os.environ if environment is None else environment).get(KILL_VARIABLE)
    with _alone(directory, check):
        context = Context(
            request=request,
            client=client,
            directory=directory,
            journal=journal.load(directory),
            containers=client.containers(),
            timers=timers or SystemdTimers(),
            check=check,
            kill=journal.kill_switch(params["state_root"], wanted),
        )
        STATES[params["state"]](context)
        if context.actions and not check:
            context.refresh()
    return Result(
        changed=any(not a.endswith("left as it is") for a in context.actions),
        actions=context.actions,
        diff=_diff(context.actions),
        duration=time.monotonic() - started,
        facts={"release": _facts(context)},
    )


def info(params: Mapping[str, Any], client: DockerClient) -> dict[str, Any]:
    """The fact C(host) of docker_release_info."""
    request = request_from(params)
    directory = journal.directory_of(params["state_root"], request.platform)
    context = Context(
        request=request,
        client=client,
        directory=directory,
        journal=journal.load(directory),
        containers=client.containers(),
        timers=SystemdTimers(),
        check=True,
    )
    own, known = context.own(), context.journal
    fingerprints = context.fingerprints()
    services = {
        s.name: observe.service_state(s, fingerprints[s.name], known, own) for s in request.services
    }
    expected = params.get("expected") or known.serving
    serving = {c.name: c for c in own if expected.get(c.service) == c.origin}
    complaints = [f"{c.name}: {observe.complaint(c)}" for c in serving.values()]
    return {
        "address": request.address if params.get("address") else _address(known),
        "containers": [_container(c) for c in own],
        "journal": known.summary(),
        "services": services,
        "stores": {s.name: observe.store_state(s, own) for s in request.stores},
        "unhealthy": sorted(text for text in complaints if not text.endswith(": ")),
    }


def info_before_setup(params: Mapping[str, Any]) -> dict[str, Any]:
    """The fact C(host) of a host that has no Engine yet: nothing of what is described."""
    request = request_from(params)
    known = journal.Journal()
    return {
        "address": request.address if params.get("address") else "",
        "containers": [],
        "journal": known.summary(),
        "services": {s.name: observe.service_state(s, "", known, []) for s in request.services},
        "stores": {s.name: observe.store_state(s, []) for s in request.stores},
        "unhealthy": [],
    }


@contextlib.contextmanager
def _alone(directory: str, check: bool) -> Iterator[None]:
    """One call at a time on a host; check mode writes not even the lock's file."""
    if check:
        yield
        return
    with exclusive(os.path.join(directory, "docker.lock")):
        yield


def _facts(context: Context) -> dict[str, Any]:
    request, own = context.request, context.own()
    record = context.journal.releases.get(request.release_id)
    origins = {
        s.name: request.from_releases.get(s.name, request.release_id) for s in request.services
    }
    origins.update(request.from_releases)
    endpoints: dict[str, list[str]] = {}
    for container in sorted(own, key=lambda c: c.replica):
        wanted = origins.get(container.service) == container.origin
        if wanted and container.kind == SERVICE and container.address and container.running:
            endpoints.setdefault(container.service, []).append(container.address)
    pictures = dict(record.images) if record else {}
    for service, origin in request.from_releases.items():
        old = context.journal.releases.get(origin)
        if old and service in old.images:
            pictures[service] = old.images[service]
    return {
        "release_id": request.release_id,
        "phase": record.phase if record else None,
        "endpoints": endpoints,
        "containers": [_container(c) for c in own if c.kind != MIGRATION],
        "images": pictures,
        "migration": context.migrations,
    }


def _container(container: Container) -> dict[str, Any]:
    return {
        "name": container.name,
        "service": container.service,
        "kind": container.kind,
        "replica": container.replica,
        "origin": container.origin,
        "address": container.address,
        "state": container.state,
        "health": container.health,
        "image": container.image,
    }


def _address(known: journal.Journal) -> str:
    addresses = [known.releases[r].address for r in known.by_age()]
    return next((a for a in reversed(addresses) if a), "")


def _diff(actions: list[str]) -> dict[str, str]:
    return {"before": "", "after": "".join(f"{action}\n" for action in actions)}
