# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services: Deployment, Services, claims and migrations. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.autoscaling import (
    autoscaler,
    budget,
    least_pods,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.flavours import (
    FLAVOURS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    TRACK,
    Manifest,
    count_or_percent,
    manifest,
    selector,
    size,
    whole_seconds,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_config import (
    Configuration,
    configuration,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_namespace import (
    service_account,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_pods import (
    PodNames,
    claim_name,
    one_off_template,
    pod_template,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Service,
    Volume,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_kubernetes import (
    LoadBalancer,
)

#: The track of a service whose releases never kept two side by side.
FIRST = "blue"
#: Puts an object after all others, once the workloads are ready (see k8s_release).
WAVE, AFTER_WORKLOADS = "mainstay.platform/wave", "95"
#: How long a finished migration stays to be looked at.
KEPT_SECONDS = 7 * 86400


@dataclass(frozen=True)
class Tracks:
    """Which of two Deployments of a service is meant, when a release keeps two side by side.

    C(deploy) is the track whose Deployment is made (the first one otherwise), C(serve) the one that
    the Service selects (the same otherwise), C(shared) names services whose Service selects both,
    C(replicas) numbers of pods that differ from the description; C(without) names services whose
    Deployment is left out. C(weights) are the percent of its routes' requests that go to the
    preview of a service instead; zero where they went there before.
    """

    deploy: Mapping[str, str] = field(default_factory=dict)
    serve: Mapping[str, str] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    replicas: Mapping[str, int] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    weights: Mapping[str, float] = field(default_factory=dict)


def preview_name(name: str) -> str:
    """The Service of the track that does not serve."""
    return f"{name}-preview"


def deployment_name(name: str, track: str) -> str:
    """The first Deployment has the name of the service."""
    return name if track == FIRST else f"{name}-{track}"


def _component(service: Service) -> str:
    return "worker" if service.is_worker else "service"


def service_objects(
    platform: Platform,
    service: Service,
    secrets: Mapping[str, str],
    pull_secret: Optional[str],
    tracks: Tracks,
) -> list[Manifest]:
    """Everything of one service but its routes, policies, migration and monitors."""
    configured = configuration(platform, service, secrets)
    names = PodNames(configured, service.name, pull_secret)
    component = _component(service)
    track = tracks.deploy.get(service.name, FIRST)
    serving = tracks.serve.get(service.name, track)
    shared = service.name in tracks.shared
    deployment = _deployment(platform, service, names, track, tracks.replicas.get(service.name))
    found = [
        *configured.objects,
        service_account(platform, service.name, component, service.kubernetes.identity or ""),
        *(_claim(platform, service, volume) for volume in service.volumes),
        None if service.name in tracks.without else deployment,
        *_services(platform, service, track, "" if shared else serving),
        autoscaler(platform, service, deployment_name(service.name, serving)),
        budget(
            platform, service.name, component, least_pods(service), service.kubernetes.disruption
        ),
    ]
    return [item for item in found if item]


def _claim(platform: Platform, service: Service, volume: Volume) -> Manifest:
    storage, flavour = platform.kubernetes.storage_class, FLAVOURS[platform.kubernetes.flavour]
    class_name = storage.name or flavour.storage
    if volume.shared:
        class_name = storage.shared or flavour.shared
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteMany" if volume.shared else "ReadWriteOnce"],
        "resources": {"requests": {"storage": size(volume.size)}},
    }
    if class_name:
        spec["storageClassName"] = class_name
    return manifest(
        platform,
        "v1",
        "PersistentVolumeClaim",
        claim_name(service, volume),
        _component(service),
        part=service.name,
        spec=spec,
    )


def _strategy(service: Service) -> dict[str, Any]:
    if any(not volume.shared and not volume.read_only for volume in service.volumes):
        # Two pods on two nodes could never mount it, so the old one has to end first.
        return {"type": "Recreate"}
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {
            "maxSurge": count_or_percent(service.kubernetes.surge),
            "maxUnavailable": count_or_percent(service.kubernetes.unavailable),
        },
    }


def _deployment(
    platform: Platform,
    service: Service,
    names: PodNames,
    track: str,
    replicas: Optional[int],
) -> Manifest:
    template = pod_template(platform, service, names, track)
    mine = selector(platform, service.name)
    spec: dict[str, Any] = {
        "selector": {"matchLabels": {**mine, TRACK: track}},
        "strategy": _strategy(service),
        "revisionHistoryLimit": platform.release.retain,
        "progressDeadlineSeconds": whole_seconds(platform.release.stage_timeout),
        "template": template,
    }
    # With autoscaling the number of pods belongs to the autoscaler.
    if replicas is not None:
        spec["replicas"] = replicas
    elif service.kubernetes.autoscaling is None:
        spec["replicas"] = service.replicas
    found = manifest(
        platform,
        "apps/v1",
        "Deployment",
        deployment_name(service.name, track),
        _component(service),
        part=service.name,
        version=service.version,
        spec=spec,
    )
    found["metadata"]["labels"][TRACK] = track
    return found


def service_ports(service: Service) -> list[dict[str, Any]]:
    """Ports by name, so that a Service and a monitor mean the same."""
    found = [{"name": "http", "port": service.port, "targetPort": service.port, "protocol": "TCP"}]
    if service.metrics and service.metrics.port != service.port:
        port = service.metrics.port
        found.append({"name": "metrics", "port": port, "targetPort": port, "protocol": "TCP"})
    return found


def _services(platform: Platform, service: Service, track: str, serving: str) -> list[Manifest]:
    """The address inside the cluster, a preview of the other track, a load balancer.

    They come after the workloads, so that a Service never selects pods that are not ready yet.
    """
    if service.port is None:
        return []
    mine = selector(platform, service.name)
    serves = {**mine, TRACK: serving} if serving else mine
    spec: dict[str, Any] = {
        "type": "ClusterIP",
        "selector": serves,
        "ports": service_ports(service),
    }
    late = {WAVE: AFTER_WORKLOADS}
    found = [
        manifest(platform, "v1", "Service", service.name, "service", annotations=late, spec=spec)
    ]
    if track != serving:
        spec = {**spec, "selector": {**mine, TRACK: track}}
        found.append(
            manifest(
                platform,
                "v1",
                "Service",
                preview_name(service.name),
                "preview",
                part=service.name,
                spec=spec,
            )
        )
    if service.kubernetes.load_balancer:
        found.append(_load_balancer(platform, service, service.kubernetes.load_balancer, serves))
    return found


def _load_balancer(
    platform: Platform, service: Service, wanted: LoadBalancer, serves: dict[str, str]
) -> Manifest:
    flavour = FLAVOURS[platform.kubernetes.flavour]
    annotations = dict(flavour.internal if wanted.internal else flavour.public)
    spec: dict[str, Any] = {
        "type": "LoadBalancer",
        "selector": serves,
        "ports": [
            {
                "name": "http",
                "port": wanted.port,
                "targetPort": service.port,
                "protocol": "TCP",
            }
        ],
        # The pods see the client's own address, which session affinity goes by.
        "externalTrafficPolicy": "Local",
    }
    if wanted.sticky:
        annotations.update(flavour.sticky)
        spec["sessionAffinity"] = "ClientIP"
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": wanted.sticky_seconds}}
    if wanted.sources:
        spec["loadBalancerSourceRanges"] = list(wanted.sources)
    return manifest(
        platform,
        "v1",
        "Service",
        f"{service.name}-public",
        "service",
        part=service.name,
        annotations={WAVE: AFTER_WORKLOADS, **annotations, **wanted.annotations},
        spec=spec,
    )


def migration_job(
    platform: Platform,
    service: Service,
    configured: Configuration,
    pull_secret: Optional[str],
    release_id: str,
    revert: bool = False,
) -> Optional[Manifest]:
    """The migration of one release: once, from the new image, with the service's rights."""
    migration = service.migration
    if migration is None or (revert and not migration.revert_command):
        return None
    command = migration.revert_command if revert else migration.command
    names = PodNames(configured, service.name, pull_secret)
    component = "revert" if revert else "migrate"
    suffix = re.sub(r"[^a-z0-9-]", "-", release_id.lower()).strip("-")
    spec = {
        "backoffLimit": 0,
        "completions": 1,
        "parallelism": 1,
        "activeDeadlineSeconds": whole_seconds(migration.timeout),
        "ttlSecondsAfterFinished": KEPT_SECONDS,
        "template": one_off_template(platform, service, names, list(command), "migrate"),
    }
    return manifest(
        platform,
        "batch/v1",
        "Job",
        f"{service.name}-{component}-{suffix}",
        "migrate",
        part=f"{service.name}-migrate",
        version=service.version,
        spec=spec,
    )
