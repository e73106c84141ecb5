# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a pod, read from its status. Pure.

A symptom is not yet a verdict: how often or how long it has to be there is decided in verdict.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ready import (
    condition,
    is_observed,
    is_true,
)

Object = Mapping[str, Any]
IMAGE, CONFIG, CRASH, MEMORY = "image", "config", "crash", "memory"
SCHEDULE, PROBE, ADMISSION, ENDED = "schedule", "probe", "admission", "ended"
KILLED = "killed"
_SIGKILL = 137

_IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
#: There is nothing that could get better by itself.
_CERTAIN = ("ErrImageNeverPull", "InvalidImageName")
_CONFIG = (
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
    "PostStartHookError",
)


@dataclass(frozen=True)
class Symptom:
    """C(group) decides which patience applies; C(count) is how often it happened; C(budget) what
    the object's own settings allow, in seconds."""

    group: str
    reason: str
    message: str = ""
    container: str = ""
    exit_code: Optional[int] = None
    count: int = 0
    budget: float = 0.0
    certain: bool = False
    since: str = ""


def of_pod(pod: Object) -> Iterator[Symptom]:
    """All symptoms of a pod."""
    status = pod.get("status") or {}
    placed = condition(pod, "PodScheduled")
    if placed is not None and placed.get("reason") == "Unschedulable":
        yield Symptom(SCHEDULE, "Unschedulable", str(placed.get("message", "")))
    if status.get("phase") == "Failed":
        yield Symptom(ENDED, str(status.get("reason") or "Failed"), str(status.get("message", "")))
    spec = pod.get("spec") or {}
    described = {
        c.get("name"): c for c in [*(spec.get("initContainers") or []), *spec.get("containers", [])]
    }
    for field in ("initContainerStatuses", "containerStatuses"):
        for entry in status.get(field) or []:
            container = described.get(entry.get("name"), {})
            yield from _of_container(entry, container, main=field == "containerStatuses")


def _of_container(entry: Object, described: Object, *, main: bool) -> Iterator[Symptom]:
    name = str(entry.get("name", ""))
    state = entry.get("state") or {}
    waiting = state.get("waiting") or {}
    reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    if reason in _IMAGE:
        text = message or f"image {entry.get('image', '')}"
        yield Symptom(IMAGE, reason, text, name, certain=reason in _CERTAIN)
    elif reason in _CONFIG:
        yield Symptom(CONFIG, reason, message, name)
    ended = state.get("terminated") or (entry.get("lastState") or {}).get("terminated")
    running = state.get("running")
    restarts = int(entry.get("restartCount") or 0)
    if ended and not running:
        yield from _of_end(described, name, ended, restarts, main=main)
    if running and main and not entry.get("ready") and not described.get("restartPolicy"):
        since = str(running.get("startedAt", ""))
        text = "the container runs and is not ready"
        yield Symptom(PROBE, "NotReady", text, name, budget=budget(described), since=since)


def _of_end(
    described: Object, name: str, ended: Object, restarts: int, *, main: bool
) -> Iterator[Symptom]:
    code = int(ended.get("exitCode") or 0)
    if code == 0 and not main:
        return  # an init container that has done its work
    # The first end comes before the first restart.
    count = restarts + 1
    group = CRASH
    if ended.get("reason") == "OOMKilled":
        group = MEMORY
    elif code == _SIGKILL and _only_memory_kills(described):
        group = KILLED  # not every runtime and kernel tells why
    text = str(ended.get("message") or "")
    yield Symptom(group, str(ended.get("reason", "")), text, name, code, count=count)


def _only_memory_kills(container: Object) -> bool:
    """True when nothing but its memory limit is known that would kill a container by force."""
    limits = (container.get("resources") or {}).get("limits") or {}
    probed = any(container.get(n) is not None for n in ("livenessProbe", "startupProbe"))
    return "memory" in limits and not probed


def budget(container: Object) -> float:
    """Seconds that a container's own probes give it before it would have to be ready.

    A startup probe restarts the container when its time is over, so nothing is late before that.
    Then a readiness probe fails after so many tries.
    """
    total = 0.0
    for probe in (container.get("startupProbe"), container.get("readinessProbe")):
        if probe:
            tries = int(probe.get("failureThreshold") or 3)
            period = float(probe.get("periodSeconds") or 10)
            timeout = float(probe.get("timeoutSeconds") or 1)
            total += float(probe.get("initialDelaySeconds") or 0) + tries * max(period, timeout)
    return total


def deadline_told(found: Object) -> str:
    """When a Deployment was said to have missed its deadline; empty when it was not.

    The controller leaves that standing until the next template makes progress, so what was said
    before a release says nothing about it.
    """
    progress = condition(found, "Progressing") or {}
    missed = progress.get("reason") == "ProgressDeadlineExceeded"
    return str(progress.get("lastUpdateTime") or "always") if missed else ""


def of_object(kind: str, found: Object, deadline_before: str = "") -> Iterator[Symptom]:
    """Symptoms that the object itself tells; C(deadline_before) is L(deadline_told) at first."""
    if kind == "Deployment" and is_observed(found):
        refused = condition(found, "ReplicaFailure")
        if refused is not None and refused.get("status") == "True":
            yield Symptom(ADMISSION, str(refused.get("reason")), str(refused.get("message", "")))
        progress = condition(found, "Progressing") or {}
        if deadline_told(found) not in ("", deadline_before):
            yield Symptom(
                ENDED, "ProgressDeadlineExceeded", str(progress.get("message", "")), certain=True
            )
    if kind == "Job" and is_true(found, "Failed"):
        failed = condition(found, "Failed") or {}
        reason = str(failed.get("reason", "Failed"))
        yield Symptom(ENDED, reason, str(failed.get("message", "")), certain=True)
    if kind == "Pod" and (found.get("status") or {}).get("phase") == "Failed":
        yield Symptom(ENDED, "Failed", "the pod has ended", certain=True)
