# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a plan and what was staged to the switch, and from there to the ledger. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    ReleasePolicy,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.flow import Plan
from ansible_collections.mainstay.platform.plugins.module_utils._release.strategies import (
    Fleet,
    Placement,
    SwitchStep,
    plan_switch,
    settled,
)


@dataclass(frozen=True)
class Journey:
    """Everything the switch needs, known once all places are staged.

    C(keep) are the origins that serve afterwards, C(leaving) the endpoints that get no traffic any
    more, C(arriving) those that only exist because of this release, C(services) the ledger's form.
    """

    release_id: str
    steps: tuple[SwitchStep, ...]
    upstreams_before: dict[str, Any]
    upstreams_after: dict[str, Any]
    keep: dict[str, str] = field(default_factory=dict)
    leaving: tuple[str, ...] = ()
    arriving: tuple[str, ...] = ()
    services: dict[str, dict[str, Any]] = field(default_factory=dict)


def plan_journey(
    plan: Plan,
    policy: ReleasePolicy,
    release_id: str,
    staged: dict[str, dict[str, Any]],
    recorded: dict[str, dict[str, Any]],
) -> Journey:
    """The way from C(plan.before) to what was C(staged) (fact C(release) by host).

    C(recorded) is the ledger's C(services) for everything after the release, without origin and
    endpoints of what was staged; see L(describe_services) and the target entry of a rollback.
    """
    after = fleet_after(plan, release_id, staged)
    _require_whole(plan, after, recorded, staged)
    steps = plan_switch(plan.strategy, policy, plan.before, after, list(staged))
    if not steps and (plan.workers or plan.edges or plan.stores or plan.differences):
        name = "bring what is around the services to the description"
        name = "bring the edges back" if plan.edges else name
        name = "replace workers" if plan.workers else name
        steps = [SwitchStep(name, settled(after), 100.0)]
    old = _addresses(plan.before)
    new = _addresses(after)
    return Journey(
        release_id=release_id,
        steps=tuple(steps),
        upstreams_before=plan.upstreams_before,
        upstreams_after=settled(after),
        keep={name: placement.origin for name, placement in sorted(after.items())},
        leaving=tuple(sorted(old - new)),
        arriving=tuple(sorted(new - old)),
        services={
            name: _entry_service(recorded.get(name) or {}, placement, staged, name)
            for name, placement in sorted(after.items())
        },
    )


def _require_whole(
    plan: Plan,
    after: Fleet,
    recorded: dict[str, dict[str, Any]],
    staged: dict[str, dict[str, Any]],
) -> None:
    """Traffic is moved only to what is all there: every service, and all that it had then."""
    lacking = []
    for name in plan.services:
        then = (recorded.get(name) or {}).get("endpoints") or {} if plan.from_releases else {}
        wanted = {host: len(many) for host, many in then.items() if host in staged}
        found = {host: len(many) for host, many in after[name].endpoints.items()}
        short = [h for h, count in sorted(wanted.items()) if found.get(h, 0) < count]
        if short or not found:
            lacking.append(f"{name} on {', '.join(short) or 'any host'}")
    if lacking:
        raise MainstayError(
            "not all replicas were brought up, so no traffic is moved to them",
            subject=f"release {', '.join(sorted(set(plan.from_releases.values()))) or 'staged'}",
            found=f"missing: {'; '.join(lacking)}",
            expected="as many replicas on each host as served then, at least one",
            next_step="look at docker ps -a and at journal.json on these hosts",
        )


def fleet_after(plan: Plan, release_id: str, staged: dict[str, dict[str, Any]]) -> Fleet:
    """Who serves what once the release is through."""
    after = dict(plan.unchanged)
    for name in (*plan.services, *plan.workers):
        endpoints = {
            host: tuple((facts.get("endpoints") or {}).get(name) or ())
            for host, facts in staged.items()
        }
        after[name] = Placement(
            origin=plan.from_releases.get(name, release_id),
            endpoints={host: many for host, many in endpoints.items() if many},
        )
    return after


def describe_services(
    platform: Platform, specs: dict[str, list[dict[str, Any]]]
) -> dict[str, dict[str, Any]]:
    """Image, version and configuration hash of each described service, for the ledger."""
    hashes = {s["name"]: s.get("config_hash", "") for many in specs.values() for s in many}
    return {
        service.name: {
            "image": service.image,
            "version": service.version,
            "digest": service.digest,
            "config_hash": hashes.get(service.name, ""),
        }
        for service in platform.services
    }


def recorded_services(
    plan: Plan,
    platform: Platform,
    specs: dict[str, list[dict[str, Any]]],
    target: dict[str, Any],
    current: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """What the ledger says of each service after the release.

    A service that stays keeps its record: the description of today may name another version.
    """
    changed = target.get("services") or describe_services(platform, specs)
    known = current.get("services") or {}
    return {**changed, **{name: known[name] for name in plan.unchanged if name in known}}


def _entry_service(
    known: dict[str, Any], placement: Placement, staged: dict[str, dict[str, Any]], name: str
) -> dict[str, Any]:
    images = [
        str((facts.get("images") or {})[name])
        for facts in staged.values()
        if (facts.get("images") or {}).get(name)
    ]
    digest = known.get("digest")
    if images and "@" in images[0]:
        digest = images[0].rsplit("@", 1)[1]
    return {
        "image": known.get("image", ""),
        "version": known.get("version", ""),
        "digest": digest,
        "config_hash": known.get("config_hash", ""),
        "origin": placement.origin,
        "endpoints": {host: list(many) for host, many in placement.endpoints.items()},
    }


def _addresses(fleet: Fleet) -> set[str]:
    return {address for placement in fleet.values() for address in placement.addresses()}


def previous_good(
    ledger: dict[str, Any], release_id: Optional[str] = None
) -> dict[str, Any] | None:
    """The entry a rollback goes to: C(release_id), or the newest one that served other origins.

    C(ledger["releases"]) is newest first. An entry counts when it was deployed; the current one and
    those with the same origins (a rollback to it, a repeat) are passed over.
    """
    # A record without services is not of a release (maintenance, a drill).
    releases = [
        r
        for r in ledger.get("releases") or []
        if r.get("outcome") == "deployed" and r.get("services")
    ]
    if release_id:
        return next((r for r in releases if r["id"] == release_id), None)
    current = ledger.get("current")
    if not current:
        return None
    serving = _origins(current)
    left = _left_by_rollbacks(releases)
    # By their place, not by their ids: those begin with the time of a clock that may be set back.
    older = _before(releases, str(current["id"]))
    return next((r for r in older if _origins(r) not in (serving, *left)), None)


def rollback_target(
    platform_id: str,
    ledger: dict[str, Any],
    release_id: Optional[str] = None,
    accept_irreversible: bool = False,
) -> dict[str, Any]:
    """The entry to go back to, or why there is none or why it must not be."""
    target = previous_good(ledger, release_id)
    if target is None:
        good = [r["id"] for r in ledger.get("releases") or [] if r.get("outcome") == "deployed"]
        raise MainstayError(
            "there is no release to go back to",
            subject=f"ledger of {platform_id}",
            found=f"no deployed release {release_id}" if release_id else "no earlier release",
            expected=f"one of: {', '.join(good) or 'none was deployed yet'}",
            next_step="choose one with -e release_id=<id>; status.yml lists them",
        )
    blocked = irreversible_between(ledger, target)
    if blocked and not accept_irreversible:
        raise MainstayError(
            "a migration in between cannot be taken back",
            subject=f"rollback of {platform_id} to {target['id']}",
            found=f"migration.reversible is false in {', '.join(blocked)}",
            expected="only reversible migrations after the release to go back to",
            next_step="restore the database to the restore point of that release, or add"
            " -e release_accept_irreversible=true when the old program can live with the schema",
        )
    return target


def irreversible_between(ledger: dict[str, Any], target: dict[str, Any]) -> list[str]:
    """Releases after C(target) whose migration cannot be taken back, oldest first."""
    releases = ledger.get("releases") or []
    later = releases[: len(releases) - len(_before(releases, str(target["id"])))]
    return [
        str(r["id"])
        for r in reversed(later)
        if r["id"] != target["id"]
        and r.get("outcome") == "deployed"
        and r.get("reversible") is False
    ]


def _before(releases: list[dict[str, Any]], release_id: str) -> list[dict[str, Any]]:
    """What was released before C(release_id), newest first."""
    ids = [str(r["id"]) for r in releases]
    return releases[ids.index(release_id) + 1 :] if release_id in ids else releases


def _origins(entry: dict[str, Any]) -> dict[str, str]:
    return {n: s["origin"] for n, s in (entry.get("services") or {}).items()}


def _left_by_rollbacks(releases: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What served when somebody went back from it: no later rollback must return to a bad version.

    By origins and not by ids: a rollback to a version, and from there further back, leaves that
    version, which an older entry brought.
    """
    undone = {r.get("previous") for r in releases if r.get("kind") == "rollback"}
    return [_origins(r) for r in releases if r["id"] in undone]
