# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between the flow of a release and Kubernetes: what differs, which objects each step needs. Pure.

The flow thinks in places and endpoints. Here a place is the cluster, and the endpoint of a service
is its Deployment, C(namespace/name), whose name tells the track.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import view
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    NAME,
    Manifest,
    content_hash,
    namespace_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_services import (
    FIRST,
    Tracks,
    deployment_name,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Service,
)

SECOND = "green"
SHARED = ("blue_green", "canary")
Entry = Mapping[str, Any]


def tracks_of(entry: Optional[Entry]) -> dict[str, str]:
    """The track of each service that a ledger entry recorded."""
    found = {}
    for name, service in ((entry or {}).get("services") or {}).items():
        for endpoints in (service.get("endpoints") or {}).values():
            for endpoint in endpoints:
                deployment = str(endpoint).rpartition("/")[2]
                found[name] = FIRST if deployment == name else deployment[len(name) + 1 :]
    return found


def kept_apart(platform: Platform, current: Optional[Entry]) -> Platform:
    """With services selected, every other one as it was recorded: this run may not touch it."""
    recorded = (current or {}).get("services") or {}
    if not platform.selected:
        return platform
    services = tuple(
        s if s.name in platform.selected or s.name not in recorded else _as(s, recorded[s.name])
        for s in platform.services
    )
    return replace(platform, services=services)


def _as(service: Service, entry: Entry) -> Service:
    version, digest = str(entry.get("version") or ""), entry.get("digest")
    return replace(service, version=version, digest=None if version else digest)


def wanted_now(
    platform: Platform, secrets: Mapping[str, str], current: Optional[Entry]
) -> list[Manifest]:
    """What the cluster would hold if it were as described, with each service on its track."""
    return view.manifests(platform, secrets, Tracks(deploy=tracks_of(current)))


def can_serve(releases: list[dict[str, Any]], cluster: Entry) -> dict[str, list[str]]:
    """By release, the services of it that the records of the cluster can bring back."""
    good = ("deployed", "applied")
    kept = {r["release_id"] for r in cluster.get("releases") or [] if r.get("outcome") in good}
    found: dict[str, set[str]] = {}
    for entry in releases:
        for name, service in (entry.get("services") or {}).items():
            if entry.get("id") in kept:
                found.setdefault(str(service["origin"]), set()).add(name)
    return {origin: sorted(names) for origin, names in sorted(found.items())}


def observed(
    platform: Platform,
    manifests: list[Manifest],
    actions: list[str],
    cluster: Entry,
    releases: list[dict[str, Any]],
) -> dict[str, Any]:
    """The fact C(host) of the flow.

    C(actions) are those of a plan for C(manifests), C(cluster) the fact of k8s_release_info,
    C(releases) the entries of the ledger.
    """
    parts = {_key(m): str(m["metadata"]["labels"].get(NAME)) for m in manifests}
    changes: dict[str, list[str]] = {}
    for action in actions:
        changes.setdefault(parts.get(action.partition(" ")[2], ""), []).append(action)
    named = {s.name for s in platform.services} | {s.name for s in platform.stores}
    phase = str(cluster.get("phase") or "")
    return {
        "services": {s.name: _state(changes.get(s.name)) for s in platform.services},
        "stores": {
            s.name: {"state": "absent" if _created(changes.get(s.name)) else "present"}
            for s in platform.stores
            if s.mode == "kubernetes"
        },
        "differences": [
            action
            for part, many in sorted(changes.items())
            if part not in named
            or (part in {s.name for s in platform.stores} and not _created(many))
            for action in many
        ],
        "journal": {
            "unfinished": phase in ("applying", "failed"),
            "release_id": cluster.get("working") or cluster.get("current") or "",
            "can_serve": can_serve(releases, cluster),
        },
        "unhealthy": list(cluster.get("unready") or []),
    }


def _key(item: Manifest) -> str:
    space, name = item["metadata"].get("namespace"), item["metadata"]["name"]
    return f"{item['kind']} {space}/{name}" if space else f"{item['kind']} {name}"


def _state(actions: Optional[list[str]]) -> dict[str, str]:
    return {"state": "changed", "reason": actions[0]} if actions else {"state": "current"}


def _created(actions: Optional[list[str]]) -> bool:
    return any(action.startswith("create StatefulSet ") for action in actions or ())


def touched_by_selection(platform: Platform, host: Entry, current: Optional[Entry]) -> list[str]:
    """Why a run for some services cannot leave the others as they are."""
    recorded = (current or {}).get("services") or {}
    if not platform.selected:
        return []
    return [
        f"service {name} is not selected but differs from its description too"
        f" ({state.get('reason')}): release it first, or everything together"
        for name, state in sorted((host.get("services") or {}).items())
        if name not in platform.selected and name in recorded and state["state"] != "current"
    ]


def specs(platform: Platform, manifests: list[Manifest]) -> list[dict[str, Any]]:
    """Name and configuration hash of each service, for the ledger."""
    templates = {
        m["metadata"]["labels"][NAME]: m["spec"]["template"]
        for m in manifests
        if m["kind"] == "Deployment"
    }
    return [
        {"name": s.name, "config_hash": content_hash(templates[s.name])}
        for s in platform.services
        if s.name in templates
    ]


def next_tracks(platform: Platform, plan: Entry, current: Optional[Entry]) -> dict[str, str]:
    """Where the release brings each of its services: beside the old one, or into its place."""
    now, found = tracks_of(current), {}
    for name in (*plan["services"], *plan["workers"]):
        track = now.get(name, FIRST)
        beside = plan["strategy"] in SHARED and name in plan["services"] and name in now
        found[name] = (SECOND if track == FIRST else FIRST) if beside else track
    return found


def staged(
    platform: Platform, plan: Entry, current: Optional[Entry], target: Optional[Entry]
) -> dict[str, Any]:
    """The fact C(release) of the flow: endpoints and images of what the release brings."""
    tracks = next_tracks(platform, plan, current)
    if plan["kind"] == "rollback":
        tracks = tracks_of(target)
    space, routed = namespace_of(platform), set(plan["services"])
    return {
        "endpoints": {
            name: [f"{space}/{deployment_name(name, track)}"] if name in routed else []
            for name, track in sorted(tracks.items())
            if name in routed or name in plan["workers"]
        },
        "images": {},
    }


def stage_manifests(
    platform: Platform, secrets: Mapping[str, str], plan: Entry, current: Optional[Entry]
) -> list[Manifest]:
    """Everything that may be there before the switch.

    What replaces pods in place waits for the switch; what stands beside them is brought up here.
    """
    now, coming = tracks_of(current), next_tracks(platform, plan, current)
    waiting = frozenset(n for n, track in coming.items() if now.get(n, FIRST) == track)
    first = platform.release.canary[0].share if plan["strategy"] == "canary" else 100.0
    tracks = Tracks(
        deploy={**now, **coming},
        serve={**coming, **now},
        replicas=_few(platform, set(coming) - waiting, first),
        without=waiting,
    )
    return view.manifests(platform, secrets, tracks)


def step_manifests(
    platform: Platform,
    secrets: Mapping[str, str],
    plan: Entry,
    current: Optional[Entry],
    share: float,
    preview: bool = False,
) -> list[Manifest]:
    """The objects of one step, in which the new version has C(share) percent of the traffic."""
    now, coming = tracks_of(current), next_tracks(platform, plan, current)
    beside = {n for n, track in coming.items() if now.get(n, FIRST) != track}
    weighed = _weighed(platform, beside, plan["strategy"])
    if share >= 100.0:
        # A second Ingress is not taken away before the release is finished: it must send nothing.
        second = weighed if platform.kubernetes.ingress.kind == "ingress" else frozenset()
        tracks = Tracks(deploy={**now, **coming}, weights=dict.fromkeys(second, 0.0))
        return view.manifests(platform, secrets, tracks)
    sending = 0.0 if preview else max(0.0, share)
    tracks = Tracks(
        deploy={**now, **coming},
        serve={**coming, **now},
        shared=frozenset() if preview or share <= 0 else frozenset(beside - weighed),
        replicas={} if preview else _few(platform, beside, share),
        without=frozenset(coming) - beside,
        weights=dict.fromkeys(weighed, sending),
    )
    return view.manifests(platform, secrets, tracks)


def _weighed(platform: Platform, beside: Collection[str], strategy: str) -> frozenset[str]:
    """Services whose canary goes by weights of the controller; those without routes cannot."""
    if strategy != "canary" or platform.kubernetes.ingress.canary != "weights":
        return frozenset()
    return frozenset(s.name for s in platform.services if s.name in beside and s.routes and s.port)


def without_services(platform: Platform, secrets: Mapping[str, str]) -> list[Manifest]:
    """The way back of a first release: everything but the programs."""
    names = frozenset(s.name for s in platform.services)
    return view.manifests(platform, secrets, Tracks(without=names))


def _few(platform: Platform, names: set[str], share: float) -> dict[str, int]:
    """As many new pods beside all old ones as come nearest to the share, at least one."""
    if share >= 100.0:
        return {}
    return {
        name: max(1, math.ceil(platform.service(name).replicas * share / 100.0)) for name in names
    }
