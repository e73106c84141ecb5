# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role docker_host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._docker import host
from ansible_collections.mainstay.platform.plugins.plugin_utils.filters import (
    as_filters,
)


def docker_addresses(
    groups: Mapping[str, Any], hostvars: Mapping[str, Any], names: list[str]
) -> list[str]:
    """Private addresses of the hosts of some groups."""
    found = []
    for name in [h for group in names for h in groups.get(group) or []]:
        known = hostvars.get(name) or {}
        address = known.get("platform_address") or known.get("ansible_host") or name
        if address not in found:
            found.append(str(address))
    return found


class FilterModule:
    """Filters of the role docker_host."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return as_filters(
            {
                "docker_addresses": docker_addresses,
                "docker_daemon": host.plan_daemon,
                "docker_ingress": host.ingress_rules,
                "docker_logins": host.logins,
            }
        )
