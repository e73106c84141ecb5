# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of k8s_release_info from arguments to facts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import compare
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import Cluster
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.history import Summary
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.observe import observe
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    Parent,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ready import KINDS
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.records import Records
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import encode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result


def look(params: Mapping[str, Any], cluster: Cluster) -> Result:
    """Run k8s_release_info."""
    started = time.monotonic()
    records = Records(cluster, params["platform"], params["namespace"])
    parent = records.parent()
    summaries = records.summaries()
    facts: dict[str, Any] = {
        "current": parent.current,
        "phase": parent.phase,
        "working": parent.working,
        "fence": parent.fence,
        "objects": [],
        "unready": [],
        "releases": [encode(s) for s in summaries],
        "manifests": [],
    }
    if params.get("objects", True):
        facts["objects"] = objects = _objects(cluster, parent)
        facts["unready"] = [
            f"{o['kind']} {o['namespace']}/{o['name']}: {o['missing']}"
            for o in objects
            if not o["ready"]
        ]
    if params.get("release_id"):
        facts["manifests"] = _manifests(records, summaries, params["release_id"])
    return Result(duration=time.monotonic() - started, facts={"platform": facts})


def _objects(cluster: Cluster, parent: Parent) -> list[dict[str, Any]]:
    seen = observe(cluster, [], parent.members)
    found = []
    for member in parent.members:
        live = seen.get(member.key)
        predicate = KINDS.get(member.key.kind)
        ready, missing = (True, "") if live is not None else (False, "it is not there")
        if member.leaving:
            ready, missing = True, ""  # whatever becomes of it, nobody misses it
        elif live is not None and predicate is not None:
            ready, missing = predicate(live)
        place = {"kind": member.key.kind, "namespace": member.key.namespace}
        found.append({**place, "name": member.key.name, "ready": ready, "missing": missing})
    return found


def _manifests(records: Records, summaries: list[Summary], wanted: str) -> list[dict[str, Any]]:
    for summary in summaries:
        if summary.release_id == wanted:
            return [compare.masked(m) for m in records.manifests(summary)]
    raise MainstayError(
        "there is no such release on record",
        subject=f"platform {records.platform}",
        found=", ".join(s.release_id for s in summaries[:10]) or "none",
        expected=wanted,
    )
