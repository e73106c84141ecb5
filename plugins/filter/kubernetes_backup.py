# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that makes arguments of backups in a cluster from a platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_view import (
    backup_options,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import decode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform


def kubernetes_backup(
    platform: dict[str, Any], secrets: Optional[dict[str, str]] = None, only: str = ""
) -> dict[str, Any]:
    """Repository, stores and retention of the backups of a platform in a cluster."""
    try:
        return backup_options(decode(Platform, platform), secrets or {}, only)
    except MainstayError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"kubernetes_backup": kubernetes_backup}
