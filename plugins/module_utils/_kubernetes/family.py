# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods are those of the newest template of a workload. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
_REVISION = "deployment.kubernetes.io/revision"
_TEMPLATE = "deprecated.daemonset.template.generation"


def _metadata(found: Object) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = found.get("metadata") or {}
    return metadata


def _owned_by(found: Object, uid: str) -> bool:
    owners = _metadata(found).get("ownerReferences") or []
    return any(o.get("controller") and o.get("uid") == uid for o in owners)


def newest(
    kind: str, found: Object, sets: Iterable[Object], pods: Iterable[Object]
) -> list[Object]:
    """The pods whose state decides about C(found), without those that are going."""
    uid = str(_metadata(found).get("uid", ""))
    living = [p for p in pods if not _metadata(p).get("deletionTimestamp")]
    if kind == "Pod":
        return [p for p in living if _metadata(p).get("uid") == uid]
    if kind == "Deployment":
        return _of_deployment(found, uid, sets, living)
    own = [p for p in living if _owned_by(p, uid)]
    if kind == "StatefulSet":
        revision = (found.get("status") or {}).get("updateRevision")
        return _labelled(own, "controller-revision-hash", revision)
    if kind == "DaemonSet":
        generation = (_metadata(found).get("annotations") or {}).get(_TEMPLATE)
        return _labelled(own, "pod-template-generation", generation)
    return own


def _of_deployment(
    found: Object, uid: str, sets: Iterable[Object], living: Sequence[Object]
) -> list[Object]:
    generation = int(_metadata(found).get("generation") or 0)
    if int((found.get("status") or {}).get("observedGeneration") or 0) < generation:
        return []  # the controller has not made the new set yet
    revision = (_metadata(found).get("annotations") or {}).get(_REVISION)
    wanted = {
        _metadata(s).get("uid")
        for s in sets
        if _owned_by(s, uid) and (_metadata(s).get("annotations") or {}).get(_REVISION) == revision
    }
    return [p for p in living if any(_owned_by(p, str(w)) for w in wanted)]


def _labelled(pods: Sequence[Object], label: str, value: Any) -> list[Object]:
    wanted = str(value)
    return [p for p in pods if (_metadata(p).get("labels") or {}).get(label) == wanted]
