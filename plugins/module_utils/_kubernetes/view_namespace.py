# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The namespace and what holds for all of it: limits, accounts, rights, classes. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.flavours import (
    FLAVOURS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    Manifest,
    manifest,
    namespace_of,
    resource_list,
    size,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform

PART = "platform"
RBAC = "rbac.authorization.k8s.io"
#: What a release makes, by API group.
KINDS: dict[str, tuple[str, ...]] = {
    "": ("configmaps", "persistentvolumeclaims", "secrets", "serviceaccounts", "services"),
    "apps": ("deployments", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "coordination.k8s.io": ("leases",),
    "gateway.networking.k8s.io": ("httproutes",),
    "monitoring.coreos.com": ("podmonitors", "servicemonitors"),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
}
WRITE = ["create", "delete", "get", "list", "patch", "update", "watch"]
READ = ["get", "list", "watch"]


def namespace_objects(platform: Platform) -> list[Manifest]:
    """The namespace, its limits and rights, and the classes that are made with it."""
    found = [_namespace(platform)]
    found += _quota(platform)
    found += _limit_range(platform)
    found += _access(platform)
    found += _classes(platform)
    return found


def _namespace(platform: Platform) -> Manifest:
    level = platform.kubernetes.pod_security
    found = manifest(platform, "v1", "Namespace", namespace_of(platform), PART, part=platform.name)
    for mode in ("audit", "enforce", "warn"):
        found["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] = level
        found["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}-version"] = "latest"
    return found


def _quota(platform: Platform) -> list[Manifest]:
    quota = platform.kubernetes.quota
    hard: dict[str, str] = {}
    for kind, amounts in (("requests", quota.requests), ("limits", quota.limits)):
        for key, value in resource_list(amounts.cpu, amounts.memory).items():
            hard[f"{kind}.{key}"] = value
    if quota.pods:
        hard["pods"] = str(quota.pods)
    if quota.volumes:
        hard["persistentvolumeclaims"] = str(quota.volumes)
    if quota.storage:
        hard["requests.storage"] = size(quota.storage)
    if not hard:
        return []
    spec = {"hard": hard}
    return [manifest(platform, "v1", "ResourceQuota", platform.name, PART, spec=spec)]


def _limit_range(platform: Platform) -> list[Manifest]:
    limits = platform.kubernetes.limit_range
    item: dict[str, Any] = {
        key: resource_list(amounts.cpu, amounts.memory)
        for key, amounts in (
            ("default", limits.default),
            ("defaultRequest", limits.default_request),
            ("max", limits.maximum),
        )
        if amounts.cpu or amounts.memory
    }
    if not item:
        return []
    spec = {"limits": [{"type": "Container", **item}]}
    return [manifest(platform, "v1", "LimitRange", platform.name, PART, spec=spec)]


def service_account(platform: Platform, name: str, component: str, identity: str = "") -> Manifest:
    """An account whose token is not mounted; C(identity) is who its pods are in the cloud."""
    key = FLAVOURS[platform.kubernetes.flavour].identity
    return manifest(
        platform,
        "v1",
        "ServiceAccount",
        name,
        component,
        annotations={key: identity} if key and identity else None,
        automountServiceAccountToken=False,
    )


def deployer_rules() -> list[dict[str, Any]]:
    """What a release needs in the namespace, and nothing beyond it."""
    made = [
        {"apiGroups": [group], "resources": list(kinds), "verbs": WRITE}
        for group, kinds in sorted(KINDS.items())
    ]
    seen = [
        {"apiGroups": [""], "resources": ["events", "pods", "pods/log"], "verbs": READ},
        {"apiGroups": [""], "resources": ["limitranges", "resourcequotas"], "verbs": READ},
        {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": READ},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": READ},
    ]
    return made + seen


def viewer_rules() -> list[dict[str, Any]]:
    """Everything but the values of Secrets."""
    found = []
    for group, kinds in sorted(KINDS.items()):
        readable = [kind for kind in kinds if kind != "secrets"]
        found.append({"apiGroups": [group], "resources": readable, "verbs": READ})
    return [
        *found,
        {"apiGroups": [""], "resources": ["events", "pods", "pods/log"], "verbs": READ},
        {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": READ},
    ]


def _access(platform: Platform) -> list[Manifest]:
    access, found = platform.kubernetes.access, []
    for name, groups, rules in (
        ("deployer", access.deployers, deployer_rules()),
        ("viewer", access.viewers, viewer_rules()),
    ):
        if not groups:
            continue
        full = f"{platform.name}-{name}"
        subjects = [{"kind": "Group", "apiGroup": RBAC, "name": group} for group in groups]
        reference = {"apiGroup": RBAC, "kind": "Role", "name": full}
        found.append(manifest(platform, f"{RBAC}/v1", "Role", full, PART, rules=rules))
        found.append(
            manifest(
                platform,
                f"{RBAC}/v1",
                "RoleBinding",
                full,
                PART,
                roleRef=reference,
                subjects=subjects,
            )
        )
    return found


def _classes(platform: Platform) -> list[Manifest]:
    found, cluster = [], platform.kubernetes
    priority, storage = cluster.priority_class, cluster.storage_class
    if priority.name and priority.value is not None:
        found.append(
            manifest(
                platform,
                "scheduling.k8s.io/v1",
                "PriorityClass",
                priority.name,
                PART,
                value=priority.value,
                globalDefault=False,
                description=f"Pods of the platform {platform.name}",
            )
        )
    if storage.name and storage.create:
        flavour = FLAVOURS[cluster.flavour]
        found.append(
            manifest(
                platform,
                "storage.k8s.io/v1",
                "StorageClass",
                storage.name,
                PART,
                provisioner=storage.provisioner or flavour.provisioner,
                parameters=storage.parameters or flavour.parameters,
                reclaimPolicy=storage.reclaim,
                allowVolumeExpansion=True,
                volumeBindingMode="WaitForFirstConsumer",
            )
        )
    return found
