# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about routes, the edge and TLS. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mainstay.platform.plugins.module_utils._platform.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    WARNING,
    Problem,
    suggestion,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_services import (
    within,
)

#: Paths that the edge answers itself.
RESERVED_PATHS = ("/-", "/.well-known/acme-challenge")
#: Host ports that containers are published on.
CONTAINER_PORTS = range(20000, 30000)


def check_traffic(context: Context) -> Iterator[Problem]:
    """All rules of this file."""
    yield from _routes(context)
    yield from _edge_routes(context)
    yield from _ports(context)
    yield from _tls(context)
    yield from _hosts(context)


def _routes(context: Context) -> Iterator[Problem]:
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    limits = [limit.name for limit in context.platform.edge.rate_limits]
    for service in context.platform.services:
        for where, route, written in context.routes(service):
            key = (route.host or context.platform.domain, route.path.rstrip("/") or "/")
            if key in seen:
                yield Problem(
                    where,
                    "the same host and path as another route",
                    f"{key[0]}{key[1]} leads to {service.name} and to {seen[key][0]}",
                    "one service for each host and path",
                    f"the other one is {seen[key][1]}",
                )
            seen.setdefault(key, (service.name, where))
            if any(within(key[1], reserved) for reserved in RESERVED_PATHS):
                yield Problem(
                    where,
                    "a path that the edge answers itself",
                    route.path,
                    f"a path outside {' and '.join(RESERVED_PATHS)}",
                )
            if route.rate_limit and route.rate_limit not in limits:
                yield Problem(
                    f"{where}.rate_limit",
                    "no such rate limit",
                    route.rate_limit,
                    ", ".join(limits) or "an entry of platform_edge.rate_limits (there is none)",
                    suggestion(route.rate_limit, limits),
                )
            if route.websocket and "read_timeout" not in written:
                yield Problem(
                    where,
                    "a WebSocket route without read_timeout; 1h is taken",
                    "nothing",
                    "how long a socket may be silent",
                    severity=WARNING,
                )


def _edge_routes(context: Context) -> Iterator[Problem]:
    routes = (context.variables.get("platform_edge") or {}).get("routes") or []
    for index, raw in enumerate(routes):
        name = raw["service"]
        if name not in context.service_names:
            yield Problem(
                f"platform_edge.routes[{index}].service",
                "no such service",
                name,
                ", ".join(sorted(context.service_names)),
                suggestion(name, context.service_names),
            )


def _ports(context: Context) -> Iterator[Problem]:
    edge = context.platform.edge
    if edge.http_port == edge.https_port:
        yield Problem(
            "platform_edge.https_port",
            "HTTP and HTTPS on one port",
            str(edge.https_port),
            "two different ports, usually 80 and 443",
        )
    for key, port in (("http_port", edge.http_port), ("https_port", edge.https_port)):
        if port in CONTAINER_PORTS:
            yield Problem(
                f"platform_edge.{key}",
                "a port of the range that containers are published on",
                str(port),
                f"a port outside {CONTAINER_PORTS[0]} to {CONTAINER_PORTS[-1]}",
            )


def _tls(context: Context) -> Iterator[Problem]:
    tls = context.platform.edge.tls
    if tls.mode == "off" and context.production:
        yield Problem(
            "platform_edge.tls.mode",
            "production without encryption",
            "off",
            "private_ca, given, acme",
        )
    needed = {
        "given": (("certificate", tls.certificate), ("key", tls.key)),
        "acme": (("acme_email", tls.acme_email),),
    }
    for key, value in needed.get(tls.mode, ()):
        if not value:
            yield Problem(
                f"platform_edge.tls.{key}", f"missing for mode {tls.mode}", "nothing", "a value"
            )
    if tls.mode == "given" and tls.key and tls.key == tls.certificate:
        yield Problem(
            "platform_edge.tls.key", "the certificate's file again", tls.key, "the key's file"
        )


def _hosts(context: Context) -> Iterator[Problem]:
    known = [context.platform.domain, *context.platform.edge.aliases]
    for service in context.platform.services:
        named = [(f"{where}.host", route.host) for where, route, _raw in context.routes(service)]
        named += [
            (f"platform_services.{service.name}.smoke[{index}].host", check.host)
            for index, check in enumerate(service.smoke)
        ]
        for where, host in named:
            if host and host not in known:
                yield Problem(
                    where,
                    "a host name that the edge and its certificate do not know",
                    host,
                    ", ".join(known),
                    suggestion(host, known) or "add it to platform_edge.aliases",
                )
