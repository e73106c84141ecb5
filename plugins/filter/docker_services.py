# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that show a platform as what each Docker host shall run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.module_utils._docker import (
    dump_view,
    view,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform


def docker_services(
    platform: dict[str, Any],
    host: str,
    hosts: list[str],
    stores: Optional[dict[str, dict[str, Any]]] = None,
) -> Any:
    """The service specs of one host."""
    return _run(lambda p: view.service_specs(p, host, list(hosts), stores), platform)


def docker_stores(platform: dict[str, Any], host: str, hosts: list[str]) -> Any:
    """The store specs of one host."""
    return _run(lambda p: view.store_specs(p, host, list(hosts)), platform)


def docker_store_addresses(
    platform: dict[str, Any], hosts: list[str], addresses: dict[str, str]
) -> Any:
    """Where containers reach each store."""
    return _run(lambda p: view.store_addresses(p, list(hosts), addresses), platform)


def docker_store_backups(platform: dict[str, Any], host: str, hosts: list[str]) -> Any:
    """What one host dumps of its stores."""
    return _run(lambda p: dump_view.store_backups(p, host, list(hosts)), platform)


def docker_store_backup_chosen(platform: dict[str, Any], hosts: list[str], store: str = "") -> Any:
    """The store a restore is about, and the host it lives on."""

    def choose(described: Platform) -> dict[str, Any]:
        places = [
            (item, host)
            for host in hosts
            for item in dump_view.store_backups(described, host, list(hosts))
        ]
        found = dump_view.chosen([item for item, _host in places], store)
        return {**encode(found), "host": next(h for item, h in places if item == found)}

    return _run(choose, platform)


def _run(function: Callable[[Platform], Any], platform: dict[str, Any]) -> Any:
    try:
        return encode(function(decode(Platform, platform)))
    except MainstayError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Filters of the Docker view."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "docker_services": docker_services,
            "docker_stores": docker_stores,
            "docker_store_backups": docker_store_backups,
            "docker_store_backup_chosen": docker_store_backup_chosen,
            "docker_store_addresses": docker_store_addresses,
        }
