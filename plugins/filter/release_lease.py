# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Length of the lease of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import decode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform
from ansible_collections.mainstay.platform.plugins.module_utils._release.heartbeat import (
    lease_seconds,
)


def release_lease(platform: dict[str, Any], least: float = 0.0) -> float:
    """Seconds that cover the longest time in which a release shows no sign of life."""
    try:
        return lease_seconds(decode(Platform, platform), float(least))
    except MainstayError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter of the lock."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"release_lease": release_lease}
