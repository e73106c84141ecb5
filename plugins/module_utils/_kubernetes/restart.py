# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of k8s_restart: services get new pods, one service after the other, without a gap."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    backup_arguments,
    naming,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import (
    Cluster,
    Object,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import (
    BUILT_IN,
    Resource,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    Item,
    key_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ready import predicates
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.records import Records
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.rights import (
    require,
    rights,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.verdict import Rules
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.wait import Wait
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result

RESTARTED = "mainstay.platform/restarted"
KINDS = ("Deployment", "StatefulSet", "DaemonSet")
_NAME = "app.kubernetes.io/name"


@dataclass(frozen=True)
class Workload:
    """A workload of a service, and the mark that its pods carry now."""

    service: str
    resource: Resource
    live: Object
    before: Optional[str]

    def __str__(self) -> str:
        return str(key_of(self.live))


def restart(
    params: Mapping[str, Any],
    cluster: Cluster,
    *,
    check: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Run k8s_restart."""
    started = clock()
    problems = backup_arguments.id_problems("restart_id", params["restart_id"])
    problems += [f"services: {text}" for n in params["services"] if (text := naming.label(n))]
    if text := naming.label(params["namespace"]):
        problems.append(f"namespace: {text}")
    if not backup_arguments.lasting(params["timeout"]):
        problems.append(f"timeout: found {params['timeout']}, expected seconds")
    if problems:
        raise backup_arguments.wrong(problems)
    namespace = str(params["namespace"])
    wanted = rights(
        namespace,
        "configmaps: get",
        *(f"apps/{k.lower()}s: get list watch patch" for k in KINDS),
        "pods: list watch",
    )
    require(cluster, wanted, "restart services")
    parent = Records(cluster, str(params["platform"]), namespace).parent()
    backup_arguments.check_fence(int(params["fence"]), parent)
    found = _workloads(params, cluster, {(m.key.kind, m.key.name) for m in parent.members})
    actions = [f"restart {w} ({w.service})" for w in found]
    ready: dict[str, float] = {}
    if not check:
        for workload in found:
            _one(params, cluster, workload, ready, clock)
    facts = {"restart": {"id": params["restart_id"], "ready": ready}}
    return Result(changed=bool(found), actions=actions, duration=clock() - started, facts=facts)


def _workloads(
    params: Mapping[str, Any], cluster: Cluster, mine: set[tuple[str, str]]
) -> list[Workload]:
    """In the order in which they are named; those that have no pods are left alone."""
    found: list[Workload] = []
    names: set[str] = set()
    for kind in KINDS:
        resource = BUILT_IN["apps/v1", kind]
        for live in cluster.find(resource, str(params["namespace"]))[0]:
            metadata, spec = live["metadata"], live["spec"]
            if (kind, metadata["name"]) not in mine:
                continue
            service = str((metadata.get("labels") or {}).get(_NAME) or metadata["name"])
            names.add(service)
            template = (spec.get("template") or {}).get("metadata") or {}
            before = (template.get("annotations") or {}).get(RESTARTED)
            if spec.get("replicas", 1) != 0:
                found.append(Workload(service, resource, live, before))
    wanted = list(params["services"]) or sorted({w.service for w in found if _stateless(w)})
    unknown = sorted(set(wanted) - names)
    if unknown or not wanted:
        raise MainstayError(
            "there are no such services; nothing was changed",
            subject=f"platform {params['platform']}, namespace {params['namespace']}",
            found=", ".join(sorted(names)) or "no service",
            expected=", ".join(unknown) or "a service",
            next_step="look at services, and at status.yml",
        )
    return [w for name in wanted for w in found if w.service == name]


def _stateless(workload: Workload) -> bool:
    """Without names only services are restarted; a store is restarted when it is named."""
    return workload.resource.kind != "StatefulSet"


def _one(
    params: Mapping[str, Any],
    cluster: Cluster,
    workload: Workload,
    ready: dict[str, float],
    clock: Callable[[], float],
) -> None:
    now = clock()
    live = _mark(cluster, workload, str(params["restart_id"]))
    item = Item(key_of(live), workload.resource, live, 0)
    wait = Wait(
        cluster,
        predicates(KINDS, ()),
        Rules(),
        now + float(params["timeout"]),
        clock,
        started=now,
    )
    try:
        wait.until_ready([item], {item.key: live})
    except MainstayError as error:
        # The pods before are still there: they take over again.
        _mark(cluster, workload, workload.before)
        error.evidence = (*error.evidence, "its pods of before serve on; it was put back")
        raise
    ready[str(workload)] = round(clock() - now, 3)


def _mark(cluster: Cluster, workload: Workload, mark: Optional[str]) -> Object:
    """Another template makes other pods. No release describes this mark, so none takes it away."""
    patch = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: mark}}}}}
    metadata = workload.live["metadata"]
    done = cluster.merge(workload.resource, metadata["namespace"], metadata["name"], patch)
    return {**done, "apiVersion": "apps/v1", "kind": workload.resource.kind}
