# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about what only Kubernetes can refuse, so that it is refused here first. Pure.

They hold when C(platform_runtime) is C(kubernetes); a description may carry C(platform_kubernetes)
for a stage that runs elsewhere.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ansible_collections.mainstay.platform.plugins.module_utils._platform.context import (
    Context,
    severity,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.image import (
    parse_image,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    WARNING,
    Problem,
    suggestion,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_quota import (
    check_quota,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Service,
    Store,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_kubernetes import (
    Egress,
    Ingress,
)

#: A Redis Cluster needs this many primaries to agree on a failover (Redis, cluster tutorial).
LEAST_SHARDS = 3
DUMPED = ("postgres", "mongodb")
HERE = "platform_kubernetes"


def check_kubernetes(context: Context) -> Iterator[Problem]:
    """All rules of this file."""
    if context.platform.runtime != "kubernetes":
        for store in context.platform.stores:
            if store.mode == "kubernetes":
                yield _wrong_mode(store, context.platform.runtime, "managed, host or docker")
        return
    yield from _cluster(context)
    yield from _names(context)
    for service in context.platform.services:
        yield from _pod(context, service)
        yield from _scaling(service)
        yield from _number_of_pods(context, service)
        yield from _volumes(service)
        yield from _ways_in(context, service)
        yield from _calls(context, service)
        for index, hole in enumerate(service.kubernetes.egress):
            path = f"platform_services.{service.name}.kubernetes.egress[{index}]"
            yield from _egress(path, hole)
    for store in context.platform.stores:
        yield from _store(store)
        yield from _jobs(store)
    yield from _registries(context)
    yield from check_quota(context)


def _weights(ingress: Ingress) -> Iterator[Problem]:
    knows = ingress.kind == "gateway" or (
        ingress.kind == "ingress" and "nginx" in ingress.class_name
    )
    if ingress.canary == "weights" and not knows:
        yield Problem(
            f"{HERE}.ingress.canary",
            "this controller has no weights that this collection knows",
            f"kind {ingress.kind}, class {ingress.class_name}",
            "kind gateway, a class of ingress-nginx, or canary replicas",
        )


def _cluster(context: Context) -> Iterator[Problem]:
    cluster = context.platform.kubernetes
    if context.groups and not context.groups.get("cluster"):
        yield Problem(
            "groups.cluster",
            "the inventory has no host in this group",
            "no host",
            "one host in [cluster] that reaches the Kubernetes API, such as localhost",
        )
    ingress = cluster.ingress
    if ingress.kind == "gateway" and not ingress.gateway:
        yield Problem(
            f"{HERE}.ingress.gateway", "missing for kind gateway", "nothing", "the Gateway's name"
        )
    yield from _weights(ingress)
    if ingress.kind == "ingress" and context.platform.edge.tls.mode != "off":
        routed = any(service.routes for service in context.platform.services)
        if routed and not (ingress.issuer or ingress.tls_secret):
            yield Problem(
                f"{HERE}.ingress.issuer",
                "nothing brings the certificate",
                "neither issuer nor tls_secret",
                "an issuer of cert-manager, or the name of a Secret that is there",
                severity=severity(context.production),
            )
    priority = cluster.priority_class
    if priority.value is not None and not priority.name:
        yield Problem(f"{HERE}.priority_class.name", "missing beside value", "nothing", "a name")
    if (priority.name or "").startswith("system-") and priority.value is not None:
        yield Problem(
            f"{HERE}.priority_class.name",
            "a name that Kubernetes keeps for itself",
            str(priority.name),
            "a name that does not begin with system-",
        )
    storage = cluster.storage_class
    if storage.create and not storage.name:
        yield Problem(f"{HERE}.storage_class.name", "missing for create", "nothing", "a name")
    if storage.create and cluster.flavour == "on_premises" and not storage.provisioner:
        yield Problem(
            f"{HERE}.storage_class.provisioner",
            "missing: on premises there is no usual one",
            "nothing",
            "the provisioner's name",
        )
    for index, hole in enumerate(cluster.network.egress):
        yield from _egress(f"{HERE}.network.egress[{index}]", hole)


def _names(context: Context) -> Iterator[Problem]:
    """Names of objects: valid, and each once in the namespace."""
    owners: dict[str, str] = {}
    for store in context.platform.stores:
        for suffix in ("", "-headless", "-read"):
            owners.setdefault(f"{store.name}{suffix}", f"platform_stores.{store.name}")
    for service in context.platform.services:
        path = f"platform_services.{service.name}"
        for suffix in ("", "-preview", "-public"):
            name = f"{service.name}{suffix}"
            if name in owners:
                yield Problem(
                    path,
                    "the name of its Kubernetes Service belongs to another part",
                    f"{name}, also of {owners[name]}",
                    "a name of its own",
                )
                break
            owners[name] = path
    for kind, named in (
        ("services", context.platform.services),
        ("stores", context.platform.stores),
    ):
        for part in named:
            if part.name.endswith("-"):
                yield Problem(
                    f"platform_{kind}.{part.name}",
                    "Kubernetes takes no name that ends with a dash",
                    part.name,
                    part.name.rstrip("-"),
                )


def _pod(context: Context, service: Service) -> Iterator[Problem]:
    path, wanted = f"platform_services.{service.name}", service.kubernetes
    user, _colon, group = service.user.partition(":")
    if not user.isdigit() or (group and not group.isdigit()):
        yield Problem(
            f"{path}.user",
            "Kubernetes cannot tell that a user with a name is not root",
            service.user,
            "numbers, such as 1001:1001",
        )
    elif user == "0" and not context.production:  # rules_services speaks for production
        yield Problem(f"{path}.user", "root is refused by the namespace", user, "another user")
    if _none(wanted.surge) and _none(wanted.unavailable):
        yield Problem(
            f"{path}.kubernetes.surge",
            "neither a pod more nor a pod less: a rolling update could not begin",
            "surge 0, unavailable 0",
            "at least one of them above 0",
        )
    if _none(wanted.disruption):
        yield Problem(
            f"{path}.kubernetes.disruption",
            "no pod may ever be moved: nodes could not be drained",
            wanted.disruption,
            "at least 1",
            severity=WARNING,
        )
    if service.stop_signal != "SIGTERM":
        yield Problem(
            f"{path}.stop_signal",
            "Kubernetes sends SIGTERM, or the signal that the image names (STOPSIGNAL)",
            service.stop_signal,
            "SIGTERM, with STOPSIGNAL in the image for another one",
            severity=WARNING,
        )


def _none(count: str) -> bool:
    return count.rstrip("%").strip("0") == ""


def _scaling(service: Service) -> Iterator[Problem]:
    scaling = service.kubernetes.autoscaling
    if scaling is None:
        return
    path = f"platform_services.{service.name}.kubernetes.autoscaling"
    if scaling.maximum < scaling.minimum:
        yield Problem(
            f"{path}.maximum", "below minimum", str(scaling.maximum), f"at least {scaling.minimum}"
        )
    if not scaling.cpu and not scaling.memory:
        yield Problem(f"{path}.cpu", "nothing to scale by", "cpu 0, memory 0", "one above 0")
    for name, target, request in (
        ("cpu", scaling.cpu, service.resources.cpu_request),
        ("memory", scaling.memory, service.resources.memory_request),
    ):
        if target and not request:
            yield Problem(
                f"{path}.{name}",
                "a percentage of a request that is not there",
                f"{target} % of nothing",
                f"resources.requests.{name}, or 0",
            )


def _number_of_pods(context: Context, service: Service) -> Iterator[Problem]:
    """The number of pods belongs to the autoscaler; a second Deployment would begin with one."""
    strategy = context.platform.release.strategy
    if service.kubernetes.autoscaling and strategy != "rolling":
        yield Problem(
            f"platform_services.{service.name}.kubernetes.autoscaling",
            f"not with {strategy}: the new version would begin with one pod",
            strategy,
            "rolling, or a fixed number of replicas",
        )


def _volumes(service: Service) -> Iterator[Problem]:
    scaling = service.kubernetes.autoscaling
    pods = scaling.maximum if scaling else service.replicas
    for index, volume in enumerate(service.volumes):
        path = f"platform_services.{service.name}.volumes[{index}]"
        if not volume.size:
            yield Problem(f"{path}.size", "a claim needs a size", "nothing", "such as 10Gi")
        if pods > 1 and not volume.shared:
            yield Problem(
                f"{path}.shared",
                "only the pods of one node could mount it",
                f"{volume.name} of up to {pods} pods",
                "shared: true, with a storage class that can do it",
            )


def _ways_in(context: Context, service: Service) -> Iterator[Problem]:
    path, kind = f"platform_services.{service.name}", context.platform.kubernetes.ingress.kind
    if service.is_worker and service.kubernetes.load_balancer:
        yield Problem(
            f"{path}.kubernetes.load_balancer",
            "a worker has no port, so nothing can send requests to it",
            f"no port at {path}",
            "a service with a port, or a worker without this",
        )
    if kind == "none" and service.routes and not service.kubernetes.load_balancer:
        yield Problem(
            f"{path}.routes",
            "nothing brings requests in",
            "platform_kubernetes.ingress.kind none, no load_balancer",
            "ingress or gateway, or a load_balancer",
        )
    for where, route, _raw in context.routes(service):
        if kind == "ingress" and route.strip_prefix:
            yield Problem(
                f"{where}.strip_prefix",
                "Ingress objects have no word for it",
                "true",
                "platform_kubernetes.ingress.kind gateway, or a service that knows its prefix",
            )


def _calls(context: Context, service: Service) -> Iterator[Problem]:
    for index, name in enumerate(service.kubernetes.calls):
        if name not in context.service_names:
            yield Problem(
                f"platform_services.{service.name}.kubernetes.calls[{index}]",
                "no such service",
                name,
                ", ".join(sorted(context.service_names)),
                suggestion(name, context.service_names),
            )


def _egress(path: str, hole: Egress) -> Iterator[Problem]:
    if bool(hole.to) == bool(hole.namespace):
        yield Problem(
            path,
            "where to",
            "both to and namespace" if hole.to else "neither to nor namespace",
            "one of the two",
        )
    if not hole.to:
        return
    network = ipaddress.ip_network(hole.to)
    for index, text in enumerate(hole.excluded):
        inner = ipaddress.ip_network(text)
        if inner.version != network.version or not inner.subnet_of(network):  # type: ignore[arg-type]
            yield Problem(
                f"{path}.except[{index}]", "not within the network", text, f"a part of {hole.to}"
            )


def _wrong_mode(store: Store, runtime: str, allowed: str) -> Problem:
    return Problem(
        f"platform_stores.{store.name}.mode",
        f"not with platform_runtime {runtime}",
        store.mode,
        allowed,
    )


def _store(store: Store) -> Iterator[Problem]:
    path, wanted = f"platform_stores.{store.name}", store.kubernetes
    if store.mode == "docker":
        yield _wrong_mode(store, "kubernetes", "managed, host or kubernetes")
    if store.mode != "kubernetes":
        return
    if store.volume is not None and not store.volume.size:
        yield Problem(f"{path}.volume.size", "a claim needs a size", "nothing", "such as 20Gi")
    if wanted.shards and store.kind != "redis":
        yield Problem(f"{path}.kubernetes.shards", "only for redis", store.kind, "0")
    elif 0 < wanted.shards < LEAST_SHARDS:
        yield Problem(
            f"{path}.kubernetes.shards",
            "too few to agree on a failover",
            str(wanted.shards),
            f"0, or at least {LEAST_SHARDS}",
        )
    if store.kind == "rabbitmq" and store.replicas and not wanted.cluster_secret:
        yield Problem(
            f"{path}.kubernetes.cluster_secret",
            "missing: the nodes could not join",
            "nothing",
            "the name of a secret",
        )
    if store.kind == "mongodb" and store.replicas:
        yield Problem(
            f"{path}.replicas",
            "a replica set of MongoDB is not made by this collection",
            str(store.replicas),
            "0, or mode managed",
        )
    if store.kind == "redis" and store.replicas and not wanted.shards:
        yield Problem(
            f"{path}.replicas",
            "replicas of Redis are made for a cluster only",
            str(store.replicas),
            "0, or kubernetes.shards of at least 3",
        )


def _jobs(store: Store) -> Iterator[Problem]:
    path = f"platform_stores.{store.name}.kubernetes"
    for key, job, kinds in (
        ("dump", store.kubernetes.dump, DUMPED),
        ("upkeep", store.kubernetes.upkeep, ("postgres",)),
    ):
        if job is None:
            continue
        if store.kind not in kinds:
            yield Problem(f"{path}.{key}", f"only for {' and '.join(kinds)}", store.kind, "nothing")
        elif store.mode != "kubernetes" and not job.image:
            yield Problem(
                f"{path}.{key}.image", "missing: the store has no image", "nothing", "an image"
            )


def _registries(context: Context) -> Iterator[Problem]:
    flavour = context.platform.kubernetes.flavour
    platform = context.platform
    images = [s.image for s in platform.services] + [s.image or "" for s in platform.stores]
    used = {parse_image(image).registry for image in images}
    for registry in context.platform.registries:
        if registry.kind == "ecr" and flavour != "eks" and registry.server in used:
            yield Problem(
                f"platform_registries.{registry.server}.kind",
                "its logins end after 12 hours, so pods could not be moved later",
                f"ecr on {flavour}",
                "flavour eks, whose nodes log in by themselves, or another registry",
            )
