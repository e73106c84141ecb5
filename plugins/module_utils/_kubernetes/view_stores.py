# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores in the cluster: StatefulSet, Services, Secret, and the jobs that keep them well. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.autoscaling import (
    budget,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.flavours import (
    FLAVOURS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    ROLE,
    Manifest,
    labels,
    manifest,
    resources,
    selector,
    size,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_config import (
    config_map,
    secret,
    value_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_namespace import (
    service_account,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_pods import (
    SCRATCH,
    container_security,
    pod_security,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_store_kinds import (  # noqa: E501
    DATA_PATHS,
    PEER_PORTS,
    PORTS,
    SECRETS,
    Shape,
    environment_list,
    shape_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Store,
)

COMPONENT = "store"
#: A store may have to write out or replay a log before it ends or answers.
STOP_SECONDS = 120
START_SECONDS = 600


def nodes_of(store: Store) -> int:
    """Pods of the main StatefulSet."""
    if store.kind == "redis" and store.kubernetes.shards:
        return store.kubernetes.shards * (1 + store.replicas)
    return 1 if store.kind == "postgres" else 1 + store.replicas


def store_objects(
    platform: Platform, store: Store, secrets: Mapping[str, str], pull_secret: Optional[str]
) -> list[Manifest]:
    """Everything of one store in the cluster but its policies and jobs."""
    user, cookie = f"store {store.name}", store.kubernetes.cluster_secret
    password = value_of(secrets, store.password, user) if store.password else ""
    shared = value_of(secrets, cookie, user) if cookie else ""
    found = [service_account(platform, store.name, COMPONENT)]
    kinds = [(False, store.name, nodes_of(store))]
    if store.kind == "postgres" and store.replicas:
        kinds.append((True, f"{store.name}-read", store.replicas))
    for replica, name, count in kinds:
        shape = shape_of(platform, store, password, shared, replica)
        files = secret(platform, store.name, f"{name}-files", shape.files)
        found.append(files)
        scripts = None
        if shape.scripts:
            scripts = config_map(platform, store.name, f"{name}-scripts", shape.scripts)
            found.append(scripts)
        role = "replica" if replica else "primary"
        mounted = (files["metadata"]["name"], scripts["metadata"]["name"] if scripts else "")
        found.append(_set(platform, store, name, count, role, shape, mounted, pull_secret))
        found += _services(platform, store, name, role)
        found.append(_budget(platform, store, name, count, role) or {})
    return [item for item in found if item]


def _role_selector(platform: Platform, store: Store, role: str) -> dict[str, str]:
    return {**selector(platform, store.name), ROLE: role}


def _budget(
    platform: Platform, store: Store, name: str, count: int, role: str
) -> Optional[Manifest]:
    found = budget(platform, name, COMPONENT, count, "1")
    if found:
        found["metadata"]["labels"].update(selector(platform, store.name))
        found["spec"]["selector"] = {"matchLabels": _role_selector(platform, store, role)}
    return found


def _services(platform: Platform, store: Store, name: str, role: str) -> list[Manifest]:
    chosen = _role_selector(platform, store, role)
    ports = [{"name": store.kind, "port": store.port, "targetPort": PORTS[store.kind]}]
    peers = [{"name": f"peer-{p}", "port": p, "targetPort": p} for p in PEER_PORTS[store.kind]]
    for port in (*ports, *peers):
        port["protocol"] = "TCP"
    client = {"type": "ClusterIP", "selector": chosen, "ports": ports}
    # Members find each other before they are ready.
    headless = {
        "type": "ClusterIP",
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": chosen,
        "ports": [*ports, *peers],
    }
    return [
        manifest(platform, "v1", "Service", named, COMPONENT, part=store.name, spec=spec)
        for named, spec in ((name, client), (f"{name}-headless", headless))
    ]


def _probe(
    shape: Shape, period: int, timeout: int, failures: int, delay: int = 0
) -> dict[str, Any]:
    found = {
        "exec": {"command": shape.probe},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }
    return {**found, "initialDelaySeconds": delay} if delay else found


def _volumes(
    store: Store, shape: Shape, mounted: tuple[str, str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(volumes, mounts) beside the data."""
    files, scripts = mounted
    volumes: list[dict[str, Any]] = [
        {"name": "files", "secret": {"secretName": files, "defaultMode": 0o440}}
    ]
    data = store.volume
    mounts: list[dict[str, Any]] = [
        {
            "name": data.name if data else "data",
            "mountPath": (data.path if data else "") or DATA_PATHS[store.kind],
        },
        {"name": "files", "mountPath": SECRETS, "readOnly": True},
    ]
    for index, path in enumerate(shape.scratch):
        volumes.append({"name": f"scratch-{index}", "emptyDir": {"sizeLimit": SCRATCH}})
        mounts.append({"name": f"scratch-{index}", "mountPath": path})
    if scripts:
        volumes.append({"name": "scripts", "configMap": {"name": scripts, "defaultMode": 0o555}})
        path = "/docker-entrypoint-initdb.d"
        mounts.append({"name": "scripts", "mountPath": path, "readOnly": True})
    if shape.shared_memory:
        memory = {"medium": "Memory", "sizeLimit": shape.shared_memory}
        volumes.append({"name": "shared-memory", "emptyDir": memory})
        mounts.append({"name": "shared-memory", "mountPath": "/dev/shm"})
    return volumes, mounts


def _pod(
    platform: Platform,
    store: Store,
    shape: Shape,
    mounted: tuple[str, str],
    pull_secret: Optional[str],
) -> dict[str, Any]:
    volumes, mounts = _volumes(store, shape, mounted)
    port = PORTS[store.kind]
    base = {
        "image": f"{store.image}:{store.version}",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": container_security(),
        "resources": resources(store.resources),
        "env": environment_list(shape),
        "volumeMounts": mounts,
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    container = {
        "name": store.kind,
        **base,
        "ports": [{"name": store.kind, "containerPort": port, "protocol": "TCP"}],
        # A start that replays a long log is not a failure.
        "startupProbe": _probe(shape, 5, 10, START_SECONDS // 5),
        "livenessProbe": _probe(shape, 30, 10, 3, 60),
        "readinessProbe": _probe(shape, 5, 5 if store.kind != "rabbitmq" else 10, 3, 10),
    }
    if shape.command:
        container["command"] = shape.command
    user = store.kubernetes.user
    spec: dict[str, Any] = {
        "serviceAccountName": store.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(user, user),
        "terminationGracePeriodSeconds": STOP_SECONDS,
        "containers": [container],
        "volumes": volumes,
    }
    if shape.prepare:
        spec["initContainers"] = [{"name": "prepare", **base, "command": shape.prepare}]
    if platform.kubernetes.priority_class.name:
        spec["priorityClassName"] = platform.kubernetes.priority_class.name
    if pull_secret:
        spec["imagePullSecrets"] = [{"name": pull_secret}]
    return spec


def _apart(platform: Platform, store: Store) -> dict[str, Any]:
    """Members of one store on different nodes: soft, so that a small cluster still starts."""
    mine = {"matchLabels": selector(platform, store.name)}
    term = {"labelSelector": mine, "topologyKey": "kubernetes.io/hostname"}
    return {
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 100, "podAffinityTerm": term}
                ]
            }
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": mine,
            }
        ],
    }


def _set(
    platform: Platform,
    store: Store,
    name: str,
    count: int,
    role: str,
    shape: Shape,
    mounted: tuple[str, str],
    pull_secret: Optional[str],
) -> Manifest:
    pod = _pod(platform, store, shape, mounted, pull_secret)
    if count > 1 or store.replicas:
        pod.update(_apart(platform, store))
    marks = {**labels(platform, store.name, COMPONENT, store.version), ROLE: role}
    spec = {
        "serviceName": f"{name}-headless",
        "replicas": count,
        # Members of a cluster wait for each other, so they must start together.
        "podManagementPolicy": "OrderedReady" if store.kind == "postgres" else "Parallel",
        "updateStrategy": {"type": "RollingUpdate"},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "selector": {"matchLabels": _role_selector(platform, store, role)},
        "template": {"metadata": {"labels": marks}, "spec": pod},
        "volumeClaimTemplates": [_claim(platform, store)],
    }
    return manifest(
        platform,
        "apps/v1",
        "StatefulSet",
        name,
        COMPONENT,
        part=store.name,
        version=store.version,
        spec=spec,
    )


def _claim(platform: Platform, store: Store) -> Manifest:
    """Without labels of a version: the template of a claim can never be changed."""
    storage, flavour = platform.kubernetes.storage_class, FLAVOURS[platform.kubernetes.flavour]
    volume = store.volume
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size(volume.size if volume else 0)}},
    }
    if storage.name or flavour.storage:
        spec["storageClassName"] = storage.name or flavour.storage
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": volume.name if volume else "data",
            "labels": selector(platform, store.name),
        },
        "spec": spec,
    }
