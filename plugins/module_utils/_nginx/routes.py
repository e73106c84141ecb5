# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of a platform as Nginx locations. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ansible_collections.mainstay.platform.plugins.module_utils._nginx.syntax import (
    Block,
    Line,
    block,
    text,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Edge,
    Platform,
    RateLimit,
    Route,
)

#: The limit of routes that name none, when the platform has one of this name.
GENERAL = "general"

#: What a file name cannot hold, and what stands for something else in one.
_UNSAFE = re.compile(r"[^A-Za-z0-9/]")


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"_{byte:02x}" for byte in found.group().encode("utf-8"))


@dataclass(frozen=True)
class ServiceRoute:
    """A route and the service it leads to."""

    service: str
    route: Route

    @property
    def file(self) -> str:
        """Its file below the configuration directory: another one for each other route.

        C(api.v1-users.conf) is C(/v1/users) of C(api), C(web.shop.test@.conf) is C(/) on that host.
        """
        path = _UNSAFE.sub(_escaped, self.route.path[1:]).replace("/", "-")
        name = f"{self.route.host}@{path}" if self.route.host else path
        return f"mainstay/routes/{self.service}{'.' if name else ''}{name}.conf"


def routes_of(platform: Platform) -> list[ServiceRoute]:
    """All routes, longest prefix first: the order in which Nginx prefers them."""
    found = [
        ServiceRoute(service.name, route)
        for service in platform.services
        if not service.is_worker
        for route in service.routes
    ]
    return sorted(found, key=lambda r: (r.route.host or "", -len(r.route.path), r.route.path))


def locations(route: ServiceRoute) -> list[Block]:
    """C(/api) is C(/api) itself and all below it, but not C(/apis)."""
    path = route.route.path
    include = f"include {route.file}"
    if path.endswith("/"):
        return [block(f"location {path}", include)]
    return [block(f"location = {path}", include), block(f"location {path}/", include)]


def route_file(route: ServiceRoute, platform: Platform) -> str:
    """The content of the file of a route."""
    spec, edge = route.route, platform.edge
    return text(
        f"set $mainstay_service {route.service}",
        _strip(spec),
        _limit(spec, edge),
        _cache(route, platform),
        f"include mainstay/proxy{'_websocket' if spec.websocket else ''}.conf",
        f"proxy_read_timeout {seconds(spec.read_timeout)}",
        f"proxy_send_timeout {seconds(spec.read_timeout)}",
        f"proxy_pass http://mainstay_{route.service}",
    )


def limit_zone(limit: RateLimit) -> str:
    """Where requests of each client address are counted; those of the edge itself are not."""
    return (
        f"limit_req_zone $mainstay_counted zone=mainstay_rate_{limit.name}:"
        f"{max(limit.zone_bytes, 65536)} rate={rate(limit.rate)}"
    )


def rate(per_second: float) -> str:
    """Nginx takes whole numbers only: a second, or a minute where that is more exact."""
    if per_second >= 1.0 and per_second == int(per_second):
        return f"{int(per_second)}r/s"
    return f"{max(1, round(per_second * 60))}r/m"


def seconds(value: float) -> str:
    """A time; Nginx takes whole milliseconds."""
    return f"{int(value)}s" if value == int(value) else f"{max(1, math.ceil(value * 1000))}ms"


def _strip(route: Route) -> list[Line]:
    prefix = route.path.rstrip("/")
    if not route.strip_prefix or not prefix:
        return []
    return [f'rewrite "^{re.escape(prefix)}/*(.*)$" /$1 break']


def _limit(route: Route, edge: Edge) -> list[Line]:
    limits = {limit.name: limit for limit in edge.rate_limits}
    limit = limits.get(route.rate_limit or GENERAL)
    if limit is None:
        return []
    burst = f" burst={limit.burst} nodelay" if limit.burst else ""
    return [f"limit_req zone=mainstay_rate_{limit.name}{burst}"]


def _cache(spec: ServiceRoute, platform: Platform) -> list[Line]:
    """Good answers to GET. A client that is known, or that previews, is always asked for anew.

    A refusal is looked for before the cache, which would answer while maintenance is on.
    """
    route = spec.route
    if route.cache <= 0:
        return []
    names = [platform.release.preview_header, platform.edge.maintenance.bypass_header]
    special = [f"$http_{name.lower().replace('-', '_')}" for name in names]
    personal = " ".join(["$http_authorization", "$http_cookie", *special])
    return [
        block(
            "set_by_lua_block $mainstay_refusal",
            f'return require("edge").refusal("{spec.service}")',
        ),
        block("if ($mainstay_refusal)", "return 503"),
        "proxy_cache mainstay",
        "proxy_cache_key $scheme$host$request_uri",
        f"proxy_cache_valid 200 301 {math.ceil(route.cache)}s",
        "proxy_cache_lock on",
        "proxy_cache_use_stale error timeout updating",
        f"proxy_cache_bypass {personal}",
        f"proxy_no_cache {personal}",
    ]
