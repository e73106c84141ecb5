# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a release changes a service; and what a run that only scales leaves as it is. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Service,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.strategies import Fleet


def reasons_of(
    platform: Platform,
    observed: Mapping[str, dict[str, Any]],
    before: Fleet,
    only: Collection[str],
) -> dict[str, str]:
    """Why a service changes, by name; a service that is missing here keeps its containers."""
    reasons: dict[str, str] = {}
    for service in platform.services:
        placed = before.get(service.name)
        if placed is None:
            reasons[service.name] = "not released yet"
            continue
        if only and service.name not in only:
            continue
        for place, facts in sorted(observed.items()):
            difference = _difference(service.name, placed.origin, facts)
            if difference:
                reasons[service.name] = f"{place}: {difference}"
                break
    return reasons


def _difference(name: str, origin: str, facts: Mapping[str, Any]) -> str:
    """Why the place is not as described; a place the service left has no state, only containers."""
    state: Optional[dict[str, Any]] = (facts.get("services") or {}).get(name)
    if state is None:
        surplus = [
            str(container.get("replica"))
            for container in facts.get("containers") or []
            if container.get("service") == name
            and container.get("origin") == origin
            and container.get("kind") in ("service", "worker")
        ]
        return f"replicas on this host: {','.join(sorted(surplus))} -> none" if surplus else ""
    if state.get("state") == "current":
        return ""
    return str(state.get("reason") or state.get("state"))


def keep_versions(
    platform: Platform, current: Optional[dict[str, Any]], run: Mapping[str, Any]
) -> Platform:
    """C(platform) in which a service that C(run) only scales keeps the version that serves.

    C(current) is the ledger's entry of what serves now. Otherwise scaling would bring back the
    described version after a release that was given another one.
    """
    if run.get("version"):
        return platform
    scaled = set(run.get("replicas") or {}) - set(run.get("versions") or {})
    recorded = (current or {}).get("services") or {}
    return replace(
        platform,
        services=tuple(
            _as_recorded(service, recorded[service.name])
            if service.name in scaled and service.name in recorded
            else service
            for service in platform.services
        ),
    )


def _as_recorded(service: Service, entry: Mapping[str, Any]) -> Service:
    version = str(entry.get("version") or "")
    if not version:
        return replace(service, version="", digest=entry.get("digest"))
    if version == service.version:
        return service
    return replace(service, version=version, digest=None)
