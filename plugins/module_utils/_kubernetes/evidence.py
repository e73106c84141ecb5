# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that explains a failure: the reason, events, and the last lines of the container."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import Cluster
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    ApiError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import BUILT_IN
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import Item
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ready import is_true
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.symptoms import (
    CRASH,
    ENDED,
    KILLED,
    MEMORY,
    PROBE,
    of_pod,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.verdict import (
    FAILED,
    Verdict,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

LOG_LINES = 20
_EVENTS = 6
#: A value of fewer characters would hide half of every line.
_WORTH_HIDING = 4
HIDDEN = "********"


def secret_values(items: Iterable[Item]) -> list[str]:
    """Every value of a Secret of the release, as it would show in a log."""
    found = set()
    for item in items:
        if item.key.kind != "Secret":
            continue
        for text in (item.manifest.get("data") or {}).values():
            found.add(text)
            try:
                found.add(base64.b64decode(text).decode("utf-8").strip())
            except (binascii.Error, ValueError):
                continue
    return sorted(found, key=len, reverse=True)


def redacted(text: str, values: Sequence[str]) -> str:
    """The text without any of the values."""
    worth = [re.escape(v) for v in values if len(v) >= _WORTH_HIDING]
    return re.sub("|".join(worth), HIDDEN, text) if worth else text


def failure(
    cluster: Cluster, item: Item, verdict: Verdict, hide: Sequence[str] = ()
) -> MainstayError:
    """The error for an object that has failed."""
    symptom, pod = verdict.symptom, verdict.pod
    lines = _events(cluster, item, pod)
    if pod is not None and symptom is not None:
        lines += _logs(cluster, pod, symptom.container, symptom.group)
    return MainstayError(
        verdict.what,
        subject=str(item.key),
        found=redacted(_found(verdict, pod), hide),
        expected=f"ready ({verdict.text})" if verdict.text else "ready",
        next_step=verdict.next_step,
        evidence=tuple(redacted(line, hide) for line in lines),
    )


def _found(verdict: Verdict, pod: Optional[Mapping[str, Any]]) -> str:
    symptom = verdict.symptom
    if symptom is None:
        return verdict.text
    parts = [symptom.reason]
    if pod is not None:
        where = f"pod {pod['metadata']['name']}"
        parts.append(f"{where}, container {symptom.container}" if symptom.container else where)
    if symptom.exit_code is not None:
        parts.append(f"exit code {symptom.exit_code}")
    if symptom.group in (CRASH, KILLED, MEMORY):
        parts.append(f"ended {symptom.count} times")
    text = ", ".join(parts)
    return f"{text}: {symptom.message[:500]}" if symptom.message else text


def _events(cluster: Cluster, item: Item, pod: Optional[Mapping[str, Any]]) -> list[str]:
    """The last warnings about the pod, or about the object when there is no pod."""
    if not item.key.namespace:
        return []
    name = pod["metadata"]["name"] if pod is not None else item.key.name
    fields = f"involvedObject.name={name},type=Warning"
    try:
        found, _version = cluster.find(BUILT_IN["v1", "Event"], item.key.namespace, fields=fields)
    except ApiError:
        return []  # the right to read events is not needed for a release
    found.sort(key=lambda e: str(e.get("lastTimestamp") or e.get("eventTime") or ""))
    return [
        f"event {e.get('reason', '')} ({int(e.get('count') or 1)} times): {e.get('message', '')}"
        for e in found[-_EVENTS:]
    ]


def _logs(cluster: Cluster, pod: Mapping[str, Any], container: str, group: str) -> list[str]:
    if group not in (CRASH, KILLED, MEMORY, PROBE, ENDED):
        return []
    metadata, status = pod["metadata"], pod.get("status") or {}
    entries = status.get("containerStatuses") or []
    name = container or str(next((e.get("name") for e in entries), ""))
    restarted = any(e.get("name") == name and e.get("restartCount") for e in entries)
    found = []
    for previous in [True, False] if restarted else [False]:
        lines = cluster.logs(
            metadata["namespace"], metadata["name"], name, previous=previous, lines=LOG_LINES
        )
        which = "log of the start before" if previous else "log"
        found += [f"{which}: {line}" for line in lines]
    return found


def overdue(
    cluster: Cluster,
    unready: Sequence[tuple[Item, str, Sequence[Mapping[str, Any]]]],
    hide: Sequence[str] = (),
) -> MainstayError:
    """The error when the time is over: everything that is not ready, with what is missing, and
    what is known about a pod of each."""
    lines: list[str] = []
    for item, text, pods in unready:
        lines.append(f"{item.key}: {text}")
        bad = [pod for pod in pods if not is_true(pod, "Ready")]
        about = bad[0] if bad else None
        for symptom in of_pod(about) if about is not None else ():
            lines.append(f"  {_found(Verdict(FAILED, symptom=symptom), about)}")
        lines += [f"  {line}" for line in _events(cluster, item, about)]
        if about is not None:
            lines += [f"  {line}" for line in _logs(cluster, about, "", ENDED)]
    return MainstayError(
        "the time is over and not everything is ready",
        subject=", ".join(str(item.key) for item, _text, _pods in unready[:5]),
        found=f"{len(unready)} objects not ready",
        expected="all ready within the timeout",
        next_step="look at what is missing; raise timeout if the start is only slow",
        evidence=tuple(redacted(line, hide) for line in lines),
    )
