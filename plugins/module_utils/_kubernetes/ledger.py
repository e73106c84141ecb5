# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger and the lock kept in a Kubernetes cluster, with the same contract as in files.

The lock is a Lease of C(coordination.k8s.io). Other tools see holder, times and the counter in its
fields; everything that the rules need stands in an annotation. Entries are ConfigMaps. Nothing is
locked while it is changed: a write names the version it was made from, and the API server refuses
it when somebody was faster.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import time
from dataclasses import replace
from typing import Any, Callable, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import Cluster
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    ApiError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.history import (
    record_name,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import BUILT_IN
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import PART_OF
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    PLATFORM,
    set_id,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.records import (
    CONFIG_MAP,
    Records,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release import lock
from ansible_collections.mainstay.platform.plugins.module_utils._release.entry import newest_first
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Change
from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import (
    LockState,
    first_fence,
)

LEASE = BUILT_IN["coordination.k8s.io/v1", "Lease"]
NAMESPACE = BUILT_IN["v1", "Namespace"]
STATE = "mainstay.platform/lock"
ENTRY = "mainstay.platform/ledger"
#: Writes of one entry before giving up; two runs at once need two.
ATTEMPTS = 10


class ClusterLedger:
    """The records of one platform in one namespace."""

    def __init__(
        self,
        cluster: Cluster,
        platform: str,
        namespace: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.platform, self.namespace = platform, namespace
        self.lease_name = f"mainstay-{platform}"
        self._cluster = cluster
        self._records = Records(cluster, platform, namespace)
        self._version = ""
        self._clock = clock
        self._server: Optional[tuple[datetime.datetime, float]] = None

    def now(self) -> datetime.datetime:
        """The clock of the API server, so that controllers with different clocks agree."""
        if self._server is None:
            self._server = self._cluster.server_time(), self._clock()
        told, since = self._server
        return told + datetime.timedelta(seconds=self._clock() - since)

    def guard(self, *, check_mode: bool = False) -> contextlib.AbstractContextManager[None]:
        """Nothing is held: versions make sure that no write is lost."""
        return contextlib.nullcontext()

    def check_fence(self, fence: int, *, remember: bool = True) -> None:
        """Refuse a counter that is lower than the highest one the cluster has seen."""
        highest = max(self.lock_state().fence, self._records.parent().fence)
        if self._version and fence < highest:
            raise MainstayError(
                "this run lost its lock to a newer one; nothing was changed",
                subject=f"Lease {self.namespace}/{self.lease_name}",
                found=f"fencing counter {fence} of this run, {highest} in the cluster",
                expected=f"a counter of at least {highest}",
                next_step="look at status.yml for the run that holds the lock, then start again",
            )
        if remember:
            self.remember_fence(fence)
            self._beat(fence)

    def remember_fence(self, fence: int) -> None:
        """Let k8s_release refuse every lower counter from now on."""
        parent = self._records.parent()
        if parent.version and parent.fence < fence:
            self._records.write(replace(parent, fence=fence))

    def _beat(self, fence: int) -> None:
        """Every change is a sign of life of the run that makes it."""
        state = self.lock_state()
        if state.lease is not None and state.lease.fence == fence:
            self.write_lock(lock.prolonged(state, self.now()))

    def lock_state(self) -> LockState:
        """What the Lease holds."""
        found = self._cluster.get(LEASE, self.namespace, self.lease_name)
        if found is None:
            self._version = ""
            # The clock may have been set back since: never below what the cluster refuses.
            return LockState(max(first_fence(self.now()), self._records.parent().fence))
        self._version = str(found["metadata"]["resourceVersion"])
        text = (found["metadata"].get("annotations") or {}).get(STATE, "")
        try:
            return decode(LockState, json.loads(text), "Lease")
        except ValueError as error:
            raise MainstayError(
                "the Lease was not written by this collection",
                subject=f"Lease {self.namespace}/{self.lease_name}",
                expected=f"the annotation {STATE}",
                next_step="move the Lease out of the way and run again; nothing was changed",
            ) from error

    def write_lock(self, state: LockState) -> None:
        """Replace the Lease; refused when somebody else wrote it since it was read."""
        manifest = self._lease(state)
        try:
            if self._version:
                manifest["metadata"]["resourceVersion"] = self._version
                done = self._cluster.replace(LEASE, manifest)
            else:
                self._ensure_namespace()
                done = self._cluster.create(LEASE, manifest)
        except ApiError as error:
            if error.status != 409 or not self._is_ours(state):
                raise _faster(error, self.namespace, self.lease_name) from error
            return
        self._version = str(done["metadata"]["resourceVersion"])

    def _is_ours(self, state: LockState) -> bool:
        """A write whose answer was lost, and that was tried again, was our own."""
        return self.lock_state() == state

    def _ensure_namespace(self) -> None:
        """The lock comes before the release that would make the namespace."""
        if self._cluster.get(NAMESPACE, "", self.namespace) is not None:
            return
        labels = {PART_OF: set_id(self.platform, self.namespace), PLATFORM: self.platform}
        manifest = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.namespace, "labels": labels},
        }
        self._cluster.apply(NAMESPACE, manifest)

    def _lease(self, state: LockState) -> dict[str, Any]:
        lease = state.lease
        spec: dict[str, Any] = {"leaseTransitions": state.fence}
        if lease is not None:
            length = lock.parse(lease.expires) - lock.parse(lease.heartbeat)
            spec.update(
                holderIdentity=lease.holder,
                acquireTime=lease.acquired,
                renewTime=lease.heartbeat,
                leaseDurationSeconds=max(1, int(length.total_seconds())),
            )
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self.lease_name,
                "namespace": self.namespace,
                "labels": {PLATFORM: self.platform},
                "annotations": {STATE: json.dumps(encode(state), sort_keys=True)},
            },
            "spec": spec,
        }

    def _entry_name(self, release_id: str) -> str:
        if not release_id:
            raise MainstayError(
                "not a release id",
                subject="release_id",
                found=release_id,
                expected="an id such as 20261121T061500Z-1a2b3c",
            )
        return record_name(self.platform, f"entry-{release_id}")

    def entry(self, release_id: str) -> Optional[dict[str, Any]]:
        """One entry, or nothing."""
        found = self._cluster.get(CONFIG_MAP, self.namespace, self._entry_name(release_id))
        return None if found is None else self._read(found)

    def _read(self, found: dict[str, Any]) -> dict[str, Any]:
        name = found["metadata"]["name"]
        try:
            entry = json.loads((found.get("data") or {}).get("entry", ""))
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or self._entry_name(str(entry.get("id", ""))) != name:
            raise MainstayError("not an entry of this ledger", subject=f"ConfigMap {name}")
        return entry

    def amend(
        self, release_id: str, change: Change, *, check_mode: bool = False
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """See L(Store): a write names the version it was made from; a refused one is made again."""
        name = self._entry_name(release_id)
        for _attempt in range(ATTEMPTS):
            found = self._cluster.get(CONFIG_MAP, self.namespace, name)
            before = None if found is None else self._read(found)
            after = change(before)
            if after == before or check_mode or self._written(name, found, after):
                return before or {}, after
        raise MainstayError(
            "the entry was changed by others all the time",
            subject=f"ConfigMap {self.namespace}/{name}",
            found=f"{ATTEMPTS} writes refused",
            expected="one that nobody else is faster with",
            next_step="run again",
        )

    def _written(self, name: str, found: Optional[dict[str, Any]], entry: dict[str, Any]) -> bool:
        """True when the entry was written; False when somebody was faster."""
        metadata: dict[str, Any] = {
            "name": name,
            "namespace": self.namespace,
            "labels": {PLATFORM: self.platform, ENTRY: "entry"},
        }
        manifest: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"entry": json.dumps(entry, sort_keys=True)},
        }
        try:
            if found is None:
                self._cluster.create(CONFIG_MAP, manifest)
            else:
                metadata["resourceVersion"] = found["metadata"]["resourceVersion"]
                self._cluster.replace(CONFIG_MAP, manifest)
        except ApiError as error:
            if error.status != 409:
                raise
            # One whose answer was lost, and that was tried again, was our own.
            now = self._cluster.get(CONFIG_MAP, self.namespace, name)
            return now is not None and self._read(now) == entry
        return True

    def entries(self) -> tuple[list[dict[str, Any]], list[str]]:
        """All entries, newest first, and a warning for each that could not be read."""
        found: list[dict[str, Any]] = []
        warnings: list[str] = []
        selector = f"{PLATFORM}={self.platform},{ENTRY}=entry"
        for config_map in self._cluster.find(CONFIG_MAP, self.namespace, labels=selector)[0]:
            try:
                found.append(self._read(config_map))
            except MainstayError as error:
                warnings.append(f"ledger entry passed over: {str(error).splitlines()[0]}")
        return newest_first(found), sorted(warnings)

    def remove(self, release_id: str) -> None:
        """Remove one entry."""
        self._cluster.delete(CONFIG_MAP, self.namespace, self._entry_name(release_id), "")


def _faster(error: ApiError, namespace: str, name: str) -> MainstayError:
    if error.status != 409:
        return error
    return MainstayError(
        "another run took or gave back the lock at the same time",
        subject=f"Lease {namespace}/{name}",
        found="a newer version than this run has read",
        expected="one run at a time",
        next_step="run again; status.yml shows who holds the lock",
    )
