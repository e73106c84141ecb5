# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that show a platform as the configuration of its edge."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Optional

from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import servers, site
from ansible_collections.mainstay.platform.plugins.plugin_utils.filters import (
    as_filters,
    described,
)


def nginx_site(platform: dict[str, Any], nginx_version: str, ipv6: bool = False) -> dict[str, str]:
    """Path below the configuration directory to content."""
    version = tuple(int(part) for part in re.findall(r"\d+", nginx_version)[:3])
    if not version:
        raise AnsibleFilterError(f"not a version of Nginx: {nginx_version!r}")
    return site.site(described(platform), version, ipv6=bool(ipv6))


def nginx_secret_files(
    platform: dict[str, Any], secrets: Optional[dict[str, Any]] = None
) -> dict[str, str]:
    """The files that hold secrets."""
    decoded = described(platform)
    name = decoded.edge.maintenance.bypass_secret
    value = (secrets or {}).get(name) if name else None
    return site.secret_files(decoded, None if value is None else str(value))


def nginx_certificate_directory(platform: dict[str, Any]) -> str:
    """Where the edge's certificate and key are."""
    return servers.certificate_directory(described(platform).id)


class FilterModule:
    """Filters of the edge's view."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return as_filters(
            {
                "nginx_site": nginx_site,
                "nginx_secret_files": nginx_secret_files,
                "nginx_certificate_directory": nginx_certificate_directory,
            }
        )
