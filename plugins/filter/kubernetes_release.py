# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters between the flow of a release and Kubernetes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    view_release as release,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform


def kubernetes_described(platform: dict[str, Any], current: Optional[dict[str, Any]]) -> Any:
    """The platform with services that this run may not touch as they were recorded."""
    return _run(platform, lambda p: encode(release.kept_apart(p, current)))


def kubernetes_wanted(
    platform: dict[str, Any], secrets: dict[str, str], current: Optional[dict[str, Any]]
) -> Any:
    """What the cluster would hold if it were as described."""
    return _run(platform, lambda p: release.wanted_now(p, secrets, current))


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
    return _run(
        platform,
        lambda p: release.observed(p, manifests, actions, cluster.get("platform") or {}, releases),
    )


def kubernetes_selection(
    platform: dict[str, Any], host: dict[str, Any], current: Optional[dict[str, Any]]
) -> Any:
    """Why a run for some services cannot leave the others as they are."""
    return _run(platform, lambda p: release.touched_by_selection(p, host, current))


def kubernetes_specs(platform: dict[str, Any], manifests: list[dict[str, Any]]) -> Any:
    """Name and configuration hash of each service."""
    return _run(platform, lambda p: release.specs(p, manifests))


def kubernetes_staged(
    platform: dict[str, Any],
    plan: dict[str, Any],
    current: Optional[dict[str, Any]],
    target: Optional[dict[str, Any]] = None,
) -> Any:
    """Endpoints of what a release brings."""
    return _run(platform, lambda p: release.staged(p, plan, current, target))


def kubernetes_stage(
    platform: dict[str, Any],
    secrets: dict[str, str],
    plan: dict[str, Any],
    current: Optional[dict[str, Any]],
) -> Any:
    """The objects that may be there before the switch."""
    return _run(platform, lambda p: release.stage_manifests(p, secrets, plan, current))


def kubernetes_step(
    platform: dict[str, Any],
    secrets: dict[str, str],
    plan: dict[str, Any],
    current: Optional[dict[str, Any]],
    share: float = 100.0,
    preview: bool = False,
) -> Any:
    """The objects of one step of the switch."""
    return _run(
        platform,
        lambda p: release.step_manifests(p, secrets, plan, current, float(share), preview),
    )


def kubernetes_bare(platform: dict[str, Any], secrets: dict[str, str]) -> Any:
    """Everything but the programs of services."""
    return _run(platform, lambda p: release.without_services(p, secrets))


def _run(platform: dict[str, Any], function: Callable[[Platform], Any]) -> Any:
    try:
        return function(decode(Platform, platform))
    except MainstayError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Filters of a release on Kubernetes."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
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
