# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the Engine's list of containers to what differs from the description. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker.journal import Journal
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    LABEL,
    SERVICE,
    STORE,
    WORKER,
    Container,
    ServiceSpec,
    StoreSpec,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import encode

_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
#: Fields whose values may be shown; of all others only the name is.
_SHOWN = ("image", "port", "user")


def parse_container(raw: Mapping[str, Any]) -> Container:
    """One element of the Engine's container list."""
    labels = raw.get("Labels") or {}
    status = str(raw.get("Status") or "")
    health = _HEALTH.search(status)
    return Container(
        name=str((raw.get("Names") or ["/?"])[0]).lstrip("/"),
        state=str(raw.get("State") or ""),
        platform=labels.get(f"{LABEL}platform", ""),
        service=labels.get(f"{LABEL}service", ""),
        kind=labels.get(f"{LABEL}kind", ""),
        origin=labels.get(f"{LABEL}origin", ""),
        replica=int(labels.get(f"{LABEL}replica") or 0),
        config=labels.get(f"{LABEL}config", ""),
        secrets=labels.get(f"{LABEL}secrets", ""),
        address=labels.get(f"{LABEL}address", ""),
        health=health.group(1) if health else "",
        status=status,
        image=str(raw.get("Image") or ""),
        image_id=str(raw.get("ImageID") or ""),
    )


def serving_origin(service: str, journal: Journal, containers: list[Container]) -> Optional[str]:
    """The release whose containers serve now: from the journal, else the newest that runs."""
    known = journal.serving.get(service)
    if known:
        return known
    running = {c.origin for c in containers if c.service == service and c.running}
    met = [release for release in journal.by_age() if release in running]
    return met[-1] if met else max(running, default=None)


def service_state(
    spec: ServiceSpec, secrets: str, journal: Journal, containers: list[Container]
) -> dict[str, Any]:
    """C({state, reason, origin, endpoints}) of one service."""
    origin = serving_origin(spec.name, journal, containers)
    own = [
        c
        for c in containers
        if c.service == spec.name and c.kind in (SERVICE, WORKER) and c.origin == origin
    ]
    if not own:
        return {"state": "absent", "reason": "no container", "origin": origin, "endpoints": []}
    reason = _difference(spec, secrets, journal, own)
    return {
        "state": "changed" if reason else "current",
        "reason": reason,
        "origin": origin,
        "endpoints": sorted(c.address for c in own if c.address and c.running),
    }


def _difference(spec: ServiceSpec, secrets: str, journal: Journal, own: list[Container]) -> str:
    if any(c.config != spec.config_hash for c in own):
        return describe_difference(journal.spec_of(own[0].origin, spec.name), spec)
    if any(c.secrets != secrets for c in own):
        return "the value of a secret changed"
    replicas = sorted(c.replica for c in own)
    if replicas != sorted(spec.replicas):
        return f"replicas on this host: {_numbers(replicas)} -> {_numbers(sorted(spec.replicas))}"
    for container in own:
        problem = complaint(container)
        if problem:
            return problem
    return ""


def complaint(container: Container) -> str:
    """Why the container does not do its work; empty when it does."""
    if not container.running:
        return f"{container.name} is not running ({container.status or container.state})"
    if container.health == "unhealthy":
        return f"{container.name} is unhealthy"
    return ""


def describe_difference(before: Optional[ServiceSpec], after: ServiceSpec) -> str:
    """Which fields differ; values only of fields that never hold a secret."""
    if before is None:
        return "configuration changed"
    old, new = encode(before), encode(after)
    parts = []
    for key in sorted(new):
        if key in ("config_hash", "replicas", "needs") or old.get(key) == new[key]:
            continue
        if key == "env":
            parts.append("env " + ", ".join(_changed_keys(old["env"], new["env"])))
        elif key in _SHOWN:
            parts.append(f"{key} {_show(old.get(key))} -> {_show(new[key])}")
        else:
            parts.append(key)
    return "; ".join(parts) or "configuration changed"


def store_state(spec: StoreSpec, containers: list[Container]) -> dict[str, Any]:
    """C({state, reason, endpoints}) of one store; a difference never recreates it by itself."""
    own = [c for c in containers if c.kind == STORE and c.service == spec.name]
    if not own:
        return {"state": "absent", "reason": "no container", "endpoints": []}
    reason = complaint(own[0])
    if not reason and own[0].config != spec.config_hash:
        reason = "its description changed; name it in recreate_stores to apply that"
    state = "changed" if reason else "current"
    return {"state": state, "reason": reason, "endpoints": [own[0].address]}


def _changed_keys(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return sorted(key for key in {*old, *new} if old.get(key) != new.get(key))


def _numbers(values: list[int]) -> str:
    return ",".join(str(v) for v in values) or "none"


def _show(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)
