# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the release flow: thin wrappers around the pure planners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
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
from ansible_collections.mainstay.platform.plugins.plugin_utils.filters import (
    as_filters,
    described,
)


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
    whole = described(platform)
    if kind == "deploy":
        plan = flow.plan_deploy(whole, observed, edges, ledger)
    else:
        target = journey.rollback_target(whole.id, ledger, release_id, accept_irreversible)
        plan = flow.plan_rollback(whole, observed, edges, ledger, target)
    return {**encode(plan), "nothing_to_do": plan.nothing_to_do}


def release_keep_versions(
    platform: dict[str, Any], current: Optional[dict[str, Any]], run: dict[str, Any]
) -> dict[str, Any]:
    """The platform in which what the run only scales keeps the version that serves."""
    kept: dict[str, Any] = encode(reasons.keep_versions(described(platform), current, run))
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
    whole = described(platform)
    way = journey.plan_journey(
        _plan(plan),
        whole.release,
        release_id,
        staged,
        journey.recorded_services(_plan(plan), whole, specs, target or {}, current or {}),
    )
    data: dict[str, Any] = encode(way)
    # Going back waits for nobody: it is what is typed when something is wrong.
    wanted = data_of_approvals(whole) if plan["kind"] == "deploy" else []
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
    return status.status(described(platform), **facts)


def release_summary(plan: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """The C(mainstay) document of C(set_stats) for the end of a run."""
    return summary.summarise(plan=_plan(plan), **facts)


class FilterModule:
    """Filters of the release flow."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return as_filters(
            {
                "by_host": by_host,
                "approval_summary": upkeep.approval_summary,
                "maintenance_plan": upkeep.maintenance_plan,
                "maintenance_summary": upkeep.maintenance_summary,
                "prune_summary": upkeep.prune_summary,
                "release_failure": summary.first_failure,
                "release_outcome": summary.outcome_of,
                "release_keep_versions": release_keep_versions,
                "release_gates": summary.gates_of,
                "release_step": summary.step_through,
                "release_journey": release_journey,
                "release_plan": release_plan,
                "release_preflight": preflight.problems,
                "release_status": release_status,
                "release_summary": release_summary,
                "release_unclosed": summary.unclosed,
                "release_target": release_target,
            }
        )
