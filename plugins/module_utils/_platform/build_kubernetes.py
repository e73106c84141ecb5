# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes side of a description: checked variables to dataclasses. Pure."""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform import units
from ansible_collections.mainstay.platform.plugins.module_utils._platform.image import (
    parse_image,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_kubernetes import (
    Access,
    Amounts,
    Autoscaling,
    Dump,
    Egress,
    Ingress,
    Kubernetes,
    KubernetesService,
    KubernetesStore,
    LimitRange,
    LoadBalancer,
    Monitors,
    Network,
    PriorityClass,
    Probes,
    ProbeTimes,
    Quota,
    Scaling,
    StorageClass,
    Upkeep,
    Velero,
)


def _pick(raw: dict[str, Any], **conversions: Any) -> dict[str, Any]:
    return {key: convert(raw[key]) for key, convert in conversions.items() if key in raw}


def scaling(raw: dict[str, Any], plain: Scaling) -> Scaling:
    """How fast the number of pods changes."""
    found = _pick(raw, window=units.seconds, percent=int, period=units.seconds)
    return Scaling(
        **{"window": plain.window, "percent": plain.percent, "period": plain.period, **found}
    )


def autoscaling(raw: dict[str, Any]) -> Autoscaling:
    """Number of pods by load."""
    plain = Autoscaling(1, 1)
    return Autoscaling(
        up=scaling(raw.get("up") or {}, plain.up),
        down=scaling(raw.get("down") or {}, plain.down),
        **_pick(raw, minimum=int, maximum=int, cpu=int, memory=int),
    )


def probe_times(raw: dict[str, Any], plain: ProbeTimes) -> ProbeTimes:
    """When one probe asks."""
    found = _pick(
        raw,
        initial_delay=units.seconds,
        period=units.seconds,
        timeout=units.seconds,
        failures=int,
    )
    return ProbeTimes(
        **{
            "initial_delay": plain.initial_delay,
            "period": plain.period,
            "timeout": plain.timeout,
            "failures": plain.failures,
            **found,
        }
    )


def egress(raw: list[dict[str, Any]]) -> tuple[Egress, ...]:
    """Networks outside that pods may reach."""
    return tuple(
        Egress(
            tuple(e["ports"]),
            e.get("to", ""),
            tuple(e.get("except") or ()),
            e.get("namespace", ""),
        )
        for e in raw
    )


def load_balancer(raw: Optional[dict[str, Any]]) -> Optional[LoadBalancer]:
    """A load balancer of a service's own."""
    if raw is None:
        return None
    return LoadBalancer(
        **_pick(
            raw,
            port=int,
            sticky=bool,
            sticky_seconds=int,
            internal=bool,
            sources=tuple,
            annotations=dict,
        )
    )


def service(raw: Optional[dict[str, Any]]) -> KubernetesService:
    """What only Kubernetes needs to know of a service."""
    raw = raw or {}
    plain = Probes()
    probes = raw.get("probes") or {}
    return KubernetesService(
        autoscaling=autoscaling(raw["autoscaling"]) if raw.get("autoscaling") else None,
        probes=Probes(
            probe_times(probes.get("liveness") or {}, plain.liveness),
            probe_times(probes.get("readiness") or {}, plain.readiness),
        ),
        load_balancer=load_balancer(raw.get("load_balancer")),
        egress=egress(raw.get("egress") or []),
        **_pick(
            raw,
            surge=str,
            unavailable=str,
            drain=units.seconds,
            affinity=str,
            zones=str,
            disruption=str,
            calls=tuple,
            identity=str,
            node_selector=dict,
        ),
    )


def _image(text: str, registry: Optional[str]) -> str:
    name = parse_image(text, registry)
    if name.digest:
        return f"{name.repository}@{name.digest}"
    return f"{name.repository}:{name.tag}" if name.tag else name.repository


def store(raw: Optional[dict[str, Any]], registry: Optional[str]) -> KubernetesStore:
    """What only Kubernetes needs to know of a store."""
    raw = raw or {}

    def image(text: str) -> str:
        return _image(text, registry)

    dump, upkeep = raw.get("dump"), raw.get("upkeep")
    return KubernetesStore(
        dump=None
        if dump is None
        else Dump(**_pick(dump, schedule=str, keep_days=int, size=units.size, image=image)),
        upkeep=None if upkeep is None else Upkeep(**_pick(upkeep, schedule=str, image=image)),
        **_pick(raw, user=int, shards=int, cluster_secret=str, networks=tuple),
    )


def ingress(raw: dict[str, Any]) -> Ingress:
    """How requests come in."""
    found = _pick(
        raw,
        kind=str,
        canary=str,
        gateway=str,
        gateway_namespace=str,
        issuer=str,
        issuer_kind=str,
        tls_secret=str,
        namespace=str,
        annotations=dict,
    )
    if "class" in raw:
        found["class_name"] = raw["class"]
    return Ingress(**found)


def _amounts(raw: Optional[dict[str, Any]]) -> Amounts:
    return Amounts(**_pick(raw or {}, cpu=units.cores, memory=units.size))


def _quota(raw: dict[str, Any]) -> Quota:
    return Quota(
        **_pick(raw, requests=_amounts, limits=_amounts, pods=int, volumes=int, storage=units.size)
    )


def kubernetes(raw: Optional[dict[str, Any]]) -> Kubernetes:
    """The cluster, with its stage applied."""
    raw = raw or {}

    def part(name: str) -> dict[str, Any]:
        return raw.get(name) or {}

    return Kubernetes(
        ingress=ingress(part("ingress")),
        quota=_quota(part("quota")),
        limit_range=LimitRange(
            **_pick(
                part("limit_range"), default=_amounts, default_request=_amounts, maximum=_amounts
            )
        ),
        network=Network(**_pick(part("network"), policies=bool, dns_namespace=str, egress=egress)),
        priority_class=PriorityClass(**_pick(part("priority_class"), name=str, value=int)),
        storage_class=StorageClass(
            **_pick(
                part("storage_class"),
                name=str,
                shared=str,
                create=bool,
                provisioner=str,
                parameters=dict,
                reclaim=str,
            )
        ),
        monitors=Monitors(**_pick(part("monitors"), enabled=bool, namespace=str, labels=dict)),
        velero=Velero(
            **_pick(
                part("velero"),
                enabled=bool,
                namespace=str,
                schedule=str,
                retention=units.seconds,
                location=str,
            )
        ),
        access=Access(**_pick(part("access"), deployers=tuple, viewers=tuple)),
        **_pick(raw, namespace=str, flavour=str, context=str, kubeconfig=str, pod_security=str),
    )
