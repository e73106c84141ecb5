# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server in memory, below the client's Protocol: versions, owners, refusals, watches."""

from __future__ import annotations

import base64
import copy
import datetime
import itertools
import json
import queue
import threading
from collections.abc import Iterator
from typing import Any, Callable, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    ApiError,
    api_error,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import (
    Resource,
    built_in,
)

Object = dict[str, Any]
Place = tuple[str, str, str]


def refused(status: int, message: str = "", path: str = "/") -> ApiError:
    """A refusal as the real one is made."""
    return api_error("", path, status, json.dumps({"message": message}).encode())


def fields(manifest: Any) -> Object:
    """What a manager owns after it applied C(manifest), as in C(managedFields); containers, ports
    and variables are lists by key, other lists and C(selector) one value."""
    found: Object = {}
    for name, value in manifest.items():
        if isinstance(value, dict) and value and name != "selector":
            found[f"f:{name}"] = fields(value)
        elif name in ("containers", "env"):
            found[f"f:{name}"] = {
                "k:" + json.dumps({"name": e["name"]}): {".": {}, **fields(e)} for e in value
            }
        else:
            found[f"f:{name}"] = {}
    return found


def managed(manifest: Any, manager: str = "mainstay", operation: str = "Apply") -> Object:
    """An entry of C(managedFields)."""
    names = ("labels", "annotations")
    metadata = {k: v for k, v in manifest.get("metadata", {}).items() if k in names and v}
    said = {k: v for k, v in manifest.items() if k not in ("apiVersion", "kind", "metadata")}
    owned = fields({**said, **({"metadata": metadata} if metadata else {})})
    return {"manager": manager, "operation": operation, "fieldsV1": owned}


class FakeCluster:
    """Deployments are available at once unless C(held) names them; C(calls) are what changed."""

    def __init__(self) -> None:
        self.parallel = 2
        self.requests = 0
        self.warnings: list[str] = []
        self.objects: dict[Place, Object] = {}
        self.calls: list[str] = []
        self.held: set[str] = set()
        self.denied: set[tuple[str, str]] = set()
        self.pods: list[Object] = []
        self.fail: Optional[Callable[[str, str], Optional[Exception]]] = None
        self.time = datetime.datetime(2026, 11, 21, 6, tzinfo=datetime.timezone.utc)
        self._versions = itertools.count(1)
        self._streams: list[tuple[Place, queue.Queue[Object]]] = []
        self._lock = threading.RLock()

    def _place(self, resource: Resource, namespace: str, name: str) -> Place:
        return resource.plural, namespace if resource.namespaced else "", name

    def _ask(self, verb: str, what: str) -> None:
        with self._lock:
            self.requests += 1
            if verb not in ("get", "find", "watch"):
                self.calls.append(f"{verb} {what}")
        error = self.fail(verb, what) if self.fail else None
        if error is not None:
            raise error

    def resource(self, api_version: str, kind: str) -> Optional[Resource]:
        """See the Protocol."""
        return built_in(api_version, kind)

    def get(self, resource: Resource, namespace: str, name: str) -> Optional[Object]:
        """See the Protocol."""
        self._ask("get", f"{resource.kind} {name}")
        return copy.deepcopy(self.objects.get(self._place(resource, namespace, name)))

    def find(
        self,
        resource: Resource,
        namespace: str,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> tuple[list[Object], str]:
        """See the Protocol."""
        self._ask("find", resource.kind)
        wanted = dict(part.split("=") for part in labels.split(",") if part)
        with self._lock:
            found = [
                copy.deepcopy(o)
                for (plural, space, _name), o in self.objects.items()
                if plural == resource.plural and space == namespace
            ]
        if resource.kind == "Pod":
            found += self.pods
        has = [o for o in found if wanted.items() <= o["metadata"].get("labels", {}).items()]
        return has, str(next(self._versions))

    def _store(
        self, place: Place, manifest: Object, managers: Optional[list[Object]] = None
    ) -> Object:
        with self._lock:
            old = self.objects.get(place)
            new = copy.deepcopy(manifest)
            metadata = new["metadata"]
            known = (old or {}).get("metadata", {})
            metadata["uid"] = known.get("uid") or f"uid-{next(self._versions)}"
            metadata["generation"] = int(known.get("generation", 0)) + 1
            metadata["resourceVersion"] = str(next(self._versions))
            if managers is not None:
                metadata["managedFields"] = managers
            if new["kind"] == "Deployment":
                self._settle(new)
            self.objects[place] = new
            for stream, events in self._streams:
                if stream[:2] == place[:2]:
                    events.put({"type": "MODIFIED", "object": copy.deepcopy(new)})
        return copy.deepcopy(new)

    def _settle(self, found: Object) -> None:
        ready = 0 if found["metadata"]["name"] in self.held else 1
        found["status"] = {
            "observedGeneration": found["metadata"]["generation"],
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": ready,
        }

    def apply(
        self, resource: Resource, manifest: Object, *, dry_run: bool = False, force: bool = False
    ) -> Object:
        """See the Protocol."""
        metadata = manifest["metadata"]
        self._ask("try" if dry_run else "apply", f"{resource.kind} {metadata['name']}")
        if dry_run:
            return copy.deepcopy(manifest)
        place = self._place(resource, metadata.get("namespace", ""), metadata["name"])
        return self._store(place, manifest, [managed(manifest)])

    def create(self, resource: Resource, manifest: Object) -> Object:
        """See the Protocol. Whoever asks may do everything but what C(denied) names."""
        if resource.kind.startswith("SelfSubject"):
            return self._review(manifest["spec"])
        metadata = manifest["metadata"]
        self._ask("create", f"{resource.kind} {metadata['name']}")
        place = self._place(resource, metadata["namespace"], metadata["name"])
        with self._lock:
            if place in self.objects:
                raise refused(409, "already exists")
            return self._store(place, manifest)

    def _review(self, spec: Object) -> Object:
        with self._lock:
            self.requests += 1
        asked = spec.get("resourceAttributes")
        if asked:
            right = asked["verb"], asked["resource"]
            return {"status": {"allowed": right not in self.denied}}
        every = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        return {"status": {"resourceRules": [] if self.denied else [every]}}

    def replace(self, resource: Resource, manifest: Object) -> Object:
        """See the Protocol."""
        metadata = manifest["metadata"]
        self._ask("replace", f"{resource.kind} {metadata['name']}")
        place = self._place(resource, metadata["namespace"], metadata["name"])
        with self._lock:
            known = self.objects.get(place)
            if known is None:
                raise refused(404)
            if known["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
                raise refused(409, "the object has been modified")
            return self._store(place, manifest)

    def merge(self, resource: Resource, namespace: str, name: str, patch: Object) -> Object:
        """See the Protocol; only annotations."""
        self._ask("merge", f"{resource.kind} {name}")
        found = self.objects[self._place(resource, namespace, name)]
        found["metadata"].setdefault("annotations", {}).update(patch["metadata"]["annotations"])
        return copy.deepcopy(found)

    def delete(self, resource: Resource, namespace: str, name: str, uid: str) -> None:
        """See the Protocol."""
        self._ask("delete", f"{resource.kind} {name}")
        place = self._place(resource, namespace, name)
        with self._lock:
            known = self.objects.get(place)
            if known is not None and uid in ("", known["metadata"]["uid"]):
                del self.objects[place]

    def watch(
        self, resource: Resource, namespace: str, version: str, stop: threading.Event
    ) -> Iterator[Object]:
        """See the Protocol."""
        self._ask("watch", resource.kind)
        events: queue.Queue[Object] = queue.Queue()
        self._streams.append(((resource.plural, namespace, ""), events))
        while not stop.is_set():
            try:
                yield events.get(timeout=0.02)
            except queue.Empty:
                continue

    def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool, lines: int
    ) -> list[str]:
        """See the Protocol."""
        return [f"last words of {container}"]

    def server_time(self) -> datetime.datetime:
        """See the Protocol."""
        return self.time

    def release(self, name: str) -> None:
        """Let a held deployment become available."""
        self.held.discard(name)
        for place, found in list(self.objects.items()):
            if place[0] == "deployments" and place[2] == name:
                self._store(place, found)

    def names(self, plural: str) -> set[str]:
        """Names of all objects of a kind."""
        return {name for kind, _space, name in self.objects if kind == plural}

    def data(self, name: str) -> dict[str, str]:
        """What a ConfigMap holds."""
        found: dict[str, str] = self.objects["configmaps", "shop", name]["data"]
        return found

    def plain(self, name: str, key: str) -> str:
        """A value of a Secret."""
        data = self.objects["secrets", "shop", name]["data"]
        return base64.b64decode(data[key]).decode()
