# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may talk to whom, as NetworkPolicies. Pure.

Everything is denied first. Then exactly what the description needs is allowed: routes and load
balancers lead to the services they name, services to the stores their environment names and to the
services they call, Prometheus to metrics, everybody to the cluster's DNS.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    INSTANCE,
    NAME,
    Manifest,
    manifest,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_store_kinds import (  # noqa: E501
    PEER_PORTS,
    PORTS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Service,
    Store,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_kubernetes import (
    Egress,
)

COMPONENT = "policy"
ANYWHERE = ("0.0.0.0/0", "::/0")
DNS_PORT = 53
Rule = dict[str, Any]


def network_policies(platform: Platform) -> list[Manifest]:
    """All of a platform; none when the description wants none."""
    if not platform.kubernetes.network.policies:
        return []
    found = [_deny(platform), _dns(platform)]
    for service in platform.services:
        found.append(_service(platform, service))
        if service.migration:
            found.append(_migration(platform, service))
    for store in platform.stores:
        if store.mode == "kubernetes":
            found.append(_store(platform, store))
        if has_jobs(store):
            found.append(_jobs(platform, store))
    return found


def has_jobs(store: Store) -> bool:
    """True when a store has jobs beside its program."""
    wanted = store.kubernetes
    joined = store.mode == "kubernetes" and store.kind == "redis" and wanted.shards
    return bool(wanted.dump or wanted.upkeep or joined)


def stores_of(platform: Platform, service: Service) -> list[Store]:
    """The stores that the environment of a service names."""
    return [
        store
        for store in platform.stores
        if any(f"${{store:{store.name}.host}}" in value for value in service.env.values())
    ]


def pods(platform: Platform, *names: str) -> dict[str, Any]:
    """Selects the pods of these parts."""
    chosen = [{"key": NAME, "operator": "In", "values": sorted(names)}]
    return {"matchLabels": {INSTANCE: platform.id}, "matchExpressions": chosen}


def _tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in sorted(set(ports))]


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _policy(
    platform: Platform,
    name: str,
    chosen: dict[str, Any],
    ingress: Optional[list[Rule]] = None,
    egress: Optional[list[Rule]] = None,
) -> Manifest:
    spec: dict[str, Any] = {"podSelector": chosen, "policyTypes": []}
    for kind, key, rules in (("Ingress", "ingress", ingress), ("Egress", "egress", egress)):
        if rules is not None:
            spec["policyTypes"].append(kind)
            if rules:
                spec[key] = rules
    api, part = "networking.k8s.io/v1", platform.name
    return manifest(platform, api, "NetworkPolicy", name, COMPONENT, part=part, spec=spec)


def _deny(platform: Platform) -> Manifest:
    return _policy(platform, "default-deny", {}, [], [])


def _dns(platform: Platform) -> Manifest:
    ports = [{"protocol": p, "port": DNS_PORT} for p in ("TCP", "UDP")]
    to = [_namespace(platform.kubernetes.network.dns_namespace)]
    return _policy(platform, "allow-dns", {}, None, [{"to": to, "ports": ports}])


def _service(platform: Platform, service: Service) -> Manifest:
    chosen = pods(platform, service.name)
    ways_in, ways_out = _ways_in(platform, service), _ways_out(platform, service)
    return _policy(platform, f"service-{service.name}", chosen, ways_in, ways_out)


def _migration(platform: Platform, service: Service) -> Manifest:
    """Its pods need what the service needs, and nobody needs them."""
    chosen = pods(platform, f"{service.name}-migrate")
    return _policy(platform, f"migration-{service.name}", chosen, [], _ways_out(platform, service))


def _ways_in(platform: Platform, service: Service) -> list[Rule]:
    cluster = platform.kubernetes
    found: list[Rule] = []
    if service.port:
        ports = _tcp(service.port)
        if service.routes and cluster.ingress.kind != "none":
            source = cluster.ingress.namespace
            if cluster.ingress.kind == "gateway" and cluster.ingress.gateway_namespace:
                source = cluster.ingress.gateway_namespace
            found.append({"from": [_namespace(source)], "ports": ports})
        balancer = service.kubernetes.load_balancer
        if balancer:
            blocks = [{"ipBlock": {"cidr": c}} for c in balancer.sources or ANYWHERE]
            found.append({"from": blocks, "ports": ports})
        callers = sorted(s.name for s in platform.services if service.name in s.kubernetes.calls)
        if callers:
            found.append({"from": [{"podSelector": pods(platform, *callers)}], "ports": ports})
    if service.metrics and cluster.monitors.enabled:
        prometheus = [_namespace(cluster.monitors.namespace)]
        found.append({"from": prometheus, "ports": _tcp(service.metrics.port)})
    return found


def _ways_out(platform: Platform, service: Service) -> list[Rule]:
    found = [_to_store(platform, store) for store in stores_of(platform, service)]
    for name in sorted(service.kubernetes.calls):
        called = platform.service(name)
        if called.port:
            to = [{"podSelector": pods(platform, name)}]
            found.append({"to": to, "ports": _tcp(called.port)})
    holes = (*service.kubernetes.egress, *platform.kubernetes.network.egress)
    return found + [_outside(hole) for hole in holes]


def _outside(hole: Egress) -> Rule:
    if hole.namespace:
        return {"to": [_namespace(hole.namespace)], "ports": _tcp(*hole.ports)}
    block: dict[str, Any] = {"cidr": hole.to}
    if hole.excluded:
        block["except"] = list(hole.excluded)
    return {"to": [{"ipBlock": block}], "ports": _tcp(*hole.ports)}


def _to_store(platform: Platform, store: Store) -> Rule:
    if store.mode == "kubernetes":
        # Policies see the pods behind a Service, and the port that those listen on.
        to: list[dict[str, Any]] = [{"podSelector": pods(platform, store.name)}]
        return {"to": to, "ports": _tcp(PORTS[store.kind])}
    networks = list(store.kubernetes.networks) or _networks_of(store.host or "")
    return {"to": [{"ipBlock": {"cidr": c}} for c in networks], "ports": _tcp(store.port)}


def _networks_of(host: str) -> list[str]:
    """An address as its own network; a name may be anywhere."""
    try:
        return [str(ipaddress.ip_network(host))]
    except ValueError:
        return list(ANYWHERE)


def _store(platform: Platform, store: Store) -> Manifest:
    """From the services and jobs that use it, and between its own pods."""
    users = [s for s in platform.services if store in stores_of(platform, s)]
    names = [name for s in users for name in (s.name, f"{s.name}-migrate")]
    if has_jobs(store):
        names.append(f"{store.name}-jobs")
    port = PORTS[store.kind]
    ingress: list[Rule] = []
    egress: list[Rule] = []
    if names:
        source = [{"podSelector": pods(platform, *names)}]
        ingress.append({"from": source, "ports": _tcp(port)})
    if store.replicas or store.kubernetes.shards:
        peers, ports = [{"podSelector": pods(platform, store.name)}], PEER_PORTS[store.kind]
        ingress.append({"from": peers, "ports": _tcp(port, *ports)})
        egress.append({"to": peers, "ports": _tcp(port, *ports)})
    chosen = pods(platform, store.name)
    return _policy(platform, f"store-{store.name}", chosen, ingress, egress)


def _jobs(platform: Platform, store: Store) -> Manifest:
    """They reach their store and nothing else, and nobody reaches them."""
    chosen = pods(platform, f"{store.name}-jobs")
    return _policy(platform, f"jobs-{store.name}", chosen, [], [_to_store(platform, store)])
