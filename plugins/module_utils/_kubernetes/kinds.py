# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds that every cluster serves: their place in the API, and when they come in a release.

The plural and the scope of a built-in kind never change within a version of its API, so nothing has
to be asked about them; the API server is asked about all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Resource:
    """Where objects of a kind are: C(/apis/<group>/<version>/[namespaces/<ns>/]<plural>/<name>)."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The group; empty for the core."""
        return self.api_version.partition("/")[0] if "/" in self.api_version else ""

    @property
    def group_kind(self) -> str:
        """C(Deployment.apps), as an ApplySet writes it."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of the collection, or of one object."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        if self.namespaced and namespace:
            root += f"/namespaces/{namespace}"
        return f"{root}/{self.plural}" + (f"/{name}" if name else "")


# apiVersion -> kinds, with the plural where it is not the kind in small letters and an s;
# a kind in capital letters behind "cluster:" has no namespace.
_NAMESPACED = {
    "v1": (
        "ConfigMap Endpoints:endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate "
        "ReplicationController ResourceQuota Secret Service ServiceAccount"
    ),
    "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling/v1": "HorizontalPodAutoscaler",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "batch/v1": "CronJob Job",
    "coordination.k8s.io/v1": "Lease",
    "discovery.k8s.io/v1": "EndpointSlice",
    "events.k8s.io/v1": "Event",
    "networking.k8s.io/v1": "Ingress:ingresses NetworkPolicy:networkpolicies",
    "policy/v1": "PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "Role RoleBinding",
    "storage.k8s.io/v1": "CSIStorageCapacity:csistoragecapacities",
}
_CLUSTER = {
    "v1": "Namespace Node PersistentVolume",
    "admissionregistration.k8s.io/v1": (
        "MutatingWebhookConfiguration ValidatingAdmissionPolicy:validatingadmissionpolicies "
        "ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration"
    ),
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "apiregistration.k8s.io/v1": "APIService",
    "networking.k8s.io/v1": "IngressClass:ingressclasses",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding",
    "scheduling.k8s.io/v1": "PriorityClass:priorityclasses",
    "storage.k8s.io/v1": "CSIDriver CSINode StorageClass:storageclasses VolumeAttachment",
}


def _table() -> dict[tuple[str, str], Resource]:
    found = {}
    for namespaced, kinds in ((True, _NAMESPACED), (False, _CLUSTER)):
        for api_version, words in kinds.items():
            for word in words.split():
                kind, _colon, plural = word.partition(":")
                plural = plural or f"{kind.lower()}s"
                found[api_version, kind] = Resource(api_version, kind, plural, namespaced)
    return found


BUILT_IN: dict[tuple[str, str], Resource] = _table()


def built_in(api_version: str, kind: str) -> Optional[Resource]:
    """The resource of a kind that every cluster has."""
    return BUILT_IN.get((api_version, kind))


#: Kinds that hold what cannot be made again; they are never removed without being asked for.
IRREPLACEABLE = (
    "CustomResourceDefinition",
    "Namespace",
    "PersistentVolume",
    "PersistentVolumeClaim",
)
#: Kind -> wave. Anything else, so every custom resource, comes with C(OTHER).
WAVES = {
    "Namespace": 0,
    "CustomResourceDefinition": 0,
    "PriorityClass": 5,
    "StorageClass": 5,
    "ResourceQuota": 10,
    "LimitRange": 10,
    "ServiceAccount": 15,
    "ClusterRole": 15,
    "Role": 15,
    "ClusterRoleBinding": 20,
    "RoleBinding": 20,
    "NetworkPolicy": 20,
    "ConfigMap": 25,
    "Secret": 25,
    "PersistentVolume": 30,
    "PersistentVolumeClaim": 30,
    "Service": 35,
    "StatefulSet": 40,
    "Job": 50,
    "DaemonSet": 60,
    "Deployment": 60,
    "Pod": 60,
    "ReplicaSet": 60,
    "CronJob": 65,
    "PodDisruptionBudget": 65,
    "Ingress": 70,
    "HTTPRoute": 70,
    "HorizontalPodAutoscaler": 80,
    "ValidatingWebhookConfiguration": 90,
    "MutatingWebhookConfiguration": 90,
    "APIService": 90,
}
OTHER = 55
#: Everything below this wave is ready before anything in it or after it is applied.
WORKLOADS = 60
