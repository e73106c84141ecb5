# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of the edge: one for the platform, one for each host name with routes of its own,
one that refuses all other names. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mainstay.platform.plugins.module_utils._nginx.parts import hidden
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.routes import (
    ServiceRoute,
    locations,
    routes_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.syntax import (
    Block,
    Line,
    block,
    flat,
    text,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Edge,
    Platform,
)

#: First version in which HTTP/2 is a directive; before, it is a parameter of listen.
HTTP2_DIRECTIVE = (1, 25, 1)
#: Where programs that renew certificates put their answers.
ACME_ROOT = "/var/lib/mainstay-acme"
#: Figures of Nginx, for this host alone, by plain HTTP.
STATUS_PATH = "/-/nginx-status"
#: Mozilla's intermediate list, for clients of TLS 1.2.
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)


def certificate_directory(platform_id: str) -> str:
    """Where the role puts fullchain.pem and key.pem."""
    return f"/etc/ssl/mainstay/{platform_id}"


def servers(platform: Platform, version: tuple[int, ...], *, ipv6: bool) -> str:
    """The content of servers.conf."""
    return text(
        _tls(platform),
        _stranger(platform, version, ipv6),
        [part for names in _hosts(platform) for part in _host(platform, names, version, ipv6)],
    )


def _hosts(platform: Platform) -> list[tuple[str, ...]]:
    """Host names by server: those without routes of their own share one."""
    own = {route.route.host for route in routes_of(platform) if route.route.host}
    known = [platform.domain, *platform.edge.aliases]
    common = tuple(name for name in known if name not in own)
    return [names for names in (common, *((name,) for name in sorted(own))) if names]


def _routes(platform: Platform, names: Sequence[str]) -> list[ServiceRoute]:
    """Routes of these names; one that names a host wins over one of the same path that does not.

    A host that is neither domain nor alias has its own routes only.
    """
    known = {platform.domain, *platform.edge.aliases}
    found: dict[str, ServiceRoute] = {}
    for route in routes_of(platform):
        host = route.route.host
        path = route.route.path.rstrip("/") or "/"
        if host in names or (host is None and set(names) <= known and path not in found):
            found[path] = route
    return sorted(found.values(), key=lambda r: (-len(r.route.path), r.route.path))


def _host(
    platform: Platform, names: tuple[str, ...], version: tuple[int, ...], ipv6: bool
) -> list[Block]:
    edge = platform.edge
    name = f"server_name {' '.join(names)}"
    application = _application(platform, names)
    if edge.tls.mode == "off":
        return [block("server", _listen(edge.http_port, ipv6), name, application)]
    secure = block("server", _listen_tls(edge, version, ipv6), name, application)
    if not edge.tls.redirect:
        return [block("server", _listen(edge.http_port, ipv6), name, application), secure]
    return [block("server", _listen(edge.http_port, ipv6), name, _redirect(edge)), secure]


def _application(platform: Platform, names: tuple[str, ...]) -> list[Line]:
    routes = [part for route in _routes(platform, names) for part in locations(route)]
    fallback = [] if any(r.name == "location /" for r in routes) else [_nothing()]
    return flat(
        [
            "include mainstay/headers.conf",
            hidden(platform.edge),
            block("log_by_lua_block", 'require("edge").finish()'),
            # A refusal of the choice of members comes as 500; answers of programs are not touched.
            "error_page 500 =503 /-/mainstay-refused",
            "error_page 502 503 504 /-/mainstay-refused",
            "include mainstay/server.d/*.conf",
            _health(platform.edge),
            _refused(),
            routes,
            fallback,
        ]
    )


def _nothing() -> Block:
    return block("location /", "return 404")


def _health(edge: Edge) -> Block:
    return block(
        f"location = {edge.health_path}",
        "access_log off",
        "default_type text/plain",
        'return 200 "ok\\n"',
    )


def _figures() -> Block:
    return block(
        f"location = {STATUS_PATH}", "access_log off", "allow 127.0.0.1", "deny all", "stub_status"
    )


def _refused() -> Block:
    """The edge's own page; the path of the request in error_page makes a POST a GET here."""
    return block(
        "location = /-/mainstay-refused",
        "internal",
        block(
            "set_by_lua_block $mainstay_refusal",
            'return require("edge").refusal(ngx.var.mainstay_service)',
        ),
        "include mainstay/headers.conf",
        "add_header Retry-After $mainstay_retry_after always",
        "add_header Cache-Control no-store always",
        "default_type text/html",
        "charset utf-8",
        "root /etc/nginx/mainstay/pages",
        "try_files /$mainstay_refusal.html /unavailable.html =503",
    )


def _redirect(edge: Edge) -> list[Line]:
    """308 keeps the method; certificates are renewed over plain HTTP."""
    port = "" if edge.https_port == 443 else f":{edge.https_port}"
    return [
        _health(edge),
        block("location /.well-known/acme-challenge/", f"root {ACME_ROOT}"),
        block("location /", f"return 308 https://$host{port}$request_uri"),
    ]


def _stranger(platform: Platform, version: tuple[int, ...], ipv6: bool) -> list[Block]:
    """Requests that name no host of the platform get only the health answer, and this host itself
    the figures that Prometheus' exporter for Nginx reads."""
    edge = platform.edge
    body: list[Line] = ["server_name _", _health(edge), block("location /", "return 421")]
    plain = _listen(edge.http_port, ipv6, " default_server")
    found = [block("server", plain, body, _figures())]
    if edge.tls.mode != "off":
        found.append(block("server", _listen_tls(edge, version, ipv6, " default_server"), body))
    return found


def _listen(port: int, ipv6: bool, suffix: str = "") -> list[Line]:
    addresses = [str(port), f"[::]:{port}"] if ipv6 else [str(port)]
    return [f"listen {address}{suffix}" for address in addresses]


def _listen_tls(edge: Edge, version: tuple[int, ...], ipv6: bool, suffix: str = "") -> list[Line]:
    if version >= HTTP2_DIRECTIVE:
        return [*_listen(edge.https_port, ipv6, f" ssl{suffix}"), "http2 on"]
    return _listen(edge.https_port, ipv6, f" ssl http2{suffix}")


def _tls(platform: Platform) -> list[Line]:
    tls = platform.edge.tls
    if tls.mode == "off":
        return []
    directory = certificate_directory(platform.id)
    return [
        f"ssl_certificate {directory}/fullchain.pem",
        f"ssl_certificate_key {directory}/key.pem",
        f"ssl_protocols {' '.join(tls.protocols)}",
        f"ssl_ciphers {CIPHERS}",
        "ssl_prefer_server_ciphers off",
        "ssl_session_cache shared:mainstay_tls:10m",
        "ssl_session_timeout 1d",
        "ssl_session_tickets off",
    ]
