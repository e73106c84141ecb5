# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the release flow: thin wrappers around the pure planners."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Optional

from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform
from ansible_collections.mainstay.platform.plugins.module_utils._release import (
    approval,
    flow,
    journey,
    preflight,
    reasons,
    status,
    summary,
    upkeep,
)


def _as_filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """C(function) with its MainstayError turned into a filter error."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except MainstayError as error:
            raise AnsibleFilterError(str(error)) from error

    return wrapped


def by_host(
    hosts: list[str], hostvars: Mapping[str, Any], variable: str, key: str = ""
) -> dict[str, Any]:
    """C(variable) (or its C(key)) of each host that has it: C({host: value})."""
    found: dict[str, Any] = {}
    for host in hosts:
        value = hostvars[host].get(variable) if host in hostvars else None
        if key and isinstance(value, Mapping):
            value = value.get(key)
        if value is not None:
            found[host] = value
    return found


def release_plan(
    platform: dict[str, Any],
    observed: dict[str, Any],
    edges: dict[str, Any],
    ledger: dict[str, Any],
    kind: str = "deploy",
    release_id: Optional[str] = None,
    accept_irreversible: bool = False,
) -> dict[str, Any]:
    """The plan of a deploy or a rollback, with C(nothing_to_do) beside the plan's own fields."""
    described = decode(Platform, platform)
    if kind == "deploy":
        plan = flow.plan_deploy(described, observed, edges, ledger)
    else:
        target = journey.rollback_target(described.id, ledger, release_id, accept_irreversible)
        plan = flow.plan_rollback(described, observed, edges, ledger, target)
    return {**encode(plan), "nothing_to_do": plan.nothing_to_do}


def release_keep_versions(
    platform: dict[str, Any], current: Optional[dict[str, Any]], run: dict[str, Any]
) -> dict[str, Any]:
    """The platform in which what the run only scales keeps the version that serves."""
    kept: dict[str, Any] = encode(reasons.keep_versions(decode(Platform, platform), current, run))
    return kept


def _plan(data: dict[str, Any]) -> flow.Plan:
    return decode(flow.Plan, {k: v for k, v in data.items() if k != "nothing_to_do"})


def release_journey(
    plan: dict[str, Any],
    platform: dict[str, Any],
    release_id: str,
    staged: dict[str, Any],
    specs: dict[str, Any],
    target: Optional[dict[str, Any]] = None,
    current: Optional[dict[str, Any]] = None,
) -> dict[str, Any]:
    """Switch steps, documents of the edge and the ledger's services, once all is staged."""
    described = decode(Platform, platform)
    way = journey.plan_journey(
        _plan(plan),
        described.release,
        release_id,
        staged,
        journey.recorded_services(_plan(plan), described, specs, target or {}, current or {}),
    )
    data: dict[str, Any] = encode(way)
    # Going back waits for nobody: it is what is typed when something is wrong.
    wanted = data_of_approvals(described) if plan["kind"] == "deploy" else []
    due = approval.due(wanted, [step["name"] for step in data["steps"]])
    data["approvals"] = due[approval.STAGED]
    data["approval_seconds"] = sum(a["timeout"] for many in due.values() for a in many)
    for number, step in enumerate(data["steps"], 1):
        step["last"] = number == len(data["steps"])
        step["approvals"] = due[step["name"]]
    return data


def data_of_approvals(platform: Platform) -> list[dict[str, Any]]:
    """The approvals of the description as plain data."""
    return [encode(gate) for gate in platform.release.gates.approvals]


def release_target(ledger: dict[str, Any], release_id: Optional[str] = None) -> dict[str, Any]:
    """The ledger entry a rollback goes to; empty when there is none."""
    return journey.previous_good(ledger, release_id) or {}


def release_status(platform: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """The C(mainstay) document of C(status.yml)."""
    return status.status(decode(Platform, platform), **facts)


def release_summary(plan: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """The C(mainstay) document of C(set_stats) for the end of a run."""
    return summary.summarise(plan=_plan(plan), **facts)


class FilterModule:
    """Filters of the release flow."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "by_host": _as_filter(by_host),
            "approval_summary": _as_filter(upkeep.approval_summary),
            "maintenance_plan": _as_filter(upkeep.maintenance_plan),
            "maintenance_summary": _as_filter(upkeep.maintenance_summary),
            "prune_summary": _as_filter(upkeep.prune_summary),
            "release_failure": _as_filter(summary.first_failure),
            "release_outcome": _as_filter(summary.outcome_of),
            "release_keep_versions": _as_filter(release_keep_versions),
            "release_gates": _as_filter(summary.gates_of),
            "release_step": _as_filter(summary.step_through),
            "release_journey": _as_filter(release_journey),
            "release_plan": _as_filter(release_plan),
            "release_preflight": _as_filter(preflight.problems),
            "release_status": _as_filter(release_status),
            "release_summary": _as_filter(release_summary),
            "release_unclosed": _as_filter(summary.unclosed),
            "release_target": _as_filter(release_target),
        }
