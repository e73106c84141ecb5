# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects for programs beside the platform: the Prometheus operator and Velero. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    COMPONENT,
    Manifest,
    manifest,
    namespace_of,
    selector,
    whole_seconds,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Metrics,
    Platform,
    Service,
)


def monitors(platform: Platform) -> list[Manifest]:
    """A ServiceMonitor for each service with metrics, a PodMonitor for a worker."""
    if not platform.kubernetes.monitors.enabled:
        return []
    return [_monitor(platform, s, s.metrics) for s in platform.services if s.metrics]


def _monitor(platform: Platform, service: Service, metrics: Metrics) -> Manifest:
    interval = whole_seconds(metrics.interval)
    endpoint: dict[str, Any] = {
        "port": "http" if metrics.port == service.port else "metrics",
        "path": metrics.path,
        "interval": f"{interval}s",
        "scrapeTimeout": f"{min(interval, 10)}s",
    }
    kind, endpoints = "PodMonitor", "podMetricsEndpoints"
    wanted: dict[str, Any] = {"matchLabels": selector(platform, service.name)}
    if not service.is_worker:
        kind, endpoints = "ServiceMonitor", "endpoints"
        # Not the preview or the load balancer: each pod would be asked twice.
        wanted["matchLabels"][COMPONENT] = "service"
    spec = {
        "selector": wanted,
        "namespaceSelector": {"matchNames": [namespace_of(platform)]},
        endpoints: [endpoint],
    }
    found = manifest(platform, "monitoring.coreos.com/v1", kind, service.name, "monitor", spec=spec)
    found["metadata"]["labels"].update(platform.kubernetes.monitors.labels)
    return found


def backup_schedule(platform: Platform) -> list[Manifest]:
    """Objects and volumes of the namespace, by Velero."""
    velero = platform.kubernetes.velero
    if not velero.enabled:
        return []
    seconds = whole_seconds(velero.retention)
    template: dict[str, Any] = {
        "includedNamespaces": [namespace_of(platform)],
        "ttl": f"{seconds // 3600}h{seconds % 3600 // 60}m{seconds % 60}s",
    }
    if velero.location:
        template["storageLocation"] = velero.location
    return [
        manifest(
            platform,
            "velero.io/v1",
            "Schedule",
            platform.id,
            "backup",
            part=platform.name,
            namespace=velero.namespace,
            spec={"schedule": velero.schedule, "template": template},
        )
    ]
