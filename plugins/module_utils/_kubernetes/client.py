# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to the API of Kubernetes: a small Protocol, and its implementation on HTTP."""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.compare import MANAGER
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    ApiError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import (
    Resource,
    built_in,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.transport import (
    APPLY,
    MERGE,
    Transport,
)

Object = dict[str, Any]
#: Objects in one answer of a list.
PAGE = 500
#: A stream that is silent for this long is opened again; the server sends a bookmark each minute.
SILENCE_SECONDS = 90.0
#: The API server asks the node for logs. One that is lost never answers, and a verdict is due.
LOG_SECONDS = 5.0


class Cluster(Protocol):
    """The calls that releases need. Every refusal is an ApiError."""

    parallel: int

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""

    @property
    def warnings(self) -> list[str]:
        """What the API server warned of."""

    def resource(self, api_version: str, kind: str) -> Optional[Resource]:
        """Where objects of the kind are; nothing when the cluster does not serve it."""

    def get(self, resource: Resource, namespace: str, name: str) -> Optional[Object]:
        """One object, or nothing."""

    def find(
        self,
        resource: Resource,
        namespace: str,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> tuple[list[Object], str]:
        """All objects, and the version from which they can be watched."""

    def apply(
        self, resource: Resource, manifest: Object, *, dry_run: bool = False, force: bool = False
    ) -> Object:
        """Server-side apply as the field manager C(mainstay)."""

    def create(self, resource: Resource, manifest: Object) -> Object:
        """Make it; refused with 409 when it is there."""

    def replace(self, resource: Resource, manifest: Object) -> Object:
        """Replace it; refused with 409 when it is not at the version that the manifest names."""

    def merge(self, resource: Resource, namespace: str, name: str, patch: Object) -> Object:
        """Change some fields."""

    def delete(self, resource: Resource, namespace: str, name: str, uid: str) -> None:
        """Remove it, when it still is the one with this C(uid); gone already is fine."""

    def watch(
        self, resource: Resource, namespace: str, version: str, stop: threading.Event
    ) -> Iterator[Object]:
        """Events (C(type), C(object)) after C(version), until the server ends the stream."""

    def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool, lines: int
    ) -> list[str]:
        """The last lines of a container."""

    def server_time(self) -> datetime.datetime:
        """The clock of the API server."""


class RestCluster:
    """L(Cluster) on HTTP."""

    def __init__(self, transport: Transport, parallel: int = 8) -> None:
        self.parallel = parallel
        self._http = transport
        self._found: dict[str, dict[str, Resource]] = {}
        self._cuts: list[Callable[[], None]] = []

    def __enter__(self) -> RestCluster:
        return self

    def __exit__(self, *_details: object) -> None:
        for cut in self._cuts:
            cut()
        self._http.close()

    @property
    def requests(self) -> int:
        """See L(Cluster)."""
        return self._http.requests

    @property
    def warnings(self) -> list[str]:
        """See L(Cluster)."""
        return self._http.warnings

    def resource(self, api_version: str, kind: str) -> Optional[Resource]:
        """See L(Cluster). What is not built in is asked for once, by version."""
        known = built_in(api_version, kind)
        if known is not None:
            return known
        if kind not in self._found.get(api_version, {}):
            self._found[api_version] = self._discover(api_version)
        return self._found[api_version].get(kind)

    def _discover(self, api_version: str) -> dict[str, Resource]:
        root = "apis" if "/" in api_version else "api"
        try:
            answer = self._http.call("GET", f"/{root}/{api_version}")
        except ApiError as error:
            if error.status == 404:
                return {}
            raise
        return {
            entry["kind"]: Resource(api_version, entry["kind"], entry["name"], entry["namespaced"])
            for entry in answer.get("resources", [])
            if "/" not in entry["name"]
        }

    def get(self, resource: Resource, namespace: str, name: str) -> Optional[Object]:
        """See L(Cluster)."""
        try:
            found: Object = self._http.call("GET", resource.path(namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return found

    def find(
        self,
        resource: Resource,
        namespace: str,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> tuple[list[Object], str]:
        """See L(Cluster)."""
        query = {"limit": str(PAGE)}
        query.update({k: v for k, v in (("labelSelector", labels), ("fieldSelector", fields)) if v})
        accept = "application/json"
        if metadata_only:
            accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
        found: list[Object] = []
        while True:
            answer = self._http.call("GET", resource.path(namespace), query=query, accept=accept)
            for entry in answer.get("items") or []:
                # In a list the server leaves these out.
                entry["apiVersion"], entry["kind"] = resource.api_version, resource.kind
                found.append(entry)
            rest = answer["metadata"].get("continue")
            if not rest:
                return found, str(answer["metadata"].get("resourceVersion", ""))
            query["continue"] = rest

    def apply(
        self, resource: Resource, manifest: Object, *, dry_run: bool = False, force: bool = False
    ) -> Object:
        """See L(Cluster)."""
        metadata = manifest["metadata"]
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
        if force:
            query["force"] = "true"
        if dry_run:
            query["dryRun"] = "All"
        path = resource.path(metadata.get("namespace", ""), metadata["name"])
        done: Object = self._http.call("PATCH", path, query=query, body=manifest, kind=APPLY)
        return done

    def create(self, resource: Resource, manifest: Object) -> Object:
        """See L(Cluster)."""
        path = resource.path(manifest["metadata"].get("namespace", ""))
        query = {"fieldManager": MANAGER}
        done: Object = self._http.call("POST", path, query=query, body=manifest)
        return done

    def replace(self, resource: Resource, manifest: Object) -> Object:
        """See L(Cluster)."""
        metadata = manifest["metadata"]
        path = resource.path(metadata.get("namespace", ""), metadata["name"])
        done: Object = self._http.call("PUT", path, query={"fieldManager": MANAGER}, body=manifest)
        return done

    def merge(self, resource: Resource, namespace: str, name: str, patch: Object) -> Object:
        """See L(Cluster)."""
        path = resource.path(namespace, name)
        query = {"fieldManager": MANAGER}
        done: Object = self._http.call("PATCH", path, query=query, body=patch, kind=MERGE)
        return done

    def delete(self, resource: Resource, namespace: str, name: str, uid: str) -> None:
        """See L(Cluster)."""
        options: Object = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
        }
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            self._http.call("DELETE", resource.path(namespace, name), body=options)
        except ApiError as error:
            # 409: another object has the name by now, and that one is not ours to remove.
            if error.status not in (404, 409):
                raise

    def watch(
        self, resource: Resource, namespace: str, version: str, stop: threading.Event
    ) -> Iterator[Object]:
        """See L(Cluster)."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        cut, events = self._http.stream(resource.path(namespace), query, SILENCE_SECONDS)
        self._cuts.append(cut)
        if stop.is_set():
            cut()
        yield from events

    def interrupt(self) -> None:
        """End all streams."""
        for cut in self._cuts:
            cut()

    def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool, lines: int
    ) -> list[str]:
        """See L(Cluster). What a container wrote is evidence; none is no failure."""
        query = {"container": container, "tailLines": str(lines), "limitBytes": "20000"}
        if previous:
            query["previous"] = "true"
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        with contextlib.suppress(ApiError):
            answer = self._http.call("GET", path, query=query, accept="*/*", once=LOG_SECONDS)
            if isinstance(answer, str):
                return answer.splitlines()[-lines:]
        return []

    def server_time(self) -> datetime.datetime:
        """See L(Cluster). From the header of the last answer, which has whole seconds."""
        if not self._http.date:
            self._http.call("GET", "/version")
        return parsedate_to_datetime(self._http.date)
