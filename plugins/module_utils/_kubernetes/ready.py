# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When is an object ready? One predicate for each kind, as (ready, what is missing). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional

Object = Mapping[str, Any]
Answer = tuple[bool, str]
Predicate = Callable[[Object], Answer]


def _status(found: Object) -> Mapping[str, Any]:
    status: Mapping[str, Any] = found.get("status") or {}
    return status


def is_observed(found: Object) -> bool:
    """False while the controller has not yet seen the newest specification."""
    wanted = (found.get("metadata") or {}).get("generation", 0)
    return int(_status(found).get("observedGeneration") or 0) >= int(wanted)


def condition(found: Object, name: str) -> Optional[Mapping[str, Any]]:
    """A condition of the status, or nothing."""
    for entry in _status(found).get("conditions") or []:
        if entry.get("type") == name:
            held: Mapping[str, Any] = entry
            return held
    return None


def is_true(found: Object, name: str) -> bool:
    """Whether the condition is there and C(True)."""
    held = condition(found, name)
    return held is not None and held.get("status") == "True"


def has_condition(name: str) -> Predicate:
    """The predicate for custom resources: a condition is true, and about what was last asked."""

    def ready(found: Object) -> Answer:
        held = condition(found, name)
        wanted = int((found.get("metadata") or {}).get("generation") or 0)
        seen = int((held or {}).get("observedGeneration") or wanted)
        if held is not None and held.get("status") == "True" and seen >= wanted:
            return True, ""
        said = (held or {}).get("message") or (held or {}).get("reason") or "not said yet"
        return False, f"condition {name}: {said}"

    return ready


def _counted(status: Mapping[str, Any], wanted: int, *fields: str) -> Answer:
    for name in fields:
        count = int(status.get(name) or 0)
        if count < wanted:
            return False, f"{name} {count} of {wanted}"
    return True, ""


def deployment(found: Object) -> Answer:
    """All replicas are of the newest template and available, and no old one is left."""
    if not is_observed(found):
        return False, "not seen by its controller yet"
    status = _status(found)
    wanted = int((found.get("spec") or {}).get("replicas", 1))
    ok, text = _counted(status, wanted, "updatedReplicas", "availableReplicas")
    if not ok:
        return ok, text
    old = int(status.get("replicas") or 0) - int(status.get("updatedReplicas") or 0)
    return (True, "") if old <= 0 else (False, f"{old} of the old replicas left")


def stateful_set(found: Object) -> Answer:
    """All replicas are of the newest revision and ready (those that a partition leaves out too)."""
    if not is_observed(found):
        return False, "not seen by its controller yet"
    spec, status = found.get("spec") or {}, _status(found)
    wanted = int(spec.get("replicas", 1))
    ok, text = _counted(status, wanted, "readyReplicas", "availableReplicas")
    strategy = spec.get("updateStrategy") or {}
    if not ok or strategy.get("type") == "OnDelete":
        return ok, text
    partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    updated = int(status.get("updatedReplicas") or 0)
    if status.get("currentRevision") == status.get("updateRevision"):
        return True, ""
    expected = max(0, wanted - partition)
    done = partition > 0 and updated >= expected
    return (True, "") if done else (False, f"updatedReplicas {updated} of {expected}")


def daemon_set(found: Object) -> Answer:
    """A pod of the newest template is available on each node that should have one."""
    if not is_observed(found):
        return False, "not seen by its controller yet"
    status = _status(found)
    wanted = int(status.get("desiredNumberScheduled") or 0)
    return _counted(status, wanted, "updatedNumberScheduled", "numberAvailable")


def job(found: Object) -> Answer:
    """It is complete, or suspended on purpose."""
    if is_true(found, "Complete") or (found.get("spec") or {}).get("suspend"):
        return True, ""
    status = _status(found)
    counts = (f"{int(status.get(n) or 0)} {n}" for n in ("active", "succeeded", "failed"))
    return False, ", ".join(counts)


def pod(found: Object) -> Answer:
    """It is ready, or it has done its work."""
    if _status(found).get("phase") == "Succeeded" or is_true(found, "Ready"):
        return True, ""
    return False, f"phase {_status(found).get('phase', 'unknown')}"


def volume_claim(found: Object) -> Answer:
    """It is bound to a volume."""
    phase = _status(found).get("phase", "unknown")
    return phase == "Bound", "" if phase == "Bound" else f"phase {phase}"


def definition(found: Object) -> Answer:
    """The API server serves the new kind."""
    ready = is_true(found, "Established")
    return ready, "" if ready else "not established yet"


def _address(found: Object) -> Answer:
    balancer = _status(found).get("loadBalancer") or {}
    ready = bool(balancer.get("ingress"))
    return ready, "" if ready else "no address yet"


def service(found: Object) -> Answer:
    """A load balancer has an address; all others are ready when they exist."""
    if (found.get("spec") or {}).get("type") != "LoadBalancer":
        return True, ""
    return _address(found)


def autoscaler(found: Object) -> Answer:
    """It can scale, and has figures to scale by."""
    for name in ("AbleToScale", "ScalingActive"):
        if not is_true(found, name):
            said = (condition(found, name) or {}).get("message", "not said yet")
            return False, f"condition {name}: {said}"
    return True, ""


def route(found: Object) -> Answer:
    """Every parent accepts it."""
    parents = _status(found).get("parents") or []
    for entry in parents:
        if not is_true({"status": entry}, "Accepted"):
            return False, "not accepted by each of its parents"
    return bool(parents), "" if parents else "no parent has looked at it yet"


KINDS: dict[str, Predicate] = {
    "CustomResourceDefinition": definition,
    "DaemonSet": daemon_set,
    "Deployment": deployment,
    "Gateway": has_condition("Programmed"),
    "HTTPRoute": route,
    "HorizontalPodAutoscaler": autoscaler,
    "Ingress": _address,
    "Job": job,
    "PersistentVolumeClaim": volume_claim,
    "Pod": pod,
    "Service": service,
    "StatefulSet": stateful_set,
}
#: What is awaited when nothing else is said: what every cluster makes ready by itself.
DEFAULT_KINDS = (
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "Job",
    "Pod",
    "StatefulSet",
)


def predicates(kinds: tuple[str, ...], conditions: tuple[str, ...]) -> dict[str, Predicate]:
    """The predicates by kind; C(conditions) are written as C(Certificate=Ready)."""
    found = {kind: KINDS[kind] for kind in kinds}
    for entry in conditions:
        kind, _equals, name = entry.partition("=")
        found[kind] = has_condition(name or "Ready")
    return found
