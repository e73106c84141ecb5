# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the platform fit into its own ResourceQuota, also during an update? Pure.

A quota that is too small shows itself at the worst time: the pods of a new version, or those that a
rising load asks for, are refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.mainstay.platform.plugins.module_utils._platform.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    ERROR,
    WARNING,
    Problem,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Resources,
    Service,
    Store,
)

HERE = "platform_kubernetes"
_KEYS = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


@dataclass(frozen=True)
class Crowd:
    """So many equal pods of one part of the description."""

    path: str
    pods: int
    resources: Resources

    def sum_of(self, key: str) -> float:
        """Cores or bytes of all of them."""
        return self.pods * amount(self.resources, key)


def amount(resources: Resources, key: str) -> float:
    """C(requests.cpu) and so on, of one pod."""
    kind, _dot, what = key.partition(".")
    return float(getattr(resources, f"{what}_{kind.rstrip('s')}"))


def pods_of_store(store: Store) -> int:
    """Pods of a store in the cluster."""
    if store.mode != "kubernetes":
        return 0
    shards = store.kubernetes.shards if store.kind == "redis" else 1
    return max(shards, 1) * (1 + store.replicas)


def surge_of(service: Service, pods: int) -> int:
    """Pods beyond C(pods) during an update; Kubernetes rounds percentages up."""
    surge = service.kubernetes.surge
    if surge.endswith("%"):
        return math.ceil(pods * int(surge[:-1]) / 100)
    return int(surge)


def crowds(platform: Platform, largest: bool) -> list[Crowd]:
    """All pods during an update; with C(largest) at the top of the autoscaling."""
    double = platform.release.strategy != "rolling"
    found = []
    for service in platform.services:
        scaling = service.kubernetes.autoscaling
        pods = service.replicas
        if scaling:
            pods = scaling.maximum if largest else scaling.minimum
        pods = 2 * pods if double else pods + surge_of(service, pods)
        found.append(Crowd(f"platform_services.{service.name}", pods, service.resources))
    for store in platform.stores:
        if pods_of_store(store):
            path = f"platform_stores.{store.name}"
            found.append(Crowd(path, pods_of_store(store), store.resources))
    return found


def check_quota(context: Context) -> Iterator[Problem]:
    """The sums, and that each container names what the quota counts."""
    quota = context.platform.kubernetes.quota
    hard = {
        "requests.cpu": quota.requests.cpu,
        "requests.memory": float(quota.requests.memory),
        "limits.cpu": quota.limits.cpu,
        "limits.memory": float(quota.limits.memory),
    }
    yield from _nameless(context, [key for key in _KEYS if hard[key]])
    limits = {**{key: hard[key] for key in _KEYS if hard[key]}}
    if quota.pods:
        limits["pods"] = float(quota.pods)
    for key, most in limits.items():
        least, largest = (
            sum(c.pods if key == "pods" else c.sum_of(key) for c in crowds(context.platform, top))
            for top in (False, True)
        )
        if largest > most:
            yield Problem(
                f"{HERE}.quota.{key}",
                "too small for an update: new pods would be refused"
                if least > most
                else "too small for an update at the top of the autoscaling",
                f"{most:g}, needed {largest:g}",
                f"at least {largest:g}",
                severity=ERROR if least > most else WARNING,
            )
    yield from _storage(context)


def _nameless(context: Context, counted: list[str]) -> Iterator[Problem]:
    limit_range = context.platform.kubernetes.limit_range
    defaults = {
        "requests.cpu": limit_range.default_request.cpu or limit_range.default.cpu,
        "requests.memory": limit_range.default_request.memory or limit_range.default.memory,
        "limits.cpu": limit_range.default.cpu,
        "limits.memory": limit_range.default.memory,
    }
    for crowd in crowds(context.platform, False):
        for key in counted:
            limit = key.replace("requests", "limits")
            if not (
                amount(crowd.resources, key) or amount(crowd.resources, limit) or defaults[key]
            ):
                yield Problem(
                    f"{crowd.path}.resources.{key}",
                    "missing: with a quota on it Kubernetes refuses pods that do not say it",
                    "nothing",
                    f"a value, or {HERE}.limit_range",
                )


def _storage(context: Context) -> Iterator[Problem]:
    quota, platform = context.platform.kubernetes.quota, context.platform
    claims = [v.size for s in platform.services for v in s.volumes]
    for store in platform.stores:
        size = store.volume.size if store.volume else 0
        claims += [size] * pods_of_store(store)
        if store.kubernetes.dump:
            claims.append(store.kubernetes.dump.size)
    for key, found, most in (
        ("volumes", len(claims), quota.volumes),
        ("storage", sum(claims), quota.storage),
    ):
        if most and found > most:
            yield Problem(
                f"{HERE}.quota.{key}",
                "too small for the described volumes",
                str(most),
                f"at least {found}",
            )
