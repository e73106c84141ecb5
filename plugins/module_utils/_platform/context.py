# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every rule reads: the built platform, the variables it was made from, names and groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Route,
    Service,
)

PRODUCTION = "production"


@dataclass(frozen=True)
class Context:
    """C(variables) have the stage applied; C(secrets) are values and never leave the rules.

    The names are those that are written in the inventory, also of entries that have problems of
    their own, so that one mistake is not reported twice.
    """

    platform: Platform
    variables: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    secret_names: frozenset[str] = frozenset()
    service_names: frozenset[str] = frozenset()
    store_names: frozenset[str] = frozenset()
    groups: dict[str, list[str]] = field(default_factory=dict)

    @property
    def production(self) -> bool:
        """True for the stage that real users depend on."""
        return self.platform.stage == PRODUCTION

    def raw_service(self, name: str) -> dict[str, Any]:
        """The service as written."""
        raw: dict[str, Any] = (self.variables.get("platform_services") or {}).get(name) or {}
        return raw

    def raw_store(self, name: str) -> dict[str, Any]:
        """The store as written."""
        raw: dict[str, Any] = (self.variables.get("platform_stores") or {}).get(name) or {}
        return raw

    def routes(self, service: Service) -> Iterator[tuple[str, Route, Any]]:
        """(path in the inventory, route, route as written) of a service."""
        own = self.raw_service(service.name).get("routes") or []
        places = [f"platform_services.{service.name}.routes[{i}]" for i in range(len(own))]
        written = list(own)
        edge = (self.variables.get("platform_edge") or {}).get("routes") or []
        for index, raw in enumerate(edge):
            if raw.get("service") == service.name:
                places.append(f"platform_edge.routes[{index}]")
                written.append(raw)
        yield from zip(places, service.routes, written)


def severity(strict: bool) -> str:
    """An error where C(strict), a warning elsewhere."""
    return "error" if strict else "warning"
