# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What serves now, in sentences and as data. Pure; changes nothing."""

from __future__ import annotations

from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform
from ansible_collections.mainstay.platform.plugins.module_utils._release import approval
from ansible_collections.mainstay.platform.plugins.module_utils._release.flow import (
    members_by_service,
    plan_deploy,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.journey import (
    previous_good,
)

#: Releases listed by the status page, newest first.
LISTED = 5


def status(
    platform: Platform,
    observed: dict[str, dict[str, Any]],
    edges: dict[str, dict[str, Any]],
    ledger: dict[str, Any],
    inventory: str,
) -> dict[str, Any]:
    """The C(mainstay) document of C(status.yml): what serves, what differs, who is at work."""
    current = ledger.get("current") or {}
    plan = plan_deploy(platform, observed, edges, ledger)
    lines = [f"{platform.id}: {_current(current)}"]
    lines.extend(_lock(ledger.get("lock") or {}))
    lines.extend(_waiting(ledger))
    lines.extend(_services(current, edges))
    lines.extend(f"differs from the description: {step}" for step in plan.steps)
    lines.extend(
        f"recent: {r['id']} {r['kind']} {r['outcome']}"
        for r in (ledger.get("releases") or [])[:LISTED]
    )
    return {
        "release": {
            "id": current.get("id"),
            "platform": platform.id,
            "kind": "status",
            "outcome": "as described" if plan.nothing_to_do else "differs",
        },
        "summary": lines,
        "next": _next(plan.nothing_to_do, ledger, inventory),
    }


def _current(current: dict[str, Any]) -> str:
    if not current:
        return "nothing was released yet"
    return f"serves release {current['id']} ({current.get('ended') or current.get('started')})"


def _lock(lock: dict[str, Any]) -> list[str]:
    if not lock.get("live"):
        return []
    return [f"locked by {lock.get('holder')} since {lock.get('acquired')}: {lock.get('purpose')}"]


def _waiting(ledger: dict[str, Any]) -> list[str]:
    return [
        f"release {entry['id']} waits for {question['name']} after {question['after']} until"
        f" {question['until']}: approve.yml -e release_id={entry['id']} -e approval=yes"
        for entry in ledger.get("releases") or []
        for question in approval.open_questions(entry)
    ]


def _services(current: dict[str, Any], edges: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for name, service in sorted((current.get("services") or {}).items()):
        recorded = sum(len(many) for many in (service.get("endpoints") or {}).values())
        served = [
            f"{edge} sends to {len(members_by_service(facts.get('upstreams') or {}).get(name, []))}"
            for edge, facts in sorted(edges.items())
            if recorded
        ]
        where = "; ".join(filter(None, [f"{recorded} endpoints", ", ".join(served)]))
        where = where if recorded else "worker"
        lines.append(f"{name} {service.get('version')} ({where})")
    return lines


def _next(nothing_to_do: bool, ledger: dict[str, Any], inventory: str) -> list[str]:
    commands = []
    if not nothing_to_do:
        commands.append(f"ansible-playbook deploy.yml -i {inventory} --check --diff")
    target = previous_good(ledger)
    if target:
        commands.append(
            f"ansible-playbook rollback.yml -i {inventory} -e release_id={target['id']}"
        )
    return commands or ["nothing"]
