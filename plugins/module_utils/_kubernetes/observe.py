# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there of what a release names: few requests, whatever the number of objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import (
    Cluster,
    Object,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import Resource
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    Item,
    Key,
    key_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import Member

#: From this many objects of a kind in a namespace on, one list is cheaper than asking for each.
LIST_FROM = 4


def observe(
    cluster: Cluster, items: Sequence[Item], members: Iterable[Member]
) -> dict[Key, Object]:
    """All objects of C(items) and C(members) that exist."""
    wanted: dict[tuple[Resource, str], set[Key]] = defaultdict(set)
    for item in items:
        wanted[item.resource, item.key.namespace].add(item.key)
    described = {item.key for item in items}
    for member in members:
        if member.key not in described:
            wanted[member.resource, member.key.namespace].add(member.key)
    found: dict[Key, Object] = {}
    with ThreadPoolExecutor(cluster.parallel) as pool:
        jobs = []
        for (resource, namespace), keys in wanted.items():
            # In the lists of kinds without a namespace is what the whole cluster has.
            if len(keys) >= LIST_FROM and namespace:
                jobs.append(pool.submit(_listed, cluster, resource, namespace, keys))
            else:
                jobs += [pool.submit(_single, cluster, resource, key) for key in keys]
        for job in jobs:
            found.update(job.result())
    return found


def _listed(
    cluster: Cluster, resource: Resource, namespace: str, keys: set[Key]
) -> dict[Key, Object]:
    objects, _version = cluster.find(resource, namespace)
    by_key: dict[Key, Any] = {key_of(o): o for o in objects}
    return {key: by_key[key] for key in keys if key in by_key}


def _single(cluster: Cluster, resource: Resource, key: Key) -> dict[Key, Object]:
    found = cluster.get(resource, key.namespace, key.name)
    return {} if found is None else {key: found}
