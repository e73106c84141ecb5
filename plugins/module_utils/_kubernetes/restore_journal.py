# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore leaves in the cluster while it works: enough to go on, or to go back. Pure, but
for the two calls at the end.

It is the ConfigMap C(mainstay-<platform>-restore) of the namespace, written before each change.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import Cluster
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import BUILT_IN
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    PLATFORM,
    parent_name,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.writers import Writer
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

CONFIG_MAP = BUILT_IN["v1", "ConfigMap"]
WORKING, DONE, UNDONE = "working", "restored", "undone"


@dataclass(frozen=True)
class Change:
    """What happened to one store: C(loaded) is what was filled, C(kept) what holds the data before.

    C(swapped) is written before the swap; whether it took place is asked from the store.
    """

    store: str
    kind: str
    database: str = ""
    loaded: str = ""
    kept: str = ""
    swapped: bool = False


@dataclass(frozen=True)
class Journal:
    """One restore."""

    restore_id: str
    backup: str
    phase: str = WORKING
    release_before: str = ""
    writers: tuple[Writer, ...] = ()
    changes: tuple[Change, ...] = field(default=())

    @property
    def mark(self) -> str:
        """What the names of this restore end with."""
        return self.restore_id.lower().replace("-", "_")


def _name(platform: str) -> str:
    return f"{parent_name(platform)}-restore"


def _encoded(journal: Journal) -> str:
    return json.dumps(encode(journal), sort_keys=True, separators=(",", ":"))


def read_journal(cluster: Cluster, platform: str, namespace: str) -> tuple[Optional[Journal], str]:
    """(the last restore, the version it was read at)."""
    found = cluster.get(CONFIG_MAP, namespace, _name(platform))
    if found is None:
        return None, ""
    subject = f"ConfigMap {namespace}/{_name(platform)}"
    try:
        raw: Any = json.loads((found.get("data") or {})["journal"])
        writers = tuple(
            Writer(w["kind"], w["name"], int(w["replicas"]), tuple(map(tuple, w["labels"])))
            for w in raw.pop("writers")
        )
        journal = decode(Journal, raw, subject)
    except (KeyError, ValueError, TypeError) as error:
        raise MainstayError(
            "the journal of the last restore cannot be read",
            subject=subject,
            found=type(error).__name__,
            expected="what k8s_restore writes",
            next_step="look at it, then move it out of the way; nothing was changed",
        ) from error
    whole = Journal(**{**vars(journal), "writers": writers})
    return whole, str(found["metadata"]["resourceVersion"])


def write_journal(
    cluster: Cluster, platform: str, namespace: str, journal: Journal, version: str
) -> str:
    """Write it ahead; refused when another run wrote it since it was read. The new version."""
    manifest: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": _name(platform),
            "namespace": namespace,
            "labels": {PLATFORM: platform},
        },
        "data": {"journal": _encoded(journal)},
    }
    if version:
        manifest["metadata"]["resourceVersion"] = version
        done = cluster.replace(CONFIG_MAP, manifest)
    else:
        done = cluster.create(CONFIG_MAP, manifest)
    return str(done["metadata"]["resourceVersion"])
