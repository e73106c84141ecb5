# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a cluster as they are put away, and as they come back, maybe elsewhere. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    HASH,
    PART_OF,
    Manifest,
)

#: Only the cluster writes these.
_METADATA = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
)
_ANNOTATIONS = (
    "control-plane.alpha.kubernetes.io/",
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
    "pv.kubernetes.io/",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/",
)
_JOB_LABELS = ("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")
#: What a first step of a restore leaves out: programs that would write before the data is there.
PROGRAMS = frozenset({"CronJob", "DaemonSet", "Deployment", "HorizontalPodAutoscaler", "Job"})
_NAME_LABEL = "kubernetes.io/metadata.name"


def exported(live: Mapping[str, Any], *, values: bool) -> Manifest:
    """The object without what belongs to this cluster and this moment.

    Without C(values) a Secret keeps only the names of its values.
    """
    body: Manifest = copy.deepcopy(dict(live))
    body.pop("status", None)
    metadata = body.setdefault("metadata", {})
    for name in _METADATA:
        metadata.pop(name, None)
    _drop(metadata, "annotations", _ANNOTATIONS)
    clean = _CLEAN.get(str(body.get("kind")))
    if clean is not None:
        clean(body)
    if body.get("kind") == "Secret" and not values:
        body["data"] = dict.fromkeys(sorted(body.get("data") or {}), "")
        body.pop("stringData", None)
    return body


def _drop(metadata: dict[str, Any], field: str, prefixes: Iterable[str]) -> None:
    found = metadata.get(field) or {}
    kept = {k: v for k, v in found.items() if not k.startswith(tuple(prefixes))}
    metadata.pop(field, None)
    if kept:
        metadata[field] = kept


def _service(body: Manifest) -> None:
    spec = body.get("spec") or {}
    if spec.get("clusterIP") != "None":
        for name in ("clusterIP", "clusterIPs"):
            spec.pop(name, None)
    for name in ("healthCheckNodePort", "ipFamilies", "ipFamilyPolicy"):
        spec.pop(name, None)
    for port in spec.get("ports") or []:
        port.pop("nodePort", None)


def _claim(body: Manifest) -> None:
    (body.get("spec") or {}).pop("volumeName", None)


def _job(body: Manifest) -> None:
    spec = body.get("spec") or {}
    if not spec.get("manualSelector"):
        spec.pop("selector", None)
    template = (spec.get("template") or {}).get("metadata") or {}
    for metadata in (template, body["metadata"]):
        _drop(metadata, "labels", (*_JOB_LABELS, "controller-uid", "job-name"))


def _namespace(body: Manifest) -> None:
    body.pop("spec", None)
    _drop(body["metadata"], "labels", (_NAME_LABEL,))


def _account(body: Manifest) -> None:
    body.pop("secrets", None)


_CLEAN = {
    "Job": _job,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
    "ServiceAccount": _account,
}


def restorable(manifests: Iterable[Manifest], before: str, after: str) -> list[Manifest]:
    """The manifests as a release takes them, in the namespace C(after) instead of C(before).

    Jobs have run and are not run again. The owner and the hash are written anew.
    """
    found = []
    for manifest in manifests:
        if manifest.get("kind") == "Job":
            continue
        body = copy.deepcopy(manifest)
        metadata = body.get("metadata") or {}
        (metadata.get("labels") or {}).pop(PART_OF, None)
        (metadata.get("annotations") or {}).pop(HASH, None)
        found.append(moved(body, before, after) if before != after else body)
    return found


def moved(body: Manifest, before: str, after: str) -> Manifest:
    """The object in another namespace, with every reference to the old one that is not a value of
    a Secret."""
    metadata = body.get("metadata") or {}
    if metadata.get("namespace") == before:
        metadata["namespace"] = after
    if body.get("kind") == "Namespace" and metadata.get("name") == before:
        metadata["name"] = after
    for subject in body.get("subjects") or []:
        if subject.get("namespace") == before:
            subject["namespace"] = after
    if body.get("kind") == "Secret":
        return body
    return {key: _renamed(value, before, after) for key, value in body.items()}


def _renamed(value: Any, before: str, after: str) -> Any:
    if isinstance(value, Mapping):
        found = {key: _renamed(inner, before, after) for key, inner in value.items()}
        if found.get(_NAME_LABEL) == before:
            found[_NAME_LABEL] = after
        return found
    if isinstance(value, list):
        return [_renamed(inner, before, after) for inner in value]
    if isinstance(value, str):
        return value.replace(f".{before}.svc", f".{after}.svc")
    return value


def without_values(manifests: Iterable[Manifest]) -> list[str]:
    """Names of Secrets of which only the names of the values were put away."""
    found = []
    for manifest in manifests:
        data = manifest.get("data") or {}
        if manifest.get("kind") == "Secret" and data and not any(data.values()):
            found.append(str(manifest["metadata"]["name"]))
    return sorted(found)
