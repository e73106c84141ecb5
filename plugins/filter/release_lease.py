# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Length of the lease of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._release.heartbeat import (
    lease_seconds,
)
from ansible_collections.mainstay.platform.plugins.plugin_utils.filters import (
    as_filters,
    described,
)


def release_lease(platform: dict[str, Any], least: float = 0.0) -> float:
    """Seconds that cover the longest time in which a release shows no sign of life."""
    return lease_seconds(described(platform), float(least))


class FilterModule:
    """The filter of the lock."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return as_filters({"release_lease": release_lease})
