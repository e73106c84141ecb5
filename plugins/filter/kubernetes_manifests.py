# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that show a platform as Kubernetes objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import view
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_services import (
    Tracks,
)
from ansible_collections.mainstay.platform.plugins.plugin_utils.filters import (
    as_filters,
    described,
)


def kubernetes_manifests(
    platform: dict[str, Any],
    secrets: Optional[dict[str, str]] = None,
    tracks: Optional[dict[str, str]] = None,
    serving: Optional[dict[str, str]] = None,
    replicas: Optional[dict[str, int]] = None,
) -> list[dict[str, Any]]:
    """All objects of a platform but its migrations."""
    chosen = Tracks(dict(tracks or {}), dict(serving or {}), replicas=dict(replicas or {}))
    return view.manifests(described(platform), secrets or {}, chosen)


def kubernetes_migrations(
    platform: dict[str, Any],
    release_id: str,
    secrets: Optional[dict[str, str]] = None,
    revert: bool = False,
    services: Optional[list[str]] = None,
) -> list[dict[str, Any]]:
    """The Jobs that migrate in one release."""
    return view.migrations(described(platform), secrets or {}, release_id, revert, services)


class FilterModule:
    """Filters of the Kubernetes view."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return as_filters(
            {
                "kubernetes_manifests": kubernetes_manifests,
                "kubernetes_migrations": kubernetes_migrations,
            }
        )
