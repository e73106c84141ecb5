# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How requests come in: Ingress objects, or HTTPRoutes of the Gateway API. Pure.

ingress-nginx is retired and gets no more fixes. Its annotations are written where the class has
nginx in its name, since clusters still run it. The Gateway API, its successor, says the same in
fields that every controller must understand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    Manifest,
    manifest,
    whole_seconds,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_services import (
    AFTER_WORKLOADS,
    WAVE,
    preview_name,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    RateLimit,
    Route,
    Service,
)

NGINX = "nginx.ingress.kubernetes.io/"
GATEWAY = "gateway.networking.k8s.io"
COMPONENT = "route"
#: The limit of routes that name none.
GENERAL = "general"
_WHOLE = 1000


def routes(platform: Platform, weights: Optional[Mapping[str, float]] = None) -> list[Manifest]:
    """What brings requests to the services that have routes.

    C(weights) are the percent of a service's requests that go to its preview instead.
    """
    weights = weights or {}
    routed = [s for s in platform.services if s.routes and s.port]
    kind = platform.kubernetes.ingress.kind
    if kind == "ingress":
        # cert-manager makes a certificate for each Ingress that names an issuer; here they share
        # one Secret, so only the first may name it.
        found = [_ingress(platform, s, s is routed[0]) for s in routed]
        return found + [_canary(platform, s, weights[s.name]) for s in routed if s.name in weights]
    if kind == "gateway":
        found = [_http_route(platform, s, weights.get(s.name, 0.0)) for s in routed]
        if routed and platform.edge.tls.mode != "off" and platform.edge.tls.redirect:
            found.append(_redirect(platform))
        return found
    return []


def tls_secret(platform: Platform) -> str:
    """The Secret with the certificate."""
    return platform.kubernetes.ingress.tls_secret or f"{platform.name}-tls"


def hosts_of(platform: Platform) -> list[str]:
    """All host names of the platform."""
    return [platform.domain, *platform.edge.aliases]


def hosts_of_route(platform: Platform, route: Route) -> list[str]:
    """A route without a host is there for all of them."""
    return [route.host] if route.host else hosts_of(platform)


def _longest_first(service: Service) -> list[Route]:
    return sorted(service.routes, key=lambda route: (-len(route.path), route.path))


def limit_of(platform: Platform, service: Service) -> Optional[RateLimit]:
    """The strictest limit of a service's routes; the one called general holds for the others."""
    known = {limit.name: limit for limit in platform.edge.rate_limits}
    named = [known.get(route.rate_limit or GENERAL) for route in service.routes]
    return min((limit for limit in named if limit), key=lambda limit: limit.rate, default=None)


def _limits(limit: Optional[RateLimit]) -> dict[str, str]:
    """Whole numbers a second or a minute; the burst is a multiple of them."""
    if limit is None:
        return {}
    key, count = "limit-rpm", max(1, round(limit.rate * 60))
    if float(limit.rate).is_integer():
        key, count = "limit-rps", int(limit.rate)
    burst = max(1, math.ceil(limit.burst / count))
    return {f"{NGINX}{key}": str(count), f"{NGINX}limit-burst-multiplier": str(burst)}


def _annotations(platform: Platform, service: Service, first: bool) -> dict[str, str]:
    ingress, edge = platform.kubernetes.ingress, platform.edge
    found: dict[str, str] = {}
    if "nginx" in ingress.class_name:
        silence = str(whole_seconds(max(route.read_timeout for route in service.routes)))
        secure = edge.tls.mode != "off" and edge.tls.redirect
        found = {
            f"{NGINX}proxy-body-size": str(edge.max_body_bytes),
            f"{NGINX}proxy-read-timeout": silence,
            f"{NGINX}proxy-send-timeout": silence,
            f"{NGINX}ssl-redirect": "true" if secure else "false",
            **_limits(limit_of(platform, service)),
        }
    if first and ingress.issuer and edge.tls.mode != "off":
        kind = "cluster-issuer" if ingress.issuer_kind == "ClusterIssuer" else "issuer"
        found[f"cert-manager.io/{kind}"] = ingress.issuer
    return {**found, **ingress.annotations}


def _ingress_spec(platform: Platform, service: Service, backend: str) -> dict[str, Any]:
    port = {"name": backend, "port": {"number": service.port}}
    by_host: dict[str, list[dict[str, Any]]] = {}
    for route in _longest_first(service):
        for host in hosts_of_route(platform, route):
            path = {"path": route.path, "pathType": "Prefix", "backend": {"service": port}}
            by_host.setdefault(host, []).append(path)
    return {
        "ingressClassName": platform.kubernetes.ingress.class_name,
        "rules": [{"host": host, "http": {"paths": paths}} for host, paths in by_host.items()],
    }


def _canary(platform: Platform, service: Service, percent: float) -> Manifest:
    """The second Ingress of a service, which takes its share of the requests of the first one.

    ingress-nginx reads nothing else from a canary but where it goes: limits and certificates are
    those of the first.
    """
    annotations = {
        f"{NGINX}canary": "true",
        f"{NGINX}canary-weight": str(_parts(percent)),
        f"{NGINX}canary-weight-total": str(_WHOLE),
    }
    return manifest(
        platform,
        "networking.k8s.io/v1",
        "Ingress",
        f"{service.name}-canary",
        COMPONENT,
        part=service.name,
        annotations={WAVE: AFTER_WORKLOADS, **annotations},
        spec=_ingress_spec(platform, service, preview_name(service.name)),
    )


def _parts(percent: float) -> int:
    """Of a thousand, so that half a percent is possible."""
    return round(percent * _WHOLE / 100)


def _ingress(platform: Platform, service: Service, first: bool) -> Manifest:
    spec = _ingress_spec(platform, service, service.name)
    if platform.edge.tls.mode != "off":
        hosts = hosts_of(platform) if first else [rule["host"] for rule in spec["rules"]]
        spec["tls"] = [{"hosts": hosts, "secretName": tls_secret(platform)}]
    return manifest(
        platform,
        "networking.k8s.io/v1",
        "Ingress",
        service.name,
        COMPONENT,
        annotations=_annotations(platform, service, first),
        spec=spec,
    )


def _parents(platform: Platform, section: str) -> list[dict[str, Any]]:
    ingress = platform.kubernetes.ingress
    found: dict[str, Any] = {"group": GATEWAY, "kind": "Gateway", "name": ingress.gateway}
    if ingress.gateway_namespace:
        found["namespace"] = ingress.gateway_namespace
    return [{**found, "sectionName": section}]


def _backends(service: Service, percent: float) -> list[dict[str, Any]]:
    backend = {"group": "", "kind": "Service", "name": service.name, "port": service.port}
    if percent <= 0:
        return [{**backend, "weight": 1}]
    parts = _parts(percent)
    return [
        {**backend, "weight": _WHOLE - parts},
        {**backend, "name": preview_name(service.name), "weight": parts},
    ]


def _rule(platform: Platform, service: Service, route: Route, percent: float) -> dict[str, Any]:
    found: dict[str, Any] = {
        "matches": [{"path": {"type": "PathPrefix", "value": route.path}}],
        "backendRefs": _backends(service, percent),
        "timeouts": {"request": f"{whole_seconds(route.read_timeout)}s"},
    }
    filters: list[dict[str, Any]] = []
    if route.strip_prefix:
        path = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
        filters.append({"type": "URLRewrite", "urlRewrite": {"path": path}})
    headers = [{"name": k, "value": v} for k, v in sorted(platform.edge.headers.items()) if v]
    if headers:
        change = {"set": headers}
        filters.append({"type": "ResponseHeaderModifier", "responseHeaderModifier": change})
    return {**found, "filters": filters} if filters else found


def _http_route(platform: Platform, service: Service, percent: float) -> Manifest:
    """The listeners of the Gateway are called http and https."""
    # Not before the pods that the weights send to are ready.
    late = {WAVE: AFTER_WORKLOADS} if platform.kubernetes.ingress.canary == "weights" else {}
    secure = platform.edge.tls.mode != "off"
    own = sorted({h for route in service.routes for h in hosts_of_route(platform, route)})
    spec = {
        "parentRefs": _parents(platform, "https" if secure else "http"),
        "hostnames": own,
        "rules": [_rule(platform, service, route, percent) for route in _longest_first(service)],
    }
    return manifest(
        platform,
        f"{GATEWAY}/v1",
        "HTTPRoute",
        service.name,
        COMPONENT,
        annotations={**late, **platform.kubernetes.ingress.annotations},
        spec=spec,
    )


def _redirect(platform: Platform) -> Manifest:
    """From HTTP to HTTPS, for all host names."""
    change = {"scheme": "https", "statusCode": 301}
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "filters": [{"type": "RequestRedirect", "requestRedirect": change}],
    }
    spec = {
        "parentRefs": _parents(platform, "http"),
        "hostnames": hosts_of(platform),
        "rules": [rule],
    }
    name, part = f"{platform.name}-https", platform.name
    return manifest(platform, f"{GATEWAY}/v1", "HTTPRoute", name, COMPONENT, part=part, spec=spec)
