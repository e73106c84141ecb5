# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the platform to what each Docker host shall run. Pure; no other view is used."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    SERVICE,
    WORKER,
    Need,
    ServiceSpec,
    StoreSpec,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import encode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Service,
    Store,
)

#: Where the official images keep their data; used when the description names no path.
DATA_PATHS = {
    "postgres": "/var/lib/postgresql/data",
    "redis": "/data",
    "rabbitmq": "/var/lib/rabbitmq",
    "mongodb": "/data/db",
}
#: Not part of a container: changing one of these needs no new container.
_NOT_HASHED = ("replicas", "config_hash", "needs")

Addresses = dict[str, dict[str, Any]]


def service_specs(
    platform: Platform, host: str, hosts: list[str], stores: Optional[Addresses] = None
) -> list[ServiceSpec]:
    """The services with at least one replica on C(host); replica i lives on hosts[(i-1) % n]."""
    found = []
    for service in platform.services:
        replicas = tuple(
            i
            for i in range(1, service.replicas + 1)
            if hosts and hosts[(i - 1) % len(hosts)] == host
        )
        if replicas:
            found.append(_service_spec(service, replicas, stores or {}))
    return found


def store_specs(platform: Platform, host: str, hosts: list[str]) -> list[StoreSpec]:
    """The stores in Docker that live on C(host): store i of the platform is on hosts[i % n]."""
    return [_store_spec(store) for store, place in _placed(platform, hosts) if place == host]


def store_addresses(platform: Platform, hosts: list[str], addresses: dict[str, str]) -> Addresses:
    """C({store: {host, port}}) as containers reach them; managed stores keep their own host.

    PostgreSQL on hosts is reached at its first host: at its pooler, which knows the primary, or at
    the server itself when there is no pooler.
    """
    found: Addresses = {}
    placed = {store.name: place for store, place in _placed(platform, hosts)}
    on_hosts = [store for store in platform.stores if store.postgres and (store.hosts or hosts)]
    placed.update({store.name: [*store.hosts, *hosts][0] for store in on_hosts})
    for store in platform.stores:
        if store.name in placed:
            place = placed[store.name]
            if place not in addresses:
                raise MainstayError(
                    "the address of the host of a store is not known",
                    subject=f"store {store.name} on {place}",
                    found="no platform_address",
                    expected="the private address of the host",
                    next_step=f"set platform_address for {place} in the inventory",
                )
            pooler = store.postgres.pooler if store.postgres else None
            port = pooler.port if pooler else store.port
            found[store.name] = {"host": addresses[place], "port": port}
        elif store.host:
            found[store.name] = {"host": store.host, "port": store.port}
    return found


def digest_of(document: Any) -> str:
    """A short stable hash of JSON data."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def _placed(platform: Platform, hosts: list[str]) -> list[tuple[Store, str]]:
    inside = [store for store in platform.stores if store.mode == "docker"]
    return [(s, hosts[i % len(hosts)]) for i, s in enumerate(inside)] if hosts else []


def image_reference(repository: str, version: str, digest: Optional[str] = None) -> str:
    """C(repository@digest), or C(repository:tag) while no digest is known."""
    return f"{repository}@{digest}" if digest else f"{repository}:{version or 'latest'}"


def _service_spec(service: Service, replicas: tuple[int, ...], stores: Addresses) -> ServiceSpec:
    data = {
        "name": service.name,
        "kind": WORKER if service.is_worker else SERVICE,
        "image": image_reference(service.image, service.version, service.digest),
        "replicas": replicas,
        "env": {key: _fill_stores(value, stores) for key, value in service.env.items()},
        "needs": _needs(service, stores),
        **{
            key: getattr(service, key)
            for key in [
                "port",
                "health",
                "secrets",
                "resources",
                "volumes",
                "stop_grace",
                "stop_signal",
                "command",
                "user",
                "read_only_root",
                "writable",
                "migration",
            ]
        },
    }
    return ServiceSpec(config_hash=_hash(data), **data)


def _store_spec(store: Store) -> StoreSpec:
    volume = store.volume
    data = {
        "image": image_reference(str(store.image), store.version),
        "volume": volume,
        **{
            key: getattr(store, key)
            for key in [
                "name",
                "kind",
                "port",
                "database",
                "username",
                "password",
                "settings",
                "append_only",
                "memory_limit",
                "eviction_policy",
                "resources",
            ]
        },
    }
    return StoreSpec(config_hash=_hash(data), **data)


def _hash(data: dict[str, Any]) -> str:
    return digest_of(encode({k: v for k, v in data.items() if k not in _NOT_HASHED}))


def _fill_stores(value: str, stores: Addresses) -> str:
    for name, address in stores.items():
        for key in ("host", "port"):
            value = value.replace(f"${{store:{name}.{key}}}", str(address.get(key, "")))
    return value


def _needs(service: Service, stores: Addresses) -> tuple[Need, ...]:
    """Stores whose host the service's environment refers to."""
    return tuple(
        Need(name, str(address["host"]), int(address["port"]))
        for name, address in sorted(stores.items())
        if any(f"${{store:{name}.host}}" in value for value in service.env.values())
    )
