# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform as the configuration tree of Nginx: relative path to content. Pure."""

from __future__ import annotations

import html
import re
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import parts, servers
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.client import CONTROL_SOCKET
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.routes import (
    limit_zone,
    route_file,
    routes_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.syntax import (
    Block,
    Line,
    block,
    quote,
    text,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import STATE_ROOT
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform

#: Seconds after which a client may ask again when a service has no member.
UNAVAILABLE_RETRY = 5


def site(platform: Platform, version: tuple[int, ...], *, ipv6: bool = False) -> dict[str, str]:
    """Every file but those with secrets. C(version) is that of Nginx on the host."""
    files = {
        "nginx.conf": parts.main_file(),
        "mainstay/http.conf": _http(platform, version),
        "mainstay/upstreams.conf": _upstreams(platform),
        "mainstay/servers.conf": servers.servers(platform, version, ipv6=ipv6),
        "mainstay/headers.conf": parts.headers(platform.edge),
        "mainstay/proxy.conf": parts.proxy(websocket=False),
        "mainstay/proxy_websocket.conf": parts.proxy(websocket=True),
        "mainstay/control.conf": _control(),
        "mainstay/pages/maintenance.html": _page(
            platform.edge.maintenance.title, platform.edge.maintenance.message
        ),
        "mainstay/pages/unavailable.html": _page(
            "Not available right now", "Please try again in a moment."
        ),
    }
    files.update({route.file: route_file(route, platform) for route in routes_of(platform)})
    return files


def secret_files(platform: Platform, bypass: Optional[str]) -> dict[str, str]:
    """Files with secrets: who may pass while the maintenance page is shown.

    A map compares without regard to case unless it is given a regular expression.
    """
    maintenance = platform.edge.maintenance
    header = maintenance.bypass_header.lower().replace("-", "_")
    lines: list[Line] = ['default ""']
    if bypass:
        lines.append(f"{quote('~^' + re.escape(bypass) + '$')} 1")
    return {"mainstay/bypass.conf": text(block(f"map $http_{header} $mainstay_bypass_key", lines))}


def _http(platform: Platform, version: tuple[int, ...]) -> str:
    edge = platform.edge
    return text(
        parts.basics(edge, version),
        parts.compression(edge),
        parts.logs(platform.id),
        [limit_zone(limit) for limit in edge.rate_limits],
        "limit_req_status 429",
        "limit_req_log_level notice",
        _cache_path(platform),
        parts.maps(edge, UNAVAILABLE_RETRY),
        _lua(platform),
    )


def _cache_path(platform: Platform) -> list[Line]:
    if not any(route.route.cache > 0 for route in routes_of(platform)):
        return []
    place = "/var/cache/nginx-mainstay levels=1:2 use_temp_path=off"
    return [f"proxy_cache_path {place} keys_zone=mainstay:10m max_size=1g inactive=60m"]


def _lua(platform: Platform) -> list[Line]:
    state = f"{STATE_ROOT}/{platform.id}"
    return [
        'lua_package_path "/etc/nginx/mainstay/lua/?.lua;;"',
        "lua_shared_dict mainstay_edge 8m",
        "lua_shared_dict mainstay_figures 8m",
        block(
            "init_by_lua_block",
            f'require("edge").init({{ platform = "{platform.id}", state = "{state}" }})',
        ),
        block("init_worker_by_lua_block", 'require("edge").start()'),
    ]


def _upstreams(platform: Platform) -> str:
    """One upstream a service; its members are chosen in Lua, so the address here is never used.

    An idle connection is closed after 4 s, before the 5 s of a Node.js program: it then never
    closes one that a request is being sent on.
    """
    names = sorted({route.service for route in routes_of(platform)})
    return text([_upstream(name, platform.edge.upstream_keepalive) for name in names])


def _upstream(name: str, keepalive: int) -> Block:
    lines: list[Line] = [
        "server 0.0.0.1",
        block("balancer_by_lua_block", f'require("edge").balance("{name}")'),
    ]
    if keepalive:
        lines += [f"keepalive {keepalive}", "keepalive_timeout 4s", "keepalive_requests 100000"]
    return block(f"upstream mainstay_{name}", lines)


def _control() -> str:
    return text(
        block(
            "server",
            f"listen unix:{CONTROL_SOCKET}",
            "access_log off",
            "client_body_buffer_size 4m",
            "client_max_body_size 4m",
            block("location /", block("content_by_lua_block", 'require("control").serve()')),
        )
    )


def _page(title: str, message: str) -> str:
    title, message = html.escape(title), html.escape(message)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{message}</p>\n"
        "</body>\n</html>\n"
    )
