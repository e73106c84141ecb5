# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of a platform that rest while its data changes, and come back as they are described."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import (
    Cluster,
    Object,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import BUILT_IN
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    Item,
    Key,
    Manifest,
    key_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ready import predicates
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.streams import Streams
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.verdict import Rules
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.wait import Wait
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

DEPLOYMENT = BUILT_IN["apps/v1", "Deployment"]
CRON_JOB = BUILT_IN["batch/v1", "CronJob"]
POD = BUILT_IN["v1", "Pod"]
JOB = BUILT_IN["batch/v1", "Job"]


@dataclass(frozen=True)
class Writer:
    """A program that may write: a Deployment with its pods, or a CronJob (C(replicas) is -1)."""

    kind: str
    name: str
    replicas: int
    labels: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def writers_of(found: Sequence[Mapping[str, Any]]) -> list[Writer]:
    """The writers among live objects."""
    writers = []
    for live in found:
        name, spec = str(live["metadata"]["name"]), live.get("spec") or {}
        if live.get("kind") == "Deployment":
            labels = tuple(sorted((spec.get("selector") or {}).get("matchLabels", {}).items()))
            writers.append(Writer("Deployment", name, int(spec.get("replicas", 1)), labels))
        elif live.get("kind") == "CronJob" and not spec.get("suspend"):
            writers.append(Writer("CronJob", name, -1))
    return writers


def resting(manifest: Manifest) -> Manifest:
    """The manifest of a writer that rests; one that is scaled by others is not asked for here."""
    body = copy.deepcopy(manifest)
    if body["kind"] == "CronJob":
        body["spec"]["suspend"] = True
    else:
        body["spec"]["replicas"] = 0
    return body


@dataclass
class Writers:
    """Those of one namespace. C(described) are the manifests on record."""

    cluster: Cluster
    namespace: str
    described: Mapping[Key, Manifest]
    clock: Callable[[], float] = time.monotonic

    def rest(self, writers: Sequence[Writer], timeout: float) -> None:
        """Scale to zero and suspend; return when the last pod is gone.

        What manifests describe is applied, so that no other manager owns the field; the number of
        what an autoscaler scales is set as that does it.
        """
        for writer in writers:
            self._set(writer, 0)
        groups = [dict(w.labels) for w in writers if w.kind == "Deployment"]

        def over(pods: Sequence[Object]) -> bool:
            return not any(_has(pod, labels) for pod in pods for labels in groups)

        self._await(POD, over, timeout, "programs still end")

    def back(self, writers: Sequence[Writer], timeout: float) -> None:
        """As described, or as many as there were; return when all are ready."""
        for writer in writers:
            self._set(writer, writer.replicas)
        items, seen = [], {}
        for writer in writers:
            live = None
            if writer.kind == "Deployment":
                live = self.cluster.get(DEPLOYMENT, self.namespace, writer.name)
            if live is not None:
                key = key_of(live)
                items.append(Item(key, DEPLOYMENT, live, 0))
                seen[key] = live
        now = self.clock()
        wait = Wait(
            self.cluster, predicates(("Deployment",), ()), Rules(), now + timeout, self.clock
        )
        wait.until_ready(items, seen)

    def _set(self, writer: Writer, replicas: int) -> None:
        resource = CRON_JOB if writer.kind == "CronJob" else DEPLOYMENT
        key = Key(resource.group, writer.kind, self.namespace, writer.name)
        manifest = self.described.get(key)
        if writer.kind == "Deployment" and "replicas" not in (manifest or {}).get("spec", {}):
            patch = {"spec": {"replicas": replicas}}
            self.cluster.merge(DEPLOYMENT, self.namespace, f"{writer.name}/scale", patch)
        elif manifest is not None:
            body = resting(manifest) if replicas == 0 else manifest
            self.cluster.apply(resource, body, force=True)

    def _await(
        self, resource: Any, test: Callable[[Sequence[Object]], bool], timeout: float, what: str
    ) -> None:
        await_objects(self.cluster, self.namespace, resource, test, timeout, what, self.clock)


def await_objects(
    cluster: Cluster,
    namespace: str,
    resource: Any,
    test: Callable[[Sequence[Object]], bool],
    timeout: float,
    what: str,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Watch until the objects of a kind pass the test."""
    streams = Streams(cluster)
    streams.start([(resource, namespace)])
    end = clock() + timeout
    try:
        while True:
            known = streams.objects.get((resource, namespace))
            if known is not None and test(list(known.values())):
                return
            left = end - clock()
            if left <= 0:
                names = sorted(name for _space, name in (known or {}))
                raise MainstayError(
                    what,
                    subject=f"namespace {namespace}",
                    found=", ".join(names[:10]),
                    expected=f"an end within {timeout:.0f} s",
                    next_step="look at these pods, then run again",
                )
            streams.next(min(left, 5.0))
    finally:
        streams.end()


def _has(pod: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    own = (pod.get("metadata") or {}).get("labels") or {}
    return bool(labels) and labels.items() <= own.items() and phase not in ("Failed", "Succeeded")


def by_key(manifests: Sequence[Manifest]) -> dict[Key, Manifest]:
    """Manifests on record by their key."""
    return {key_of(m): m for m in manifests}


def restarted(pods: Sequence[Object], name: str, before: Optional[int]) -> bool:
    """True when the pod is ready, and a container of it has started once more than C(before)."""
    for pod in pods:
        if pod["metadata"]["name"] != name:
            continue
        status = pod.get("status") or {}
        if before is not None and starts_of(pod) > before + 1 and _crashes(status):
            raise MainstayError(
                "the store ends again and again with the data of the restore",
                subject=f"Pod {pod['metadata']['namespace']}/{name}",
                found="CrashLoopBackOff",
                expected="a pod that is ready",
                next_step="look at its log; the data before lies beside its own, as restore says",
            )
        ready = any(
            c.get("type") == "Ready" and c.get("status") == "True"
            for c in status.get("conditions") or []
        )
        return ready and (before is None or starts_of(pod) > before)
    return False


def _crashes(status: Mapping[str, Any]) -> bool:
    states = [s.get("state") or {} for s in status.get("containerStatuses") or []]
    return any((s.get("waiting") or {}).get("reason") == "CrashLoopBackOff" for s in states)


def starts_of(pod: Mapping[str, Any]) -> int:
    """How often containers of the pod started again."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return sum(int(s.get("restartCount") or 0) for s in statuses)
