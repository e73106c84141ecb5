# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parent and the records of releases in the cluster: reading and writing them."""

from __future__ import annotations

import base64
import contextlib
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import history
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import Cluster
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    ApiError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.history import Summary
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import BUILT_IN
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    Item,
    Manifest,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    PLATFORM,
    Parent,
    parent_name,
    read_parent,
    write_parent,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

CONFIG_MAP, SECRET = BUILT_IN["v1", "ConfigMap"], BUILT_IN["v1", "Secret"]


@dataclass
class Records:
    """Those of one platform, in one namespace."""

    cluster: Cluster
    platform: str
    namespace: str

    def parent(self) -> Parent:
        """The parent as it is now."""
        found = self.cluster.get(CONFIG_MAP, self.namespace, parent_name(self.platform))
        return read_parent(self.platform, self.namespace, found)

    def write(self, parent: Parent) -> Parent:
        """Replace the parent; refused when another run wrote it since it was read."""
        document = write_parent(parent)
        try:
            if parent.version:
                done = self.cluster.replace(CONFIG_MAP, document)
            else:
                done = self.cluster.create(CONFIG_MAP, document)
        except ApiError as error:
            if error.status != 409:
                raise
            done = self._after_conflict(parent, error)
        return replace(parent, version=str(done["metadata"]["resourceVersion"]))

    def _after_conflict(self, parent: Parent, error: ApiError) -> Any:
        """A write whose answer was lost, and that was tried again, was our own."""
        now = self.cluster.get(CONFIG_MAP, self.namespace, parent_name(self.platform))
        if now is not None and now.get("data") == write_parent(parent)["data"]:
            return now
        raise MainstayError(
            "another run changes this platform at the same time",
            subject=f"ConfigMap {self.namespace}/{parent_name(self.platform)}",
            found="a newer version than this run has read",
            expected="one run at a time",
            next_step="wait for the other run; k8s_release_info shows what it does",
        ) from error

    def summaries(self) -> list[Summary]:
        """All releases on record, newest first. What cannot be read is left out."""
        selector = f"{PLATFORM}={self.platform},{history.PART}=0"
        found, _version = self.cluster.find(
            SECRET, self.namespace, labels=selector, metadata_only=True
        )
        summaries = []
        for secret in found:
            with contextlib.suppress(MainstayError):
                summaries.append(history.summary_of(secret))
        return sorted(summaries, key=lambda s: (s.started, s.release_id), reverse=True)

    def manifests(self, summary: Summary) -> list[Manifest]:
        """The manifests of a release."""
        pieces = []
        for number in range(summary.parts):
            name = history.record_name(self.platform, summary.release_id, number)
            secret = self.cluster.get(SECRET, self.namespace, name)
            data = (secret or {}).get("data") or {}
            pieces.append(base64.b64decode(data.get("manifests", "")))
        return history.unpack(pieces, f"release {summary.release_id}")

    def begin(self, summary: Summary, items: list[Item]) -> Summary:
        """Write the record of a release before anything of it is done."""
        pieces = history.pack([item.manifest for item in items])
        summary = replace(summary, parts=len(pieces))
        for secret in history.secrets(self.platform, self.namespace, summary, pieces):
            try:
                self.cluster.create(SECRET, secret)
            except ApiError as error:
                if error.status != 409:
                    raise
                self._again(secret)
        return summary

    def _again(self, secret: Manifest) -> None:
        """The same release goes on, or is tried again: its record is replaced, never missing."""
        name = secret["metadata"]["name"]
        known = self.cluster.get(SECRET, self.namespace, name)
        if known is None:
            raise MainstayError(
                "somebody removed the record of this release while it was written",
                subject=f"Secret {self.namespace}/{name}",
                next_step="look who else changes this namespace, then run again",
            )
        if known.get("type") != history.TYPE:
            raise MainstayError(
                "the name of the record of this release is taken",
                subject=f"Secret {self.namespace}/{name}",
                next_step="move that Secret out of the way, or use another release id",
            )
        version = known["metadata"]["resourceVersion"]
        metadata = {**secret["metadata"], "resourceVersion": version}
        self.cluster.replace(SECRET, {**secret, "metadata": metadata})
        if history.SUMMARY in (known["metadata"].get("annotations") or {}):
            self._forget_parts(history.summary_of(known), history.summary_of(secret).parts)

    def _forget_parts(self, before: Summary, kept: int) -> None:
        """What an earlier step had more of."""
        for number in range(kept, before.parts):
            name = history.record_name(self.platform, before.release_id, number)
            self.cluster.delete(SECRET, self.namespace, name, "")

    def finish(self, summary: Summary) -> None:
        """Write down how a release ended."""
        name = history.record_name(self.platform, summary.release_id)
        patch = {"metadata": {"annotations": {history.SUMMARY: history.annotation(summary)}}}
        self.cluster.merge(SECRET, self.namespace, name, patch)

    def forget(self, summary: Summary) -> None:
        """Remove a record."""
        for number in reversed(range(summary.parts)):
            name = history.record_name(self.platform, summary.release_id, number)
            self.cluster.delete(SECRET, self.namespace, name, "")
