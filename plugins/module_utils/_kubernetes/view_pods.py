# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod of a service: hardened, limited, probed, ended without losing a request. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.flavours import (
    FLAVOURS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    TRACK,
    labels,
    resources,
    selector,
    whole_seconds,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_config import (
    Configuration,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Service,
    Volume,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_kubernetes import (
    ProbeTimes,
)

SECRETS_PATH = "/run/secrets"
#: First port that every user may open where nothing else is said.
UNPRIVILEGED = 1024
#: Room for temporary files of one directory; a pod that takes more is moved away.
SCRATCH = "1Gi"


@dataclass(frozen=True)
class PodNames:
    """What a pod refers to; C(account) is its ServiceAccount, C(pull_secret) its logins."""

    configuration: Configuration
    account: str
    pull_secret: Optional[str] = None


def image_of(service: Service) -> str:
    """By digest where one is known."""
    if service.digest:
        return f"{service.image}@{service.digest}"
    return f"{service.image}:{service.version}"


def container_security(read_only: bool = True) -> dict[str, Any]:
    """What the level restricted asks of a container, and a read-only root file system."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": read_only,
    }


def pod_security(user: int, group: int, lowest_port: int = UNPRIVILEGED) -> dict[str, Any]:
    """What the level restricted asks of a pod.

    A port below 1024 is opened to all users of the pod, as Docker does, by a setting that the level
    allows; no capability is needed for it.
    """
    found: dict[str, Any] = {
        "fsGroup": group,
        "fsGroupChangePolicy": "OnRootMismatch",
        "runAsGroup": group,
        "runAsNonRoot": True,
        "runAsUser": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if lowest_port < UNPRIVILEGED:
        found["sysctls"] = [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    return found


def user_and_group(text: str) -> tuple[int, int]:
    """C("1001:1001") as numbers."""
    user, _colon, group = text.partition(":")
    return int(user), int(group or user)


def _asked(service: Service, path: Optional[str]) -> Optional[dict[str, Any]]:
    """What a probe asks; nothing for a worker without a command."""
    if path and service.port:
        return {"httpGet": {"path": path, "port": service.port, "scheme": "HTTP"}}
    if service.health.command:
        return {"exec": {"command": list(service.health.command)}}
    return {"tcpSocket": {"port": service.port}} if service.port else None


def _times(times: ProbeTimes) -> dict[str, Any]:
    return {
        "initialDelaySeconds": whole_seconds(times.initial_delay, 0),
        "periodSeconds": whole_seconds(times.period),
        "timeoutSeconds": whole_seconds(times.timeout),
        "failureThreshold": times.failures,
    }


def probes(service: Service) -> dict[str, Any]:
    """Startup, liveness and readiness.

    The startup probe gives a slow start all of C(health.grace); only after it do the others ask.
    """
    health, times = service.health, service.kubernetes.probes
    alive = _asked(service, health.path)
    ready = _asked(service, health.readiness or health.path)
    if alive is None or ready is None:
        return {}
    period = whole_seconds(health.interval)
    startup = {
        "periodSeconds": period,
        "timeoutSeconds": whole_seconds(health.timeout),
        "failureThreshold": max(1, -(-whole_seconds(health.grace) // period)),
    }
    return {
        "startupProbe": {**alive, **startup},
        "livenessProbe": {**alive, **_times(times.liveness)},
        "readinessProbe": {**ready, **_times(times.readiness)},
    }


def _ports(service: Service) -> list[dict[str, Any]]:
    found = []
    if service.port:
        found.append({"name": "http", "containerPort": service.port, "protocol": "TCP"})
    if service.metrics and service.metrics.port != service.port:
        port = service.metrics.port
        found.append({"name": "metrics", "containerPort": port, "protocol": "TCP"})
    return found


def claim_name(service: Service, volume: Volume) -> str:
    """Of a PersistentVolumeClaim."""
    return f"{service.name}-{volume.name}"


def _mounted(
    service: Service, names: PodNames
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(volumes, mounts)."""
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []
    for index, path in enumerate(service.writable if service.read_only_root else ()):
        volumes.append({"name": f"writable-{index}", "emptyDir": {"sizeLimit": SCRATCH}})
        mounts.append({"name": f"writable-{index}", "mountPath": path})
    for volume in service.volumes:
        claim = {"claimName": claim_name(service, volume)}
        if volume.read_only:
            claim["readOnly"] = True  # type: ignore[assignment]
        volumes.append({"name": volume.name, "persistentVolumeClaim": claim})
        mount: dict[str, Any] = {"name": volume.name, "mountPath": volume.path}
        mounts.append({**mount, "readOnly": True} if volume.read_only else mount)
    if names.configuration.files:
        source = {"secretName": names.configuration.files, "defaultMode": 0o440}
        volumes.append({"name": "secret-files", "secret": source})
        mounts.append({"name": "secret-files", "mountPath": SECRETS_PATH, "readOnly": True})
    return volumes, mounts


def _container(service: Service, names: PodNames, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    sources: list[dict[str, Any]] = []
    if names.configuration.variables:
        sources.append({"configMapRef": {"name": names.configuration.variables}})
    if names.configuration.secret_variables:
        sources.append({"secretRef": {"name": names.configuration.secret_variables}})
    found: dict[str, Any] = {
        "name": service.name,
        "image": image_of(service),
        "imagePullPolicy": "IfNotPresent",
        "securityContext": container_security(service.read_only_root),
        "resources": resources(service.resources),
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if service.command:
        found["command"] = list(service.command)
    if sources:
        found["envFrom"] = sources
    if mounts:
        found["volumeMounts"] = mounts
    return found


def _apart(platform: Platform, service: Service) -> dict[str, Any]:
    """Pods of one service on different nodes and in different zones."""
    wanted, found = service.kubernetes, {}
    mine = {"matchLabels": selector(platform, service.name)}
    term = {"labelSelector": mine, "topologyKey": "kubernetes.io/hostname"}
    if wanted.affinity == "required":
        rule: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
        found["affinity"] = {"podAntiAffinity": rule}
    elif wanted.affinity == "preferred":
        weighed = [{"weight": 100, "podAffinityTerm": term}]
        rule = {"preferredDuringSchedulingIgnoredDuringExecution": weighed}
        found["affinity"] = {"podAntiAffinity": rule}
    if wanted.zones != "none":
        spread = {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule"
            if wanted.zones == "required"
            else "ScheduleAnyway",
            "labelSelector": mine,
        }
        found["topologySpreadConstraints"] = [spread]  # type: ignore[assignment]
    return found


def pod_template(
    platform: Platform, service: Service, names: PodNames, track: str
) -> dict[str, Any]:
    """The pods of a service.

    A pod that is told to end goes on serving for C(kubernetes.drain): that long it takes until the
    last proxy knows. Only then does the program get its signal, and C(stop_grace) to end.
    """
    flavour, wanted = FLAVOURS[platform.kubernetes.flavour], service.kubernetes
    component = "worker" if service.is_worker else "service"
    marks = labels(platform, service.name, component, service.version)
    marks[TRACK] = track
    if wanted.identity:
        marks.update(flavour.identity_labels)
    volumes, mounts = _mounted(service, names)
    container = _container(service, names, mounts)
    container.update(probes(service))
    if _ports(service):
        container["ports"] = _ports(service)
    drain = 0 if service.is_worker else whole_seconds(wanted.drain, 0)
    if drain:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": drain}}}
    spec = {
        **_shared_spec(platform, service, names),
        **_apart(platform, service),
        "containers": [container],
        "terminationGracePeriodSeconds": drain + whole_seconds(service.stop_grace),
    }
    if volumes:
        spec["volumes"] = volumes
    return {"metadata": {"labels": marks}, "spec": spec}


def _shared_spec(platform: Platform, service: Service, names: PodNames) -> dict[str, Any]:
    user, group = user_and_group(service.user)
    found: dict[str, Any] = {
        "serviceAccountName": names.account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(user, group, service.port or UNPRIVILEGED),
    }
    if platform.kubernetes.priority_class.name:
        found["priorityClassName"] = platform.kubernetes.priority_class.name
    if names.pull_secret:
        found["imagePullSecrets"] = [{"name": names.pull_secret}]
    if service.kubernetes.node_selector:
        found["nodeSelector"] = dict(service.kubernetes.node_selector)
    return found


def one_off_template(
    platform: Platform, service: Service, names: PodNames, command: list[str], component: str
) -> dict[str, Any]:
    """A pod of the service's image that runs C(command) once, with the same rights."""
    volumes, mounts = _mounted(service, names)
    container = {**_container(service, names, mounts), "command": command}
    spec = {
        **_shared_spec(platform, service, names),
        "containers": [container],
        "restartPolicy": "Never",
    }
    if volumes:
        spec["volumes"] = volumes
    name = f"{service.name}-{component}"
    return {
        "metadata": {"labels": labels(platform, name, component, service.version)},
        "spec": spec,
    }
