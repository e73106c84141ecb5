# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters between the flow of a release and Kubernetes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    view_release as release,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    encode,
)
from ansible_collections.mainstay.platform.plugins.plugin_utils.filters import (
    as_filters,
    described,
)


def kubernetes_described(platform: dict[str, Any], current: Optional[dict[str, Any]]) -> Any:
    """The platform with services that this run may not touch as they were recorded."""
    return encode(release.kept_apart(described(platform), current))


def kubernetes_wanted(
    platform: dict[str, Any], secrets: dict[str, str], current: Optional[dict[str, Any]]
) -> Any:
    """What the cluster would hold if it were as described."""
    return release.wanted_now(described(platform), secrets, current)


def kubernetes_observed(
    platform: dict[str, Any],
    manifests: list[dict[str, Any]],
    planned: dict[str, Any],
    cluster: dict[str, Any],
    ledger: Optional[dict[str, Any]] = None,
) -> Any:
    """What differs, by service and store."""
    releases = (ledger or {}).get("releases") or []
    actions = planned.get("actions") or []
    return release.observed(
        described(platform), manifests, actions, cluster.get("platform") or {}, releases
    )


def kubernetes_selection(
    platform: dict[str, Any], host: dict[str, Any], current: Optional[dict[str, Any]]
) -> Any:
    """Why a run for some services cannot leave the others as they are."""
    return release.touched_by_selection(described(platform), host, current)


def kubernetes_specs(platform: dict[str, Any], manifests: list[dict[str, Any]]) -> Any:
    """Name and configuration hash of each service."""
    return release.specs(described(platform), manifests)


def kubernetes_staged(
    platform: dict[str, Any],
    plan: dict[str, Any],
    current: Optional[dict[str, Any]],
    target: Optional[dict[str, Any]] = None,
) -> Any:
    """Endpoints of what a release brings."""
    return release.staged(described(platform), plan, current, target)


def kubernetes_stage(
    platform: dict[str, Any],
    secrets: dict[str, str],
    plan: dict[str, Any],
    current: Optional[dict[str, Any]],
) -> Any:
    """The objects that may be there before the switch."""
    return release.stage_manifests(described(platform), secrets, plan, current)


def kubernetes_step(
    platform: dict[str, Any],
    secrets: dict[str, str],
    plan: dict[str, Any],
    current: Optional[dict[str, Any]],
    share: float = 100.0,
    preview: bool = False,
) -> Any:
    """The objects of one step of the switch."""
    return release.step_manifests(
        described(platform), secrets, plan, current, float(share), preview
    )


def kubernetes_bare(platform: dict[str, Any], secrets: dict[str, str]) -> Any:
    """Everything but the programs of services."""
    return release.without_services(described(platform), secrets)


class FilterModule:
    """Filters of a release on Kubernetes."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return as_filters(
            {
                "kubernetes_bare": kubernetes_bare,
                "kubernetes_described": kubernetes_described,
                "kubernetes_observed": kubernetes_observed,
                "kubernetes_selection": kubernetes_selection,
                "kubernetes_specs": kubernetes_specs,
                "kubernetes_stage": kubernetes_stage,
                "kubernetes_staged": kubernetes_staged,
                "kubernetes_step": kubernetes_step,
                "kubernetes_wanted": kubernetes_wanted,
            }
        )
