# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that show a platform as what each Docker host shall run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker import (
    dump_view,
    view,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    encode,
)
from ansible_collections.mainstay.platform.plugins.plugin_utils.filters import (
    as_filters,
    described,
)


def docker_services(
    platform: dict[str, Any],
    host: str,
    hosts: list[str],
    stores: Optional[dict[str, dict[str, Any]]] = None,
) -> Any:
    """The service specs of one host."""
    return encode(view.service_specs(described(platform), host, list(hosts), stores))


def docker_stores(platform: dict[str, Any], host: str, hosts: list[str]) -> Any:
    """The store specs of one host."""
    return encode(view.store_specs(described(platform), host, list(hosts)))


def docker_store_addresses(
    platform: dict[str, Any], hosts: list[str], addresses: dict[str, str]
) -> Any:
    """Where containers reach each store."""
    return encode(view.store_addresses(described(platform), list(hosts), addresses))


def docker_store_backups(platform: dict[str, Any], host: str, hosts: list[str]) -> Any:
    """What one host dumps of its stores."""
    return encode(dump_view.store_backups(described(platform), host, list(hosts)))


def docker_store_repositories(
    platform: dict[str, Any],
    host: str,
    hosts: list[str],
    secrets: dict[str, str],
    home: str,
) -> Any:
    """Repositories of one host's dumps, with their keys: a secret."""
    whole = described(platform)
    backups = dump_view.store_backups(whole, host, list(hosts))
    return dump_view.repositories_of(whole, backups, secrets, home)


def docker_store_backup_chosen(platform: dict[str, Any], hosts: list[str], store: str = "") -> Any:
    """The store a restore is about, and the host it lives on."""
    whole = described(platform)
    places = [
        (item, host) for host in hosts for item in dump_view.store_backups(whole, host, list(hosts))
    ]
    found = dump_view.chosen([item for item, _host in places], store)
    return {**encode(found), "host": next(h for item, h in places if item == found)}


class FilterModule:
    """Filters of the Docker view."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return as_filters(
            {
                "docker_services": docker_services,
                "docker_stores": docker_stores,
                "docker_store_backups": docker_store_backups,
                "docker_store_repositories": docker_store_repositories,
                "docker_store_backup_chosen": docker_store_backup_chosen,
                "docker_store_addresses": docker_store_addresses,
            }
        )
