# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests as they come in: checked all at once, given a namespace, an owner and a hash. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import naming
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import (
    OTHER,
    WAVES,
    Resource,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

Manifest = dict[str, Any]
Lookup = Callable[[str, str], Optional[Resource]]
PART_OF = "applyset.kubernetes.io/part-of"
#: What the object was made from; equal to that of the manifest, nothing was changed in it.
HASH = "mainstay.platform/manifest"
WAVE = "mainstay.platform/wave"
#: Only the API server writes these.
_SERVER_SIDE = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


@dataclass(frozen=True, order=True)
class Key:
    """Which object. The version is not part of it: one object has many."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}"


@dataclass(frozen=True)
class Item:
    """One object of a release: C(manifest) is what is sent."""

    key: Key
    resource: Resource
    manifest: Manifest
    wave: int

    @property
    def hash(self) -> str:
        """Hash of the manifest."""
        return str(self.manifest["metadata"]["annotations"][HASH])


def key_of(manifest: Mapping[str, Any]) -> Key:
    """The key of an object as the API server returns it."""
    group, slash, _version = str(manifest.get("apiVersion", "")).partition("/")
    metadata = manifest.get("metadata") or {}
    return Key(
        group if slash else "",
        str(manifest.get("kind", "")),
        str(metadata.get("namespace") or ""),
        str(metadata.get("name", "")),
    )


def digest(document: Any) -> str:
    """The same data gives the same digest, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


def read(manifests: Sequence[Any], namespace: str, owner: str, lookup: Lookup) -> list[Item]:
    """All manifests as items of the set C(owner), or one error that names every problem."""
    problems: list[str] = []
    found: dict[Key, Item] = {}
    if problem := naming.label(namespace):
        problems.append(f"namespace: {problem}")
    for number, manifest in enumerate(manifests):
        wrong = _problems(manifest)
        if not wrong:
            item, wrong = _item(manifest, namespace, owner, lookup)
            if item is not None and item.key in found:
                wrong = ["the same object is there twice"]
            if item is not None and not wrong:
                found[item.key] = item
        problems += [f"manifests[{number}] {_name(manifest)}: {text}" for text in wrong]
    if problems:
        raise MainstayError(
            f"{len(problems)} problems in the manifests; nothing was changed",
            evidence=tuple(problems),
            next_step="mend the description, then run again",
        )
    return sorted(found.values(), key=lambda item: (item.wave, item.key))


def _name(manifest: Any) -> str:
    if not isinstance(manifest, Mapping):
        return ""
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f"({manifest.get('kind')} {name})"


def _problems(manifest: Any) -> list[str]:
    """What is wrong with a manifest before anybody is asked."""
    if not isinstance(manifest, Mapping):
        return [f"found {type(manifest).__name__}, expected a mapping"]
    found = []
    for field in ("apiVersion", "kind"):
        value = manifest.get(field)
        if not isinstance(value, str) or not value:
            found.append(f"{field}: found {value!r}, expected a text")
    if str(manifest.get("kind")).endswith("List") and "items" in manifest:
        found.append("kind: found a list, expected its items themselves")
    if "status" in manifest:
        found.append("status: only the cluster writes it")
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping):
        return [*found, f"metadata: found {type(metadata).__name__}, expected a mapping"]
    found += _metadata_problems(metadata)
    if str(manifest.get("kind")) in ("ConfigMap", "Secret"):
        found += _data_problems(manifest)
    return found


def _metadata_problems(metadata: Mapping[str, Any]) -> list[str]:
    found = []
    name = metadata.get("name")
    if "generateName" in metadata:
        found.append("metadata.generateName: a released object has a fixed name")
    elif problem := naming.subdomain(name):
        found.append(f"metadata.name: {problem}")
    if metadata.get("namespace") is not None and (p := naming.label(metadata["namespace"])):
        found.append(f"metadata.namespace: {p}")
    found += [f"metadata.{f}: only the cluster writes it" for f in _SERVER_SIDE if f in metadata]
    for field, check in (
        ("labels", naming.label_problems),
        ("annotations", naming.annotation_problems),
    ):
        found += [f"metadata.{field}{text}" for text in check(metadata.get(field))]
    wave = (metadata.get("annotations") or {}) if not found else {}
    if WAVE in wave and not str(wave[WAVE]).isdigit():
        found.append(f"metadata.annotations[{WAVE}]: found {wave[WAVE]!r}, expected a number")
    return found


def _data_problems(manifest: Mapping[str, Any]) -> list[str]:
    found = []
    for field in ("data", "stringData", "binaryData"):
        values = manifest.get(field)
        if values is None:
            continue
        if not isinstance(values, Mapping):
            found.append(f"{field}: found {type(values).__name__}, expected a mapping")
            continue
        encoded = field == "binaryData" or (field == "data" and manifest["kind"] == "Secret")
        for name, value in values.items():
            if problem := naming.data_key(name):
                found.append(f"{field}: {problem}")
            if not isinstance(value, str):
                # Never the value: it may be a secret.
                found.append(f"{field}.{name}: found {type(value).__name__}, expected a text")
            elif encoded and not _is_base64(value):
                found.append(f"{field}.{name}: the value is not base64")
    return found


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _item(
    manifest: Mapping[str, Any], namespace: str, owner: str, lookup: Lookup
) -> tuple[Optional[Item], list[str]]:
    api_version, kind = str(manifest["apiVersion"]), str(manifest["kind"])
    resource = lookup(api_version, kind)
    if resource is None:
        text = f"the cluster serves no {kind} in {api_version}, and no definition of it is here"
        return None, [text]
    body: Manifest = json.loads(json.dumps(manifest))
    metadata = body["metadata"]
    if resource.namespaced:
        metadata.setdefault("namespace", namespace)
    elif metadata.get("namespace"):
        return None, [f"metadata.namespace: a {kind} has none"]
    other = (metadata.get("labels") or {}).get(PART_OF)
    if other not in (None, owner):
        return None, [f"metadata.labels[{PART_OF}]: it belongs to another platform"]
    _settle_secret(body)
    metadata.setdefault("labels", {})[PART_OF] = owner
    annotations = metadata.setdefault("annotations", {})
    wave = int(annotations.get(WAVE) or WAVES.get(kind, OTHER))
    annotations.pop(HASH, None)
    annotations[HASH] = digest(body)
    return Item(key_of(body), resource, body, wave), []


def _settle_secret(body: Manifest) -> None:
    """C(stringData) is never returned, so it could never be seen to be as described."""
    if body["kind"] != "Secret":
        return
    plain = body.pop("stringData", None) or {}
    if plain:
        data = body.setdefault("data", {})
        for name, value in plain.items():
            data[name] = base64.b64encode(str(value).encode("utf-8")).decode("ascii")
