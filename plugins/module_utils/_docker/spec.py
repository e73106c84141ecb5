# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host shall run: services, stores, and the names and labels of their containers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Health,
    Migration,
    Resources,
    SecretUse,
    Volume,
)

LABEL = "io.mainstay."
SERVICE, WORKER, STORE, MIGRATION = "service", "worker", "store", "migration"


@dataclass(frozen=True)
class Need:
    """A store that must accept connections before the service is started."""

    store: str
    host: str
    port: int


@dataclass(frozen=True)
class ServiceSpec:
    """One service as one host shall run it.

    C(image) is C(repository@digest) or C(repository:tag); C(replicas) are the indices (from 1) that
    live on this host. Values of C(env) may hold C(${secret:NAME}); nothing here is a secret.
    """

    name: str
    kind: str
    image: str
    replicas: tuple[int, ...] = (1,)
    port: Optional[int] = None
    health: Health = field(default_factory=Health)
    env: dict[str, str] = field(default_factory=dict)
    secrets: tuple[SecretUse, ...] = ()
    resources: Resources = field(default_factory=Resources)
    volumes: tuple[Volume, ...] = ()
    stop_grace: float = 30.0
    stop_signal: str = "SIGTERM"
    command: tuple[str, ...] = ()
    user: str = "1001:1001"
    read_only_root: bool = True
    writable: tuple[str, ...] = ("/tmp",)
    migration: Optional[Migration] = None
    needs: tuple[Need, ...] = ()
    config_hash: str = ""


@dataclass(frozen=True)
class StoreSpec:
    """One store in Docker on this host; C(kind) is postgres, redis, rabbitmq or mongodb."""

    name: str
    kind: str
    image: str
    port: int
    volume: Optional[Volume] = None
    database: Optional[str] = None
    username: Optional[str] = None
    password: Optional[str] = None
    settings: dict[str, str] = field(default_factory=dict)
    append_only: bool = True
    memory_limit: int = 0
    eviction_policy: str = "noeviction"
    resources: Resources = field(default_factory=Resources)
    config_hash: str = ""


@dataclass(frozen=True)
class Container:
    """One container of the platform as the Engine reports it.

    C(state) is the Engine's word (created, running, restarting, exited, dead, paused), C(health) is
    starting, healthy, unhealthy or empty, C(address) is C(ip:port) as published.
    """

    name: str
    state: str
    platform: str
    service: str
    kind: str
    origin: str
    replica: int
    config: str = ""
    secrets: str = ""
    address: str = ""
    health: str = ""
    status: str = ""
    image: str = ""
    image_id: str = ""

    @property
    def running(self) -> bool:
        """True when the program runs."""
        return self.state == "running"


def network_name(platform: str) -> str:
    """The bridge network all containers of the platform share on one host."""
    return f"mainstay-{platform}"


def container_name(platform: str, service: str, replica: object, origin: str) -> str:
    """C(<platform>-<service>-<replica>-<last six of the origin>)."""
    return f"{platform}-{service}-{replica}-{origin[-6:]}"


def labels(
    platform: str, service: str, kind: str, origin: str, replica: int, config: str, secrets: str
) -> dict[str, str]:
    """The labels by which a container is found again."""
    return {
        f"{LABEL}platform": platform,
        f"{LABEL}service": service,
        f"{LABEL}kind": kind,
        f"{LABEL}origin": origin,
        f"{LABEL}replica": str(replica),
        f"{LABEL}config": config,
        f"{LABEL}secrets": secrets,
    }
