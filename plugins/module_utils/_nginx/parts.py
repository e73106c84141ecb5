# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the edge's configuration that do not depend on routes. Pure."""

from __future__ import annotations

from ansible_collections.mainstay.platform.plugins.module_utils._nginx.syntax import (
    Line,
    block,
    literal,
    text,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Edge

#: First version with keepalive_min_timeout: a reload then waits for idle connections.
GRACEFUL_RELOAD = (1, 27, 4)
#: Types that gzip makes smaller; text/html is always among them.
COMPRESSIBLE = (
    "text/plain text/css text/xml text/javascript application/javascript application/json "
    "application/manifest+json application/xml application/rss+xml image/svg+xml font/ttf"
)
#: The edge itself, where the smoke checks and the prober of a release run: they pass the
#: maintenance page, and are not counted by rate limits made for clients.
OWN_ADDRESSES = ("127.0.0.0/8", "::1")
#: One line of JSON a request. The query is left out: it may hold tokens.
LOG = (
    ("time", "$time_iso8601"),
    ("request_id", "$mainstay_request_id"),
    ("client", "$remote_addr"),
    ("host", "$host"),
    ("method", "$request_method"),
    ("path", "$mainstay_path"),
    ("protocol", "$server_protocol"),
    ("status", "$status"),
    ("bytes", "$bytes_sent"),
    ("seconds", "$request_time"),
    ("service", "$mainstay_service"),
    ("release", "$mainstay_release"),
    ("upstream", "$upstream_addr"),
    ("upstream_status", "$upstream_status"),
    ("upstream_seconds", "$upstream_response_time"),
    ("agent", "$http_user_agent"),
)


def main_file() -> str:
    """nginx.conf; all paths are relative to it, so that a copy of the tree can be tested."""
    return text(
        "user www-data",
        "worker_processes auto",
        "worker_shutdown_timeout 1h",
        "pid /run/nginx.pid",
        "error_log /var/log/nginx/error.log warn",
        "include modules-enabled/*.conf",
        block("events", "worker_connections 8192"),
        block(
            "http",
            "include mime.types",
            "include mainstay/http.conf",
            "include mainstay/bypass.conf",
            "include mainstay/upstreams.conf",
            "include mainstay/http.d/*.conf",
            "include mainstay/servers.conf",
            "include mainstay/control.conf",
        ),
    )


def basics(edge: Edge, version: tuple[int, ...]) -> list[Line]:
    """Connections, sizes, names."""
    lines: list[Line] = [
        "default_type application/octet-stream",
        "sendfile on",
        "tcp_nopush on",
        "server_tokens off",
        "server_names_hash_bucket_size 128",
        "variables_hash_max_size 2048",
        f"keepalive_timeout {edge.keepalive_seconds}s",
        "keepalive_requests 100000",
        f"client_max_body_size {edge.max_body_bytes}",
        "client_header_timeout 15s",
        "client_body_timeout 30s",
        "send_timeout 30s",
        "reset_timedout_connection on",
        "proxy_connect_timeout 1s",
        "proxy_next_upstream error timeout",
        "proxy_next_upstream_timeout 10s",
    ]
    if version >= GRACEFUL_RELOAD:
        lines.append(f"keepalive_min_timeout {edge.keepalive_seconds}s")
    return lines


def compression(edge: Edge) -> list[Line]:
    """Compressed text, also for answers that came through a proxy."""
    if not edge.gzip:
        return []
    return [
        "gzip on",
        "gzip_vary on",
        "gzip_proxied any",
        "gzip_comp_level 5",
        f"gzip_min_length {edge.gzip_min_length}",
        f"gzip_types {COMPRESSIBLE}",
    ]


def logs(platform_id: str) -> list[Line]:
    """JSON lines, written in batches."""
    fields = ",".join(f'"{name}":"{value}"' for name, value in LOG)
    return [
        f"log_format mainstay escape=json '{{{fields}}}'",
        f"access_log /var/log/nginx/{platform_id}.access.log mainstay buffer=64k flush=1s",
    ]


def maps(edge: Edge, unavailable_retry: int) -> list[Line]:
    """Variables that are only worked out when they are used.

    C(map "") makes variables that Lua fills in for the request; unlike C(set) in a server they
    survive the redirect to the edge's own pages.
    """
    written = [
        block(f'map "" $mainstay_{name}', 'default ""')
        for name in ("release", "service", "cookie", "refusal")
    ]
    retry = edge.maintenance.retry_after
    addresses = [f"{a} 1" for a in (*OWN_ADDRESSES, *edge.maintenance.bypass_addresses)]
    return [
        *written,
        block("geo $mainstay_dollar", 'default "$"'),
        block("map $http_upgrade $mainstay_connection", 'default "upgrade"', '"" ""'),
        block(
            "map $request_uri $mainstay_path", 'default ""', '"~^(?<mainstay_p>[^?]*)" $mainstay_p'
        ),
        block(
            "map $http_x_request_id $mainstay_request_id",
            "default $request_id",
            '"~^[A-Za-z0-9._-]{8,128}$" $http_x_request_id',
        ),
        block(
            "map $mainstay_refusal $mainstay_retry_after",
            f"default {unavailable_retry}",
            f"maintenance {retry}",
        ),
        block("geo $mainstay_bypass_address", 'default ""', addresses),
        block("geo $mainstay_own", "default 0", [f"{address} 1" for address in OWN_ADDRESSES]),
        block("map $mainstay_own $mainstay_counted", "default $binary_remote_addr", '1 ""'),
        block(
            'map "$mainstay_bypass_key$mainstay_bypass_address" $mainstay_bypass',
            "default 1",
            '"" ""',
        ),
    ]


def headers(edge: Edge) -> str:
    """Response headers. A location with a header of its own inherits none, so it includes this."""
    wanted = dict(edge.headers)
    strict = "Strict-Transport-Security"
    if edge.tls.mode != "off" and edge.tls.hsts_seconds > 0 and strict not in wanted:
        wanted[strict] = f"max-age={edge.tls.hsts_seconds}; includeSubDomains"
    lines = [
        f"add_header {name} {literal(value)} always"
        for name, value in sorted(wanted.items())
        if value
    ]
    return text(
        lines,
        "add_header X-Request-ID $mainstay_request_id always",
        "add_header Set-Cookie $mainstay_cookie always",
    )


def hidden(edge: Edge) -> list[Line]:
    """The edge's own value of a header replaces the one of a program: sent twice, it is invalid."""
    names = {name for name, value in edge.headers.items() if value}
    if edge.tls.mode != "off" and edge.tls.hsts_seconds > 0:
        names.add("Strict-Transport-Security")
    return [f"proxy_hide_header {name}" for name in sorted(names | {"X-Request-ID"})]


def proxy(*, websocket: bool) -> str:
    """What a program learns about the request. The edge is the first hop that can be trusted, so
    forwarded headers of a client are replaced, not extended."""
    upgrade = ["proxy_set_header Upgrade $http_upgrade"] if websocket else []
    connection = "$mainstay_connection" if websocket else '""'
    return text(
        "proxy_http_version 1.1",
        upgrade,
        f"proxy_set_header Connection {connection}",
        "proxy_set_header Host $host",
        "proxy_set_header X-Real-IP $remote_addr",
        "proxy_set_header X-Forwarded-For $remote_addr",
        "proxy_set_header X-Forwarded-Proto $scheme",
        "proxy_set_header X-Forwarded-Host $http_host",
        "proxy_set_header X-Forwarded-Port $server_port",
        "proxy_set_header X-Request-ID $mainstay_request_id",
    )
