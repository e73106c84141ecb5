# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is an object as described, and what is different about it? Pure.

The server adds defaults to what it is given. What a manifest does not say is therefore never a
difference, unless this platform said it before (the C(managedFields) tell).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    HASH,
    Manifest,
)

MANAGER = "mainstay"
HIDDEN = "********"
HIDDEN_CHANGED = "******** (changed)"
_QUANTITY = re.compile(r"([+-]?[0-9.]+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_FACTORS: dict[str, Decimal] = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** n for n, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** n for n, unit in enumerate("KMGTPE", 1)},
}
# Field -> what tells one element of the list from the others; the first that an element has.
_MERGE_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "containers": (("name",),),
    "env": (("name",),),
    "ephemeralContainers": (("name",),),
    "hostAliases": (("ip",),),
    "imagePullSecrets": (("name",),),
    "initContainers": (("name",),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "secrets": (("name",),),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "volumeDevices": (("devicePath",),),
    "volumeMounts": (("mountPath",),),
    "volumes": (("name",),),
}
_EMPTY: tuple[Any, ...] = (None, "", 0, False, {}, [])


def as_described(manifest: Any, live: Any, field: str = "") -> bool:
    """True when C(live) says everything that C(manifest) says."""
    if isinstance(manifest, Mapping):
        if not isinstance(live, Mapping):
            return not manifest and live is None
        return all(as_described(v, live.get(k), str(k)) for k, v in manifest.items())
    if isinstance(manifest, list):
        if not isinstance(live, list):
            return not manifest and live is None
        return _same_list(manifest, live, field)
    if manifest == live and isinstance(manifest, bool) == isinstance(live, bool):
        return True
    return _blank(manifest, live) or _same_quantity(manifest, live)


def _same_list(manifest: list[Any], live: list[Any], field: str) -> bool:
    names = _merge_key(field, manifest)
    if names is None:
        pairs = zip(manifest, live)
        return len(manifest) == len(live) and all(as_described(m, a) for m, a in pairs)
    by_key = {_key(element, names): element for element in live}
    return all(as_described(element, by_key.get(_key(element, names))) for element in manifest)


def _merge_key(field: str, elements: Sequence[Any]) -> Optional[tuple[str, ...]]:
    for names in _MERGE_KEYS.get(field, ()):
        if elements and all(isinstance(e, Mapping) and names[0] in e for e in elements):
            return names
    return None


def _key(element: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    found = element if isinstance(element, Mapping) else {}
    return tuple(found.get(n, "TCP" if n == "protocol" else None) for n in names)


def _blank(manifest: Any, live: Any) -> bool:
    return live is None and any(manifest == e and type(manifest) is type(e) for e in _EMPTY)


def _same_quantity(one: Any, other: Any) -> bool:
    first, second = quantity(one), quantity(other)
    return first is not None and first == second


def quantity(text: Any) -> Optional[Decimal]:
    """C(500m) as 0.5, C(1Gi) as 1073741824; nothing for what is no quantity."""
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return None
    match = _QUANTITY.fullmatch(str(text))
    if match is None:
        return None
    try:
        return Decimal(match.group(1)) * _FACTORS[match.group(2) or ""]
    except ArithmeticError:
        return None


def is_current(manifest: Manifest, live: Mapping[str, Any]) -> bool:
    """True when applying C(manifest) would change nothing that matters.

    The manifest carries its own hash as an annotation, so what was taken out of it since it was
    applied counts too.
    """
    return as_described(manifest, live)


def difference(manifest: Optional[Manifest], live: Optional[Mapping[str, Any]]) -> tuple[str, str]:
    """(before, after) of one object as text, without what the server adds, Secrets masked."""
    before: Any = None
    if live is not None:
        # Of what goes, only what this platform put there: annotations of others may repeat secrets.
        said = manifest or {"apiVersion": "", "kind": "", "metadata": {"name": "", "namespace": ""}}
        before = _restricted(live, said, applied_fields(live))
        before = {k: v for k, v in before.items() if k != "status"}
    after = json.loads(json.dumps(manifest)) if manifest is not None else None
    _mask(before, after)
    return _text(before), _text(after)


def applied_fields(live: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields that this platform applied before."""
    entries = (live.get("metadata") or {}).get("managedFields") or []
    for entry in entries:
        if entry.get("manager") == MANAGER and entry.get("operation") == "Apply":
            fields: Mapping[str, Any] = entry.get("fieldsV1") or {}
            return fields
    return {}


def _restricted(live: Any, manifest: Any, owned: Mapping[str, Any], field: str = "") -> Any:
    """C(live) with only the fields that are described or were applied before."""
    if isinstance(live, Mapping):
        said = manifest if isinstance(manifest, Mapping) else {}
        names = [k for k in live if k in said or f"f:{k}" in owned]
        return {k: _restricted(live[k], said.get(k), owned.get(f"f:{k}") or {}, k) for k in names}
    keys = _merge_key(field, live) if isinstance(live, list) else None
    if keys is None:
        return live
    said_by_key = {_key(e, keys): e for e in manifest or []}
    owned_by_key = _owned_elements(owned, keys)
    return [
        _restricted(element, said_by_key.get(key), owned_by_key.get(key, {}))
        for element, key in ((e, _key(e, keys)) for e in live)
        if key in said_by_key or key in owned_by_key
    ]


def _owned_elements(
    owned: Mapping[str, Any], names: tuple[str, ...]
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    return {
        _key(json.loads(name[2:]), names): fields
        for name, fields in owned.items()
        if name.startswith("k:")
    }


def takes_out(before: Mapping[str, Any], manifest: Any, live: Any, field: str = "") -> bool:
    """True when C(manifest) does not say any more what was applied C(before) and is C(live)."""
    if not before:
        # One value for the server, whatever is in it.
        return isinstance(manifest, (Mapping, list)) and manifest != live
    if isinstance(manifest, Mapping):
        there = live if isinstance(live, Mapping) else {}
        said = {n[2:]: below for n, below in before.items() if n.startswith("f:")}
        return any(
            name not in manifest or takes_out(below, manifest[name], there.get(name), name)
            for name, below in said.items()
        )
    keys = _merge_key(field, manifest) if isinstance(manifest, list) else None
    if keys is None or not isinstance(live, list):
        return True
    said_by_key = {_key(e, keys): e for e in manifest}
    live_by_key = {_key(e, keys): e for e in live}
    return any(
        key not in said_by_key or takes_out(below, said_by_key[key], live_by_key.get(key))
        for key, below in _owned_elements(before, keys).items()
    )


def masked(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest without values of Secrets."""
    shown: dict[str, Any] = json.loads(json.dumps(manifest))
    _mask(None, shown)
    return shown


def _mask(before: Any, after: Any) -> None:
    """Secret values out of both, in a way that still shows which of them change."""
    for document, other in ((after, before), (before, None)):
        if not isinstance(document, dict) or document.get("kind") != "Secret":
            continue
        for field in ("data", "stringData"):
            values = document.get(field)
            if not isinstance(values, dict):
                continue
            known = (other or {}).get(field) or {}
            for name, value in values.items():
                changed = other is not None and known.get(name) != value
                values[name] = HIDDEN_CHANGED if changed else HIDDEN


def _text(document: Any) -> str:
    if document is None:
        return ""
    metadata = document.get("metadata") or {}
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != HASH}
    metadata = {k: v for k, v in metadata.items() if k != "annotations"}
    if annotations:
        metadata["annotations"] = annotations
    return json.dumps({**document, "metadata": metadata}, indent=2, sort_keys=True) + "\n"
