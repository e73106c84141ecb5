# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs that release nothing: maintenance on and off, pruning. What they plan and say. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MIB = 2**20


def maintenance_plan(edges: Mapping[str, Mapping[str, Any]], wanted: bool) -> dict[str, Any]:
    """C({wanted, before, edges, steps, nothing_to_do}) from the fact C(edge) of each edge.

    C(before) is what the edges go back to when one of them fails.
    """
    before = {name: bool(facts.get("maintenance")) for name, facts in sorted(edges.items())}
    differing = [name for name, shown in before.items() if shown != wanted]
    verb = "show the maintenance page" if wanted else "serve again"
    return {
        "wanted": wanted,
        "before": before,
        "edges": differing,
        "steps": [f"edge {name}: {verb}" for name in differing],
        "nothing_to_do": not differing,
    }


def maintenance_summary(
    plan: Mapping[str, Any],
    platform_id: str,
    inventory: str,
    outcome: str,
    reason: str = "",
    unclosed: Sequence[str] = (),
) -> dict[str, Any]:
    """The C(mainstay) document; C(outcome) is switched, unchanged, planned or failed."""
    wanted = bool(plan["wanted"])
    shown = wanted if outcome in ("switched", "unchanged") else any(plan["before"].values())
    words = {
        "switched": f"maintenance is {_word(wanted)} at {', '.join(plan['edges'])}",
        "unchanged": f"maintenance was {_word(wanted)} already",
        "planned": "nothing was changed; without --check: " + ("; ".join(plan["steps"])),
        "failed": f"maintenance was not switched {_word(wanted)}: {reason}",
    }
    play = f"ansible-playbook maintenance.yml -i {inventory}"
    following = f"{play} -e ops_maintenance={_word(not shown)}"
    if outcome in ("planned", "failed"):
        following = f"{play} -e ops_maintenance={_word(wanted)}"
    return {
        "maintenance": {
            "platform": platform_id,
            "shown": shown,
            "outcome": outcome,
            "edges": list(plan["edges"]),
            "reason": reason,
        },
        "good": outcome != "failed" and not unclosed,
        "summary": [f"{platform_id}: {words[outcome]}", *unclosed],
        "next": [following, f"ansible-playbook status.yml -i {inventory}"],
    }


def approval_summary(
    question: Mapping[str, Any], release_id: str, platform_id: str, inventory: str, check: bool
) -> dict[str, Any]:
    """The C(mainstay) document for an answer to a release that waits."""
    said = f"{question['state']} by {question['by']}"
    means = {"approved": "it goes on", "refused": "it is taken back"}[str(question["state"])]
    line = f"{platform_id}: {question['name']} of release {release_id} was {said}: {means}"
    if check:
        line = f"{platform_id}: nothing was changed; without --check {question['name']} is {said}"
    return {
        "approval": {
            "platform": platform_id,
            "release": release_id,
            "name": question["name"],
            "after": question["after"],
            "state": question["state"],
            "by": question["by"],
            "reason": question["reason"],
            "checked_only": check,
        },
        "summary": [line],
        "next": [f"ansible-playbook status.yml -i {inventory}"],
    }


def prune_summary(
    results: Mapping[str, Mapping[str, Any]], platform_id: str, inventory: str, check: bool
) -> dict[str, Any]:
    """The C(mainstay) document of C(set_stats) from the fact C(pruned) of each host."""
    hosts = {
        host: {
            "images": len(pruned.get("images") or []),
            "freed_mib": round(float(pruned.get("freed_bytes") or 0) / MIB, 1),
        }
        for host, pruned in sorted(results.items())
    }
    verb = "would be removed" if check else "removed"
    summary = [
        f"{host}: {found['images']} images {verb}, {found['freed_mib']} MiB"
        for host, found in hosts.items()
    ]
    following = f"ansible-playbook status.yml -i {inventory}"
    if check and any(found["images"] for found in hosts.values()):
        following = f"ansible-playbook docker_prune.yml -i {inventory}"
    return {
        "prune": {"platform": platform_id, "hosts": hosts, "checked_only": check},
        "summary": [f"{platform_id}: what no release needs", *summary],
        "next": [following],
    }


def _word(on: bool) -> str:
    return "on" if on else "off"
