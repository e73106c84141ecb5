# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that makes arguments of backups in a cluster from a platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_view import (
    backup_options,
)
from ansible_collections.mainstay.platform.plugins.plugin_utils import filters


def kubernetes_backup(
    platform: dict[str, Any], secrets: Optional[dict[str, str]] = None, only: str = ""
) -> dict[str, Any]:
    """Repository, stores and retention of the backups of a platform in a cluster."""
    return backup_options(filters.described(platform), secrets or {}, only)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return filters.as_filters({"kubernetes_backup": kubernetes_backup})
