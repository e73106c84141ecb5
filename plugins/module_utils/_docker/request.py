# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one call of docker_release asks for."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    ServiceSpec,
    StoreSpec,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Registry


@dataclass(frozen=True)
class Request:
    """The module's arguments, decoded. C(secrets) never shows in a repr."""

    platform: str
    release_id: str
    services: tuple[ServiceSpec, ...] = ()
    from_releases: dict[str, str] = field(default_factory=dict)
    stores: tuple[StoreSpec, ...] = ()
    registries: tuple[Registry, ...] = ()
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    address: str = "127.0.0.1"
    ports: tuple[int, int] = (20000, 29999)
    timeout: float = 300.0
    keep: dict[str, str] = field(default_factory=dict)
    keep_warm: float = 600.0
    retain: int = 3
    recreate_stores: tuple[str, ...] = ()
