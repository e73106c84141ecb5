# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an object is: a platform's objects are an ApplySet, whose parent also is its journal. Pure.

The parent is the ConfigMap C(mainstay-<platform>). It holds the names of everything that the
platform has, written before anything is applied and shortened after removal, so nothing that was
ever made is forgotten, however a run ends.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import Resource
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    PART_OF,
    Key,
    Manifest,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

TOOLING = "mainstay/v1"
SET_ID = "applyset.kubernetes.io/id"
PLATFORM = "mainstay.platform/platform"
APPLYING, APPLIED, DEPLOYED, FAILED = "applying", "applied", "deployed", "failed"


def parent_name(platform: str) -> str:
    """Name of the ConfigMap."""
    return f"mainstay-{platform}"


def set_id(platform: str, namespace: str) -> str:
    """The id of the set, made as the specification of ApplySets says (KEP-3659)."""
    text = f"{parent_name(platform)}.{namespace}.ConfigMap."
    hashed = hashlib.sha256(text.encode("utf-8")).digest()
    return f"applyset-{base64.urlsafe_b64encode(hashed).decode('ascii').rstrip('=')}-v1"


@dataclass(frozen=True)
class Member:
    """One object of the set, with all that is needed to find it again.

    C(leaving) ones are taken away by the cluster itself, so it is no loss when they are gone.
    """

    key: Key
    resource: Resource
    leaving: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Parent:
    """What the parent says.

    One release may come in several calls: C(previous) is the release before C(current), not the
    call before. C(version) is the resource version it was read at; empty when it is new.
    """

    platform: str
    namespace: str
    members: tuple[Member, ...] = ()
    current: str = ""
    previous: str = ""
    phase: str = ""
    working: str = ""
    manifests: str = ""
    fence: int = 0
    version: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id of the set."""
        return set_id(self.platform, self.namespace)


def read_parent(platform: str, namespace: str, found: Optional[Mapping[str, Any]]) -> Parent:
    """The parent from the ConfigMap, or a new one."""
    empty = Parent(platform, namespace)
    if found is None:
        return empty
    metadata = found.get("metadata") or {}
    labels = metadata.get("labels") or {}
    if labels.get(SET_ID) != empty.id:
        raise MainstayError(
            "the name of this platform's record is taken",
            subject=f"ConfigMap {namespace}/{parent_name(platform)}",
            found=f"label {SET_ID}={labels.get(SET_ID, '')}",
            expected=f"{empty.id}, as Mainstay writes it",
            next_step="move that ConfigMap out of the way, or choose another namespace",
        )
    data = found.get("data") or {}
    members = tuple(_member(entry) for entry in json.loads(data.get("members") or "[]"))
    return Parent(
        platform,
        namespace,
        members=members,
        current=data.get("current", ""),
        previous=data.get("previous", ""),
        phase=data.get("phase", ""),
        working=data.get("working", ""),
        manifests=data.get("manifests", ""),
        fence=int(data.get("fence") or 0),
        version=str(metadata.get("resourceVersion", "")),
    )


def _member(entry: Mapping[str, Any]) -> Member:
    resource = Resource(
        entry["apiVersion"], entry["kind"], entry["plural"], bool(entry["namespace"])
    )
    key = Key(resource.group, entry["kind"], entry["namespace"], entry["name"])
    return Member(key, resource, bool(entry.get("leaving")))


def write_parent(parent: Parent) -> Manifest:
    """The ConfigMap of the parent."""
    kinds = sorted({m.resource.group_kind for m in parent.members})
    spaces = sorted({m.key.namespace for m in parent.members} - {"", parent.namespace})
    annotations = {
        "applyset.kubernetes.io/tooling": TOOLING,
        "applyset.kubernetes.io/contains-group-kinds": ",".join(kinds),
        "applyset.kubernetes.io/additional-namespaces": ",".join(spaces),
    }
    members = [
        {
            "apiVersion": m.resource.api_version,
            "kind": m.key.kind,
            "plural": m.resource.plural,
            "namespace": m.key.namespace,
            "name": m.key.name,
            **({"leaving": True} if m.leaving else {}),
        }
        for m in parent.members
    ]
    metadata: dict[str, Any] = {
        "name": parent_name(parent.platform),
        "namespace": parent.namespace,
        "labels": {SET_ID: parent.id, PLATFORM: parent.platform, **parent.labels},
        "annotations": annotations,
    }
    if parent.version:
        metadata["resourceVersion"] = parent.version
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {
            "members": json.dumps(members, separators=(",", ":")),
            "current": parent.current,
            "previous": parent.previous,
            "phase": parent.phase,
            "working": parent.working,
            "manifests": parent.manifests,
            "fence": str(parent.fence),
        },
    }


def extended(parent: Parent, members: Iterable[Member]) -> Parent:
    """The parent with more members."""
    known = {m.key: m for m in parent.members}
    known.update({m.key: m for m in members})
    return replace(parent, members=tuple(known[key] for key in sorted(known)))


def belongs_to(live: Mapping[str, Any], owner: str) -> bool:
    """True when the object carries the label of the set."""
    return owner_of(live) == owner


def owner_of(live: Mapping[str, Any]) -> str:
    """The set that an object says it is part of; empty when of none."""
    labels = (live.get("metadata") or {}).get("labels") or {}
    return str(labels.get(PART_OF, ""))
