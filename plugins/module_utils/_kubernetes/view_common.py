# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all objects of the view share: labels, names, quantities, hashes, order. Pure."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
from typing import Any, Optional, Union

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Resources,
)

Manifest = dict[str, Any]

NAME = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"
COMPONENT = "app.kubernetes.io/component"
#: Which of two Deployments of one service a pod belongs to (blue_green, canary).
TRACK = "mainstay.io/track"
#: Primary or replica of a store.
ROLE = "mainstay.io/role"
MANAGER = "mainstay"
LONGEST_LABEL = 63
#: Order in which objects are made: what others need comes first.
ORDER = (
    "PriorityClass",
    "StorageClass",
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "NetworkPolicy",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
    "Service",
    "StatefulSet",
    "Job",
    "CronJob",
    "Deployment",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
    "Ingress",
    "HTTPRoute",
    "ServiceMonitor",
    "PodMonitor",
    "Schedule",
)
CLUSTER_WIDE = ("PriorityClass", "StorageClass", "Namespace")


def namespace_of(platform: Platform) -> str:
    """The namespace of the platform."""
    return platform.kubernetes.namespace or platform.id


def label_value(text: str) -> str:
    """C(text) as the value of a label: a tag may be longer, and hold what a label may not."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:LONGEST_LABEL].strip("._-")


def selector(platform: Platform, name: str) -> dict[str, str]:
    """Labels that never change, by which the pods of a part are found."""
    return {NAME: name, INSTANCE: platform.id}


def labels(platform: Platform, name: str, component: str, version: str = "") -> dict[str, str]:
    """The recommended labels of an object of part C(name)."""
    found = {
        **selector(platform, name),
        COMPONENT: component,
        "app.kubernetes.io/part-of": platform.name,
        "app.kubernetes.io/managed-by": MANAGER,
    }
    if label_value(version):
        found["app.kubernetes.io/version"] = label_value(version)
    return found


def manifest(
    platform: Platform,
    api: str,
    kind: str,
    name: str,
    component: str,
    *,
    part: Optional[str] = None,
    version: str = "",
    namespace: Optional[str] = None,
    annotations: Optional[dict[str, str]] = None,
    **body: Any,
) -> Manifest:
    """An object with its metadata; C(part) is the service or store it belongs to."""
    metadata: dict[str, Any] = {
        "name": name,
        "labels": labels(platform, part or name, component, version),
    }
    if kind not in CLUSTER_WIDE:
        metadata["namespace"] = namespace or namespace_of(platform)
    if annotations:
        metadata["annotations"] = dict(sorted(annotations.items()))
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **body}


def ordered(manifests: list[Manifest]) -> list[Manifest]:
    """By the order in which they are made, then by name."""
    return sorted(manifests, key=lambda m: (ORDER.index(m["kind"]), m["metadata"]["name"]))


@functools.lru_cache(maxsize=256)
def _slow_hash(text: bytes) -> str:
    return hashlib.pbkdf2_hmac("sha256", text, b"mainstay.platform", 100_000).hex()[:10]


def content_hash(content: Any, secret: bool = False) -> str:
    """Ten hexadecimal digits of what an object holds, for its name.

    A name can be read by people who may not read a Secret. Its hash is therefore slow to compute,
    so that nobody can try out guesses of a value by it.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode("utf-8")
    if secret:
        return _slow_hash(text)
    return hashlib.sha256(text).hexdigest()[:10]


def cpu(cores: float) -> str:
    """C(0.25) is C("250m"), C(2.0) is C("2")."""
    thousandths = round(cores * 1000)
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"


def size(count: int) -> str:
    """Bytes with the largest unit that leaves a whole number."""
    for unit, factor in (("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024)):
        if count and count % factor == 0:
            return f"{count // factor}{unit}"
    return str(count)


def resource_list(cores: float, memory: int) -> dict[str, str]:
    """CPU and memory; zero says nothing."""
    found = {"cpu": cpu(cores)} if cores else {}
    return {**found, "memory": size(memory)} if memory else found


def resources(wanted: Resources) -> dict[str, Any]:
    """Requests and limits of a container."""
    found = {
        "requests": resource_list(wanted.cpu_request, wanted.memory_request),
        "limits": resource_list(wanted.cpu_limit, wanted.memory_limit),
    }
    return {key: value for key, value in found.items() if value}


def whole_seconds(value: float, least: int = 1) -> int:
    """Kubernetes counts in whole seconds."""
    return max(least, math.ceil(value))


def count_or_percent(text: str) -> Union[int, str]:
    """C("1") is 1, C("25%") stays."""
    return text if text.endswith("%") else int(text)
