# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many pods: by load, and at least while nodes are drained. Pure."""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    Manifest,
    count_or_percent,
    manifest,
    selector,
    whole_seconds,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Service,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_kubernetes import (
    Scaling,
)


def _metric(name: str, percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def _behaviour(scaling: Scaling) -> dict[str, Any]:
    policy = {
        "type": "Percent",
        "value": scaling.percent,
        "periodSeconds": whole_seconds(scaling.period),
    }
    return {
        "stabilizationWindowSeconds": whole_seconds(scaling.window, 0),
        "selectPolicy": "Max",
        "policies": [policy],
    }


def autoscaler(platform: Platform, service: Service, deployment: str) -> Optional[Manifest]:
    """A HorizontalPodAutoscaler (v2) for the Deployment that serves."""
    wanted = service.kubernetes.autoscaling
    if wanted is None:
        return None
    metrics = [
        _metric(name, percent)
        for name, percent in (("cpu", wanted.cpu), ("memory", wanted.memory))
        if percent
    ]
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment},
        "minReplicas": wanted.minimum,
        "maxReplicas": wanted.maximum,
        "metrics": metrics,
        "behavior": {"scaleUp": _behaviour(wanted.up), "scaleDown": _behaviour(wanted.down)},
    }
    return manifest(
        platform,
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        service.name,
        "service",
        version=service.version,
        spec=spec,
    )


def least_pods(service: Service) -> int:
    """Pods that are always wanted."""
    scaling = service.kubernetes.autoscaling
    return scaling.minimum if scaling else service.replicas


def budget(
    platform: Platform, name: str, component: str, pods: int, unavailable: str
) -> Optional[Manifest]:
    """A PodDisruptionBudget; none for a single pod, which no node could be drained of."""
    if pods < 2:
        return None
    spec = {
        "maxUnavailable": count_or_percent(unavailable),
        "selector": {"matchLabels": selector(platform, name)},
        # A pod that is not ready protects nobody and must not keep a node from being drained.
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return manifest(platform, "policy/v1", "PodDisruptionBudget", name, component, spec=spec)
