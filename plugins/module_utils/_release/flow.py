# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a release: (platform, what the hosts run, what the ledger says) -> Plan.

Pure. The same plan is printed by C(--check --diff) and executed by the run. Runtime-neutral: an
"observation" is what a runtime reports about one place (a host, or a cluster).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform
from ansible_collections.mainstay.platform.plugins.module_utils._release.reasons import (
    reasons_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.strategies import (
    Fleet,
    Placement,
    settled,
)


@dataclass(frozen=True)
class Heal:
    """What an earlier run left behind and this run puts right before it starts.

    C(resume) finishes a release that had passed its verification; otherwise it is taken back.
    C(places) are the hosts with an unfinished journal.
    """

    release_id: str
    resume: bool
    places: dict[str, str]
    upstreams: dict[str, Any]
    keep: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """What one release will do. C(steps) are sentences; C(reasons) say why a service changes."""

    kind: str
    strategy: str
    previous: Optional[str]
    services: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    migrations: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    keep: dict[str, str] = field(default_factory=dict)
    from_releases: dict[str, str] = field(default_factory=dict)
    before: Fleet = field(default_factory=dict)
    unchanged: Fleet = field(default_factory=dict)
    upstreams_before: dict[str, Any] = field(default_factory=dict)
    edges: tuple[str, ...] = ()
    reversible: bool = True
    heal: Optional[Heal] = None
    steps: tuple[str, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        """True when the fleet already is what the description asks for."""
        return not (
            self.services
            or self.workers
            or self.retired
            or self.stores
            or self.differences
            or self.heal
            or self.edges
        )


def fleet_of(entry: Optional[dict[str, Any]]) -> Fleet:
    """The placements a ledger entry recorded, workers included (without endpoints)."""
    if not entry:
        return {}
    return {
        name: Placement(
            origin=service["origin"],
            endpoints={h: tuple(a) for h, a in (service.get("endpoints") or {}).items()},
        )
        for name, service in (entry.get("services") or {}).items()
    }


def routed(platform: Platform) -> set[str]:
    """Services the edge sends traffic to."""
    return {s.name for s in platform.services if not s.is_worker}


def plan_deploy(
    platform: Platform,
    observed: dict[str, dict[str, Any]],
    edges: dict[str, dict[str, Any]],
    ledger: dict[str, Any],
) -> Plan:
    """The plan that brings the hosts to the description.

    With C(platform.selected) (what the run names, gives a version or scales) every other service
    that already serves stays as it is, also when an earlier run gave it another version.

    C(observed) holds the fact C(host) of docker_release_info by host, C(edges) the fact C(edge) of
    nginx_upstream_info by edge host, C(ledger) the facts of release_info.
    """
    current = ledger.get("current")
    before = fleet_of(current)
    only = platform.selected
    reasons = reasons_of(platform, observed, before, only)
    changed = tuple(sorted(reasons))
    described = {s.name for s in platform.services} | (set(before) if only else set())
    retired = tuple(sorted(name for name in before if name not in described))
    workers = tuple(n for n in changed if platform.service(n).is_worker)
    services = tuple(n for n in changed if n not in workers)
    unchanged = {n: p for n, p in before.items() if n in described and n not in changed}
    plan = Plan(
        kind="deploy",
        strategy=platform.release.strategy,
        previous=current["id"] if current else None,
        services=services,
        workers=workers,
        retired=retired,
        stores=_absent_stores(observed),
        differences=_differences(observed),
        migrations=tuple(n for n in changed if platform.service(n).migration is not None),
        reversible=all(_reversible(platform, name) for name in changed),
        reasons=reasons,
        versions=_versions(platform, current, changed),
        keep={name: placement.origin for name, placement in before.items()},
        before=before,
        unchanged=unchanged,
        upstreams_before=settled(before),
        edges=_differing_edges(edges, before),
        heal=plan_heal(observed, ledger, before),
    )
    return _with_steps(plan)


def plan_rollback(
    platform: Platform,
    observed: dict[str, dict[str, Any]],
    edges: dict[str, dict[str, Any]],
    ledger: dict[str, Any],
    target: dict[str, Any],
) -> Plan:
    """The plan that brings the hosts back to the ledger entry C(target).

    The description decides nothing here except how workers and services are told apart for
    services it still names; what is started comes from the hosts' own journals.
    """
    current = ledger.get("current")
    before, after = fleet_of(current), fleet_of(target)
    changed = sorted(n for n, p in after.items() if n not in before or before[n].origin != p.origin)
    workers = tuple(n for n in changed if not after[n].addresses())
    require_available(target, {n: after[n] for n in changed}, observed)
    plan = Plan(
        kind="rollback",
        strategy="flip",
        previous=current["id"] if current else None,
        services=tuple(n for n in changed if n not in workers),
        workers=workers,
        retired=tuple(sorted(n for n in before if n not in after)),
        reasons=dict.fromkeys(changed, f"back to release {target['id']}"),
        versions=_rollback_versions(current, target, changed),
        keep={name: placement.origin for name, placement in before.items()},
        from_releases={n: after[n].origin for n in changed},
        before=before,
        unchanged={n: p for n, p in after.items() if n not in changed},
        upstreams_before=settled(before),
        edges=_differing_edges(edges, before),
        heal=plan_heal(observed, ledger, before),
    )
    return _with_steps(plan)


def require_available(
    target: dict[str, Any], wanted: Fleet, observed: dict[str, dict[str, Any]]
) -> None:
    """Refuse to go back to what a host cannot bring back: fewer replicas would serve, or none."""
    missing: list[str] = []
    for name, placement in sorted(wanted.items()):
        able = [host for host in sorted(observed) if _can_serve(observed[host], name, placement)]
        # A host that left the inventory since then cannot be asked for.
        needed = [host for host in sorted(placement.endpoints) if host in observed]
        lacking = [host for host in needed if host not in able]
        if lacking or not able:
            missing.append(f"{name} of {placement.origin} on {', '.join(lacking) or 'any host'}")
    if missing:
        raise MainstayError(
            "hosts cannot bring this release back any more",
            subject=f"release {target['id']}",
            found=f"no longer there: {'; '.join(missing)}",
            expected="every host still has what it served then (platform_release.retain says how"
            " many releases stay)",
            next_step="status.yml lists the releases; choose a later one with -e release_id=<id>,"
            " or deploy the wanted version again with deploy.yml -e release_version=<version>",
        )


def _can_serve(host: dict[str, Any], service: str, placement: Placement) -> bool:
    known = (host.get("journal") or {}).get("can_serve") or {}
    return service in (known.get(placement.origin) or [])


def plan_heal(
    observed: dict[str, dict[str, Any]], ledger: dict[str, Any], before: Fleet
) -> Optional[Heal]:
    """What an interrupted run left: from the ledger, or the journal of a host that was away."""
    interrupted = ledger.get("interrupted")
    places = {
        name: str(host["journal"]["release_id"])
        for name, host in sorted(observed.items())
        if (host.get("journal") or {}).get("unfinished")
    }
    if not interrupted and not places:
        return None
    if interrupted and interrupted.get("committed"):
        after = fleet_of(interrupted)
        keep = {name: placement.origin for name, placement in after.items()}
        return Heal(interrupted["id"], True, places, interrupted["upstreams_after"], keep)
    keep = {name: placement.origin for name, placement in before.items()}
    release_id = interrupted["id"] if interrupted else sorted(places.values())[-1]
    upstreams = settled(before)
    return Heal(release_id, False, places, upstreams, keep)


def _reversible(platform: Platform, name: str) -> bool:
    migration = platform.service(name).migration
    return migration is None or migration.reversible


def _absent_stores(observed: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    absent = {
        name
        for host in observed.values()
        for name, state in (host.get("stores") or {}).items()
        if state.get("state") == "absent"
    }
    return tuple(sorted(absent))


def _differences(observed: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """What else a place has to change, as it says itself (objects of a cluster)."""
    return tuple(
        f"{name}: {sentence}"
        for name, host in sorted(observed.items())
        for sentence in host.get("differences") or []
    )


def _differing_edges(edges: dict[str, dict[str, Any]], before: Fleet) -> tuple[str, ...]:
    """Edges whose members are not those of the current release (restored, rebuilt, was away)."""
    if not before:
        return ()
    wanted = members_by_service(settled(before))
    return tuple(
        name
        for name, facts in sorted(edges.items())
        if members_by_service(facts.get("upstreams") or {}) != wanted
    )


def members_by_service(upstreams: dict[str, Any]) -> dict[str, list[str]]:
    """Addresses that get traffic, sorted, by service."""
    found: dict[str, list[str]] = {}
    for name, spec in upstreams.items():
        addresses = sorted(
            m["address"]
            for g in spec.get("groups") or []
            if float(g.get("share", 100.0)) > 0.0
            for m in g.get("members") or []
        )
        if addresses:
            found[name] = addresses
    return found


def _versions(
    platform: Platform, current: Optional[dict[str, Any]], changed: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    recorded = (current or {}).get("services") or {}
    found: dict[str, dict[str, str]] = {}
    for name in changed:
        service = platform.service(name)
        found[name] = {
            "from": str((recorded.get(name) or {}).get("version") or "none"),
            "to": service.version or str(service.digest),
        }
    return found


def _rollback_versions(
    current: Optional[dict[str, Any]], target: dict[str, Any], changed: list[str]
) -> dict[str, dict[str, str]]:
    now = (current or {}).get("services") or {}
    then = target.get("services") or {}
    return {
        name: {
            "from": str((now.get(name) or {}).get("version") or "none"),
            "to": str((then.get(name) or {}).get("version") or "none"),
        }
        for name in changed
    }


def _with_steps(plan: Plan) -> Plan:
    """The same plan with its sentences; an empty plan has none."""
    steps: list[str] = []
    if plan.heal:
        verb = "finish" if plan.heal.resume else "take back"
        places = ", ".join(plan.heal.places) or "the edge"
        steps.append(f"heal: {verb} release {plan.heal.release_id}, left unfinished on {places}")
    steps.extend(
        f"edge {name}: bring its members back to the current release" for name in plan.edges
    )
    steps.extend(f"store {name}: create it" for name in plan.stores)
    steps.extend(plan.differences)
    for name in (*plan.services, *plan.workers):
        change = plan.versions.get(name, {"from": "none", "to": "?"})
        how = "one by one" if name in plan.workers else plan.strategy
        steps.append(
            f"service {name}: {change['from']} -> {change['to']} ({how}; {plan.reasons[name]})"
        )
    steps.extend(
        f"service {name}: run its migration once, before the switch" for name in plan.migrations
    )
    steps.extend(
        f"service {name}: retire it, it is not described any more" for name in plan.retired
    )
    return replace(plan, steps=tuple(steps))
