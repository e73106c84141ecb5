# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From symptoms to a verdict: ready, still waiting, or failed with the reason. Pure.

A verdict of failure is only given when waiting longer cannot help, or when a patience that the user
set is over. What is only slow is never called failed before the budget of its own probes is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import symptoms
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ready import Predicate
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.symptoms import Symptom

Object = Mapping[str, Any]
READY, WAITING, FAILED = "ready", "waiting", "failed"
#: (what the symptom is about, so that its age can be remembered) -> seconds since it was first seen
Age = Callable[[tuple[str, ...]], float]


@dataclass(frozen=True)
class Rules:
    """How patient the verdicts are; see the documentation of k8s_release."""

    crashes: int = 3
    image_grace: float = 15.0
    config_grace: float = 5.0
    schedule_grace: float = 30.0
    admission_grace: float = 5.0
    probe_grace: float = 60.0


@dataclass(frozen=True)
class Verdict:
    """C(text) says what is missing; C(recheck) is when time alone could change the verdict, in
    seconds from now. A failure has the symptom, and the pod where there is one."""

    state: str
    text: str = ""
    what: str = ""
    next_step: str = ""
    symptom: Optional[Symptom] = None
    pod: Optional[Object] = None
    recheck: Optional[float] = None


_WORDS: dict[str, tuple[str, str]] = {
    symptoms.IMAGE: (
        "the image cannot be pulled",
        "check its name and digest, the registry and its login",
    ),
    symptoms.CONFIG: (
        "the container cannot be made",
        "give it the Secret, ConfigMap or volume that the message names",
    ),
    symptoms.CRASH: (
        "the container ends again and again",
        "read its last lines; the release before still serves",
    ),
    symptoms.MEMORY: (
        "the container was killed because it used more memory than its limit",
        "raise the memory limit, or look for the leak",
    ),
    symptoms.KILLED: (
        "the container was killed, most likely because it used more memory than its limit",
        "raise the memory limit, or look for the leak",
    ),
    symptoms.SCHEDULE: (
        "no node takes the pod",
        "ask for less, add a node, or mend selectors and taints",
    ),
    symptoms.PROBE: (
        "the container runs and does not become ready in its time",
        "look at its readiness probe and its log; raise probe_grace for a slow start",
    ),
    symptoms.ADMISSION: (
        "the cluster refuses the pods",
        "raise the quota, or mend what the message names",
    ),
    symptoms.ENDED: ("it has failed", "read the events and the last lines"),
}


def judge(
    kind: str,
    found: Object,
    pods: Sequence[Object],
    predicate: Predicate,
    rules: Rules,
    age: Age,
    refused: str = "",
    deadline_before: str = "",
) -> Verdict:
    """The verdict on one object; C(pods) are those of its newest template.

    C(refused) is what the last event said about pods that could not be made, for the kinds whose
    status does not tell. C(deadline_before) is when a missed deadline was told before this release.
    """
    ready, text = predicate(found)
    if ready:
        return Verdict(READY)
    soonest: Optional[float] = None
    for pod, symptom in _all(kind, found, pods, refused, deadline_before):
        left = _patience_left(kind, symptom, rules, age, _name(pod))
        if left is None:
            continue
        if left <= 0:
            what, next_step = _WORDS[symptom.group]
            return Verdict(FAILED, text, what, next_step, symptom, pod)
        soonest = left if soonest is None else min(soonest, left)
    return Verdict(WAITING, text, recheck=soonest)


def _name(pod: Optional[Object]) -> str:
    return str((pod or {}).get("metadata", {}).get("uid", ""))


def _all(
    kind: str, found: Object, pods: Sequence[Object], refused: str, deadline_before: str
) -> Iterator[tuple[Optional[Object], Symptom]]:
    # A pod says more than the object that made it, so pods come first.
    for pod in pods:
        for symptom in symptoms.of_pod(pod):
            yield pod, symptom
    for symptom in symptoms.of_object(kind, found, deadline_before):
        yield _worst(pods), symptom
    if refused:
        yield None, Symptom(symptoms.ADMISSION, "FailedCreate", refused)


def _worst(pods: Sequence[Object]) -> Optional[Object]:
    """The pod whose log explains most: one that failed, or that restarted most often."""

    def rank(pod: Object) -> tuple[bool, int]:
        status = pod.get("status") or {}
        restarts = sum(int(c.get("restartCount") or 0) for c in status.get("containerStatuses", []))
        return status.get("phase") == "Failed", restarts

    return max(pods, key=rank, default=None)


def _patience_left(
    kind: str, symptom: Symptom, rules: Rules, age: Age, pod: str
) -> Optional[float]:
    """Seconds until the symptom is a failure (zero: it is one now); nothing when time alone does
    not make it one."""
    group = symptom.group
    if symptom.certain:
        return 0.0
    if group in (symptoms.CRASH, symptoms.KILLED, symptoms.MEMORY):
        if kind == "Job":
            return None  # its own backoffLimit decides
        # Too little memory does not mend itself; once may still be chance.
        limit = max(1, rules.crashes - 1) if group == symptoms.MEMORY else rules.crashes
        return 0.0 if symptom.count >= limit else None
    if group == symptoms.ENDED:
        return None  # controllers replace pods that ended; the object itself says when they stop
    patience = {
        symptoms.IMAGE: rules.image_grace,
        symptoms.CONFIG: rules.config_grace,
        symptoms.SCHEDULE: rules.schedule_grace,
        symptoms.ADMISSION: rules.admission_grace,
        symptoms.PROBE: rules.probe_grace + symptom.budget,
    }[group]
    if group == symptoms.PROBE and kind == "Job":
        return None
    return patience - age((pod, symptom.container, group, symptom.since))
