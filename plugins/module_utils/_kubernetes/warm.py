# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the release before leaves warm, and who takes it away later: the cluster itself.

A Job that wants no pod is complete as soon as it is made, and a cluster removes a Job a number of
seconds after it was complete (C(ttlSecondsAfterFinished)). What the Job owns goes with it. So the
Job is a clock that needs no image, no rights and no way to the API, and ticks when nobody runs a
playbook.

What a release describes again is applied without this owner and stays: the garbage collector
removes an object only at the version at which it saw who owns it. Pure.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import objects
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import (
    BUILT_IN,
    Resource,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    Item,
    Key,
    Manifest,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    PLATFORM,
    Member,
    Parent,
)

JOB = BUILT_IN["batch/v1", "Job"]
#: What has to be there for going back to be a flip: the pods, and what those read.
KINDS = ("ConfigMap", "Deployment", "Secret")
CLOCK = "mainstay.platform/clock"


@dataclass(frozen=True)
class Warm:
    """What may stay, as the release before applied it, and the clock that ends it.

    C(seconds) is how long, from the moment on at which everything else is done.
    """

    seconds: int
    clock: Member
    items: Mapping[Key, Item]

    def manifest(self, staying: Sequence[Item], parent: Parent) -> Manifest:
        """The clock. Its template is never used; it says an image that the platform has anyway."""
        images = [c["image"] for i in staying for c in _containers(i.manifest)]
        safe = {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        pod = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{"name": "none", "image": images[0], "securityContext": safe}],
        }
        metadata = {
            "name": self.clock.key.name,
            "labels": {PLATFORM: parent.platform, CLOCK: "warm"},
        }
        manifest = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": metadata,
            "spec": {
                "completions": 0,
                "parallelism": 0,
                "backoffLimit": 0,
                "ttlSecondsAfterFinished": self.seconds,
                "template": {"spec": pod},
            },
        }
        (item,) = objects.read([manifest], parent.namespace, parent.id, lambda _v, _k: JOB)
        return item.manifest


def _containers(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if manifest["kind"] != "Deployment":
        return []
    found: list[Mapping[str, Any]] = manifest["spec"]["template"]["spec"]["containers"]
    return found


def clock_name(platform: str, release_id: str) -> str:
    """Name of the Job of a release; short enough for the label that its controller makes of it."""
    hashed = hashlib.sha256(release_id.encode("utf-8")).hexdigest()[:10]
    return f"mainstay-{platform[:35]}-warm-{hashed}"


def candidates(stored: Sequence[Manifest], parent: Parent, release_id: str, seconds: float) -> Warm:
    """What may stay of the manifests that the release before left on record."""
    wanted = [m for m in stored if m.get("kind") in KINDS]
    items = objects.read(wanted, parent.namespace, parent.id, _built_in)
    # An owner and what it owns are in one namespace.
    found = {i.key: i for i in items if i.key.namespace == parent.namespace}
    key = Key(JOB.group, JOB.kind, parent.namespace, clock_name(parent.platform, release_id))
    return Warm(math.ceil(seconds), Member(key, JOB, leaving=True), found)


def _built_in(api_version: str, kind: str) -> Optional[Resource]:
    return BUILT_IN.get((api_version, kind))


def owned(item: Item, clock: Mapping[str, Any], parent: Parent) -> Item:
    """The same object, which goes when C(clock) goes."""
    metadata = clock["metadata"]
    owner = {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    manifest = copy.deepcopy(item.manifest)
    manifest["metadata"]["ownerReferences"] = [owner]
    (found,) = objects.read([manifest], parent.namespace, parent.id, _built_in)
    return found


def is_leaving(live: Mapping[str, Any], clock: Optional[Mapping[str, Any]]) -> bool:
    """Whether the object goes when C(clock) goes."""
    if clock is None:
        return False
    metadata = live.get("metadata") or {}
    owners = [o.get("uid") for o in metadata.get("ownerReferences") or []]
    return (clock.get("metadata") or {}).get("uid") in owners
