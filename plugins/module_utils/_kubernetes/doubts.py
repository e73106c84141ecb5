# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the API server can tell whether it takes it, and must therefore be asked first. Pure.

A dry run costs as much as the change itself. It tells nothing new where the plan knows all that the
server looks at: who owns the fields (C(managedFields)), and a manifest that was checked here to the
last field. Whether the account has the right, the namespace takes objects and no admission rule is
against the kind is asked once for each kind, namespace and verb; and new objects that are alike but
for their names are tried once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.compare import (
    MANAGER,
    applied_fields,
    as_described,
    takes_out,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import Resource
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    HASH,
    digest,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.plan import (
    CREATE,
    KEEP,
    Plan,
    Step,
)

Fields = Mapping[str, Any]

#: Of these kinds every field is checked when manifests are read (L(objects.read)).
_PLAIN: Mapping[str, frozenset[str]] = {
    "ConfigMap": frozenset({"data", "binaryData", "immutable"}),
    "Secret": frozenset({"data", "immutable", "type"}),
}
_ALWAYS = frozenset({"apiVersion", "kind", "metadata"})
_METADATA = frozenset({"name", "namespace", "labels", "annotations"})
#: The server takes up to 1 MiB of data; near the limit it has the word.
_DATA_BYTES = 1_000_000
#: A label that begins with a letter (RFC 1035), as short as the strictest kind wants it.
_ANY_NAME = re.compile(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?")
#: Labels of a Namespace choose the level of Pod Security, so the server looks at them.
_LABELS_MATTER = frozenset({"Namespace"})


def to_try(plan: Plan, *, everything: bool = False, force: bool = False) -> list[Step]:
    """The steps that are tried before anything is done, in their order.

    C(everything) is for those who only want to know: check mode, and a plan. With C(force) no other
    manager is in the way.
    """
    changing = [step for step in plan.steps if step.verb != KEEP]
    if everything:
        return changing
    found: list[Step] = []
    asked: set[tuple[Resource, str, bool]] = set()
    known: set[str] = set()
    for step in changing:
        sort = (step.item.resource, step.item.key.namespace, step.verb == CREATE)
        doubt = in_doubt(step, force=force)
        if doubt and (shape := _shape(step)):
            doubt = shape not in known
            known.add(shape)
        if sort not in asked or doubt:
            asked.add(sort)
            found.append(step)
    return found


def _shape(step: Step) -> str:
    """The same for new objects that differ in nothing but a name that any kind may have; empty for
    all others."""
    manifest = step.item.manifest
    if step.live is not None or not _ANY_NAME.fullmatch(step.item.key.name):
        return ""
    metadata = {k: v for k, v in manifest["metadata"].items() if k != "name"}
    return digest({**manifest, "metadata": {**metadata, "annotations": _annotations(manifest)}})


def in_doubt(step: Step, *, force: bool = False) -> bool:
    """True when the plan alone does not tell whether the server takes this change."""
    manifest, live = step.item.manifest, step.live
    if set(manifest["metadata"]) - _METADATA:
        return True
    if live is None:
        return not _checked_here(manifest)
    if not force and contended(manifest, live):
        return True
    if _checked_here(manifest):
        return _frozen(manifest, live)
    return manifest["kind"] in _LABELS_MATTER or not _only_labels(manifest, live)


def contended(manifest: Fields, live: Fields) -> bool:
    """True when another manager owns a field that would change."""
    entries = (live.get("metadata") or {}).get("managedFields")
    if not entries:
        return True  # a server that does not tell
    for entry in entries:
        own = entry.get("manager") == MANAGER and entry.get("operation") == "Apply"
        # Subresources, mostly the status, are no part of what is applied.
        if own or entry.get("subresource"):
            continue
        if _touches(entry.get("fieldsV1") or {}, manifest, live):
            return True
    return False


def _touches(theirs: Fields, manifest: Fields, live: Fields) -> bool:
    for name, below in theirs.items():
        field = name[2:]
        if not name.startswith("f:") or field not in manifest:
            continue
        ours, there = manifest[field], live.get(field)
        if below and isinstance(ours, Mapping) and isinstance(there, Mapping):
            if _touches(below, ours, there):
                return True
        elif not as_described(ours, there, field):
            return True
    return False


def _checked_here(manifest: Fields) -> bool:
    """True when the server would find nothing that was not looked for already."""
    known = _PLAIN.get(manifest["kind"])
    if known is None or manifest["apiVersion"] != "v1" or set(manifest) - known - _ALWAYS:
        return False
    if manifest.get("type", "Opaque") != "Opaque":
        return False  # types of Secrets ask for keys of their own
    if not isinstance(manifest.get("immutable", False), bool):
        return False
    values = [manifest.get(field) or {} for field in ("data", "binaryData")]
    if set(values[0]) & set(values[1]):
        return False
    return sum(len(value) for part in values for value in part.values()) < _DATA_BYTES


def _frozen(manifest: Fields, live: Fields) -> bool:
    other_type = live.get("type", "Opaque") != manifest.get("type", "Opaque")
    return bool(live.get("immutable")) or other_type


def _only_labels(manifest: Fields, live: Fields) -> bool:
    """True when nothing but labels and our own annotation is different."""
    mine = _annotations(manifest)
    if mine != {k: v for k, v in _annotations(live).items() if k in mine}:
        return False
    said = {k: v for k, v in manifest.items() if k != "metadata"}
    before = applied_fields(live)
    annotations = (before.get("f:metadata") or {}).get("f:annotations") or {}
    if not before or {n[2:] for n in annotations if n.startswith("f:")} - {*mine, HASH}:
        return False
    rest = {name: below for name, below in before.items() if name != "f:metadata"}
    return as_described(said, live) and not (rest and takes_out(rest, said, live))


def _annotations(found: Fields) -> dict[str, Any]:
    annotations = (found.get("metadata") or {}).get("annotations") or {}
    return {name: value for name, value in annotations.items() if name != HASH}
