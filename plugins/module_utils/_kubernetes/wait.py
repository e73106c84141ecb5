# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until objects are ready: woken by what changes, ended at once by a certain failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import verdict
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import Cluster
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.evidence import (
    failure,
    overdue,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.family import newest
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import BUILT_IN
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    Item,
    Key,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ready import Predicate
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.streams import (
    Place,
    Streams,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.symptoms import (
    deadline_told,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

PODS, SETS, EVENTS = (
    BUILT_IN["v1", "Pod"],
    BUILT_IN["apps/v1", "ReplicaSet"],
    BUILT_IN["v1", "Event"],
)
#: Kinds that make pods.
MAKERS = frozenset({"DaemonSet", "Deployment", "Job", "StatefulSet"})
#: A wait wakes up at least this often, should a stream be stuck without an end.
_HEARTBEAT = 5.0


@dataclass
class Wait:
    """Waits of one release. C(deadline) is on C(clock); C(ready) gets the seconds of each object.

    C(hide) are values that no evidence may show.
    """

    cluster: Cluster
    predicates: Mapping[str, Predicate]
    rules: verdict.Rules
    deadline: float
    clock: Callable[[], float] = time.monotonic
    hide: Sequence[str] = ()
    started: float = 0.0
    ready: dict[str, float] = field(default_factory=dict)
    _deadlines: dict[Key, str] = field(default_factory=dict)
    _ages: dict[tuple[str, ...], float] = field(default_factory=dict)

    def pending(self, items: Sequence[Item], seen: Mapping[Key, Mapping[str, Any]]) -> list[Item]:
        """Those of C(items) that are awaited and, as C(seen), not ready."""
        found = []
        for item in items:
            predicate = self.predicates.get(item.key.kind)
            if predicate is not None and not predicate(seen.get(item.key) or {})[0]:
                found.append(item)
        return found

    def until_ready(self, items: Sequence[Item], seen: Mapping[Key, Mapping[str, Any]]) -> None:
        """Return when all are ready; raise when one has failed, or the time is over."""
        waiting = {item.key: item for item in self.pending(items, seen)}
        if not waiting:
            return
        streams = Streams(self.cluster)
        required, optional = _places(list(waiting.values()))
        streams.start(required, optional)
        try:
            self._loop(waiting, streams, self._told(waiting, seen))
        finally:
            streams.end()

    def until_gone(self, item: Item, uid: str) -> None:
        """Return when the object with this C(uid), which is being removed, is no longer there."""
        place = (item.resource, item.key.namespace)
        streams = Streams(self.cluster)
        streams.start([place])
        found: Mapping[str, Any] = {}
        try:
            while self.clock() < self.deadline:
                streams.next(min(self.deadline - self.clock(), _HEARTBEAT))
                known = streams.objects.get(place)
                found = (known or {}).get((item.key.namespace, item.key.name), {})
                if known is not None and (found.get("metadata") or {}).get("uid") != uid:
                    return
        finally:
            streams.end()
        raise MainstayError(
            "it is still being removed; it can only be made anew when it is gone",
            subject=str(item.key),
            found=f"finalizers {', '.join((found.get('metadata') or {}).get('finalizers') or [])}",
            expected="that whatever holds it lets it go",
            next_step="see who removed it and what holds it, then run again",
        )

    def _told(
        self, waiting: Mapping[Key, Item], seen: Mapping[Key, Mapping[str, Any]]
    ) -> dict[Key, str]:
        """What is missing by the answers to what was applied, until a watch tells more."""
        return {key: self.predicates[key.kind](seen.get(key) or {})[1] for key in waiting}

    def _loop(self, waiting: dict[Key, Item], streams: Streams, texts: dict[Key, str]) -> None:
        recheck: Optional[float] = None
        while waiting:
            left = self.deadline - self.clock()
            if left <= 0:
                raise overdue(self.cluster, self._unready(waiting, texts, streams), self.hide)
            woken = streams.next(min(left, recheck or _HEARTBEAT, _HEARTBEAT))
            if not woken and recheck is None:
                continue
            recheck = None
            for key, item in list(waiting.items()):
                found = self._judge(item, streams)
                if found is None:
                    continue
                texts[key] = found.text
                if found.state == verdict.READY:
                    del waiting[key]
                    self.ready[str(key)] = round(self.clock() - self.started, 3)
                elif found.state == verdict.FAILED:
                    raise failure(self.cluster, item, found, self.hide)
                elif found.recheck is not None:
                    soon = max(0.01, found.recheck)
                    recheck = soon if recheck is None else min(recheck, soon)

    @staticmethod
    def _unready(
        waiting: Mapping[Key, Item], texts: Mapping[Key, str], streams: Streams
    ) -> list[tuple[Item, str, list[Mapping[str, Any]]]]:
        """(object, what is missing, its pods of the newest template) of all that is awaited."""
        found = []
        for key, item in waiting.items():
            known = streams.objects.get((item.resource, key.namespace), {})
            live = known.get((key.namespace, key.name), {})
            found.append((item, texts[key], _own_pods(item, live, streams)))
        return found

    def _judge(self, item: Item, streams: Streams) -> Optional[verdict.Verdict]:
        key = item.key
        known = streams.objects.get((item.resource, key.namespace))
        if known is None:
            return None  # not listed yet
        found = known.get((key.namespace, key.name))
        if found is None:
            return verdict.Verdict(
                verdict.FAILED,
                what="somebody removed it while it was awaited",
                next_step="look who else changes this namespace, then run again",
            )
        own = _own_pods(item, found, streams)
        wanted = int((found.get("spec") or {}).get("replicas", 1))
        refused = "" if len(own) >= wanted else _refused(item, found, streams)
        before = self._deadlines.setdefault(key, deadline_told(found))
        predicate = self.predicates[key.kind]
        return verdict.judge(
            key.kind, found, own, predicate, self.rules, self._age, refused, before
        )

    def _age(self, about: tuple[str, ...]) -> float:
        now = self.clock()
        return now - self._ages.setdefault(about, now)


def _own_pods(item: Item, found: Mapping[str, Any], streams: Streams) -> list[Mapping[str, Any]]:
    space = item.key.namespace
    pods = streams.objects.get((PODS, space), {}).values()
    sets = streams.objects.get((SETS, space), {}).values()
    return newest(item.key.kind, found, sets, pods)


def _places(items: Sequence[Item]) -> tuple[list[Place], list[Place]]:
    """(what must be watched, what helps to judge)."""
    required = {(item.resource, item.key.namespace) for item in items}
    makers = {item.key.namespace for item in items if item.key.kind in MAKERS}
    deployments = {item.key.namespace for item in items if item.key.kind == "Deployment"}
    optional = {(PODS, n) for n in makers} | {(EVENTS, n) for n in makers}
    optional |= {(SETS, n) for n in deployments}
    return list(required), list(optional - required)


def _refused(item: Item, found: Mapping[str, Any], streams: Streams) -> str:
    """What the newest event says about pods that could not be made for this very object."""
    if item.key.kind == "Deployment":
        return ""  # its own condition tells
    uid = (found.get("metadata") or {}).get("uid")
    generation = int((found.get("metadata") or {}).get("generation") or 0)
    observed = int((found.get("status") or {}).get("observedGeneration") or generation)
    if observed < generation:
        return ""
    events = streams.objects.get((EVENTS, item.key.namespace), {}).values()
    told = [
        e
        for e in events
        if e.get("reason") == "FailedCreate" and (e.get("involvedObject") or {}).get("uid") == uid
    ]
    newest_first = sorted(told, key=lambda e: str(e.get("lastTimestamp") or ""), reverse=True)
    return str(newest_first[0].get("message", "")) if newest_first else ""
