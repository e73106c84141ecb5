# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects each step of a release needs, and what differs from the description."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from unit.plugins.module_utils._kubernetes.kubernetes_support import sound

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    view_release as release,
)

PLATFORM, SECRETS = sound()
PLATFORM = dataclasses.replace(
    PLATFORM,
    services=tuple(
        dataclasses.replace(s, kubernetes=dataclasses.replace(s.kubernetes, autoscaling=None))
        for s in PLATFORM.services
    ),
)


def entry(**deployments: str) -> dict[str, Any]:
    """A ledger entry with these Deployments."""
    return {
        "id": "r1",
        "services": {
            name: {
                "origin": "r1",
                "version": "1.0",
                "endpoints": {"k": [f"shop-prod/{deployment}"]},
            }
            for name, deployment in deployments.items()
        },
    }


NOW = entry(api="api", web="web-green")


def plan(strategy: str, *services: str, workers: tuple[str, ...] = ()) -> dict[str, Any]:
    """A plan for these services."""
    return {
        "kind": "deploy",
        "strategy": strategy,
        "services": list(services),
        "workers": list(workers),
    }


def deployments(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    """Name -> replicas."""
    return {
        m["metadata"]["name"]: m["spec"]["replicas"] for m in manifests if m["kind"] == "Deployment"
    }


def serves(manifests: list[dict[str, Any]], name: str) -> Any:
    """The track that the Service selects."""
    return next(
        m["spec"]["selector"].get("mainstay.io/track")
        for m in manifests
        if m["kind"] == "Service" and m["metadata"]["name"] == name
    )


def test_the_track_is_read_from_the_name_of_the_deployment() -> None:
    assert release.tracks_of(NOW) == {"api": "blue", "web": "green"}
    assert release.tracks_of(None) == {}


def test_rolling_replaces_pods_only_in_the_switch() -> None:
    wanted = plan("rolling", "api", "web", workers=("worker",))
    staged = release.stage_manifests(PLATFORM, SECRETS, wanted, NOW)
    assert deployments(staged) == {}
    assert serves(staged, "web") == "green"
    final = release.step_manifests(PLATFORM, SECRETS, wanted, NOW, 100.0)
    assert deployments(final) == {"api": 3, "web-green": 2, "worker": 1}


def test_blue_green_stands_beside_and_switches_the_service() -> None:
    wanted = plan("blue_green", "api", "web")
    staged = release.stage_manifests(PLATFORM, SECRETS, wanted, NOW)
    assert deployments(staged) == {"api-green": 3, "web": 2, "worker": 1}
    assert (serves(staged, "api"), serves(staged, "web")) == ("blue", "green")
    assert serves(staged, "api-preview") == "green"
    shown = release.step_manifests(PLATFORM, SECRETS, wanted, NOW, 0.0, preview=True)
    assert (serves(shown, "api"), serves(shown, "web")) == ("blue", "green")
    final = release.step_manifests(PLATFORM, SECRETS, wanted, NOW, 100.0)
    assert (serves(final, "api"), serves(final, "web")) == ("green", "blue")


@pytest.mark.parametrize(("share", "pods"), [(10.0, 1), (34.0, 2), (50.0, 2), (99.0, 3)])
def test_canary_goes_by_numbers_of_pods(share: float, pods: int) -> None:
    wanted = plan("canary", "api")
    shown = release.step_manifests(PLATFORM, SECRETS, wanted, NOW, share)
    assert deployments(shown)["api-green"] == pods
    assert serves(shown, "api") is None  # both
    assert serves(shown, "web") == "green"
    final = release.step_manifests(PLATFORM, SECRETS, wanted, NOW, 100.0)
    assert deployments(final)["api-green"] == 3
    assert serves(final, "api") == "green"


def test_a_canary_gets_no_traffic_before_its_first_step() -> None:
    staged = release.stage_manifests(PLATFORM, SECRETS, plan("canary", "api"), NOW)
    assert deployments(staged)["api-green"] == 1
    assert serves(staged, "api") == "blue"


def weighed(kind: str) -> Any:
    """The platform with a canary by weights."""
    ingress = dataclasses.replace(
        PLATFORM.kubernetes.ingress, kind=kind, gateway="public", canary="weights"
    )
    cluster = dataclasses.replace(PLATFORM.kubernetes, ingress=ingress)
    return dataclasses.replace(PLATFORM, kubernetes=cluster)


def named(manifests: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """The object; empty when it is not there."""
    chosen = [m for m in manifests if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return chosen[0] if chosen else {}


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.5, [("api", 995), ("api-preview", 5)]),
        (10.0, [("api", 900), ("api-preview", 100)]),
        (99.0, [("api", 10), ("api-preview", 990)]),
        (100.0, [("api", 1)]),
    ],
)
def test_a_gateway_sends_a_canary_its_weight(share: float, expected: list[Any]) -> None:
    platform, wanted = weighed("gateway"), plan("canary", "api")
    shown = release.step_manifests(platform, SECRETS, wanted, NOW, share)
    routed = named(shown, "HTTPRoute", "api")
    for rule in routed["spec"]["rules"]:
        assert [(b["name"], b["weight"]) for b in rule["backendRefs"]] == expected
    assert routed["metadata"]["annotations"]["mainstay.platform/wave"] == "95"
    untouched = named(shown, "HTTPRoute", "web")["spec"]["rules"][0]["backendRefs"]
    assert [(b["name"], b["weight"]) for b in untouched] == [("web", 1)]
    # Whoever does not come by the route gets the old version until the end, then the new one.
    assert serves(shown, "api") == ("green" if share >= 100.0 else "blue")
    assert bool(named(shown, "Service", "api-preview")) is (share < 100.0)


@pytest.mark.parametrize(("share", "weight"), [(2.5, "25"), (50.0, "500"), (100.0, "0")])
def test_ingress_nginx_sends_a_canary_its_weight(share: float, weight: str) -> None:
    platform, wanted = weighed("ingress"), plan("canary", "api")
    shown = release.step_manifests(platform, SECRETS, wanted, NOW, share)
    first, second = named(shown, "Ingress", "api"), named(shown, "Ingress", "api-canary")
    said = second["metadata"]["annotations"]
    canary = {k.rpartition("/")[2]: v for k, v in said.items() if "nginx" in k}
    assert canary == {"canary": "true", "canary-weight": weight, "canary-weight-total": "1000"}
    assert said["mainstay.platform/wave"] == "95", "its pods are ready first"
    paths = [
        [(rule["host"], p["path"]) for rule in i["spec"]["rules"] for p in rule["http"]["paths"]]
        for i in (first, second)
    ]
    assert paths[0] == paths[1]
    names = {
        p["backend"]["service"]["name"] for r in second["spec"]["rules"] for p in r["http"]["paths"]
    }
    assert names == {"api-preview"}
    assert "tls" not in second["spec"]
    assert not named(shown, "Ingress", "web-canary")


def test_before_its_first_step_a_canary_has_no_weight() -> None:
    for kind in ("gateway", "ingress"):
        staged = release.stage_manifests(weighed(kind), SECRETS, plan("canary", "api"), NOW)
        assert not named(staged, "Ingress", "api-canary")
        for rule in named(staged, "HTTPRoute", "api").get("spec", {}).get("rules", []):
            assert [b["name"] for b in rule["backendRefs"]] == ["api"]


def test_a_canary_without_routes_goes_by_pods() -> None:
    platform = weighed("gateway")
    services = tuple(
        dataclasses.replace(s, routes=()) if s.name == "web" else s for s in platform.services
    )
    platform = dataclasses.replace(platform, services=services)
    shown = release.step_manifests(platform, SECRETS, plan("canary", "api", "web"), NOW, 50.0)
    assert (serves(shown, "api"), serves(shown, "web")) == ("blue", None)


def test_only_a_canary_has_weights() -> None:
    shown = release.step_manifests(weighed("gateway"), SECRETS, plan("blue_green", "api"), NOW, 0.0)
    rule = named(shown, "HTTPRoute", "api")["spec"]["rules"][0]
    assert [b["name"] for b in rule["backendRefs"]] == ["api"]
    for share in (0.0, 100.0):
        wanted = plan("blue_green", "api")
        shown = release.step_manifests(weighed("ingress"), SECRETS, wanted, NOW, share)
        assert not named(shown, "Ingress", "api-canary")


@pytest.mark.parametrize("strategy", ["rolling", "blue_green", "canary"])
def test_a_first_release_has_nothing_to_stand_beside(strategy: str) -> None:
    wanted = plan(strategy, "api", "web", workers=("worker",))
    staged = release.staged(PLATFORM, wanted, None, None)
    assert staged["endpoints"] == {"api": ["shop-prod/api"], "web": ["shop-prod/web"], "worker": []}
    assert deployments(release.stage_manifests(PLATFORM, SECRETS, wanted, None)) == {}


def test_a_rollback_goes_to_the_track_of_its_target() -> None:
    wanted = {**plan("flip", "api"), "kind": "rollback"}
    found = release.staged(PLATFORM, wanted, entry(api="api-green"), NOW)
    assert found["endpoints"] == {"api": ["shop-prod/api"]}


def test_what_differs_is_sorted_by_part() -> None:
    manifests = release.wanted_now(PLATFORM, SECRETS, NOW)
    actions = [
        "change Deployment shop-prod/api",
        "create StatefulSet shop-prod/db",
        "change NetworkPolicy shop-prod/default-deny",
        "change StatefulSet shop-prod/queue",
    ]
    cluster = {"phase": "applying", "working": "r2", "unready": ["x"]}
    host = release.observed(PLATFORM, manifests, actions, cluster, [])
    assert host["services"]["api"] == {"state": "changed", "reason": actions[0]}
    assert host["services"]["web"] == {"state": "current"}
    assert host["stores"]["db"] == {"state": "absent"}
    assert host["stores"]["cache"] == {"state": "present"}
    assert sorted(host["differences"]) == sorted([actions[2], actions[3]])
    assert host["journal"] == {"unfinished": True, "release_id": "r2", "can_serve": {}}


def test_what_can_be_brought_back_is_what_the_cluster_has_on_record() -> None:
    cluster = {
        "releases": [
            {"release_id": "r1", "outcome": "deployed"},
            {"release_id": "r2", "outcome": "failed"},
        ]
    }
    ledger = [NOW, {**NOW, "id": "r2"}, {**NOW, "id": "r0", "services": {"x": {"origin": "r0"}}}]
    assert release.can_serve(ledger, cluster) == {"r1": ["api", "web"]}


def test_a_run_for_one_service_leaves_the_version_of_the_others() -> None:
    chosen = dataclasses.replace(PLATFORM, selected=("api",))
    kept = release.kept_apart(chosen, NOW)
    assert kept.service("web").version == "1.0"
    assert kept.service("api").version == "2.4.1"
    host = {"services": {"web": {"state": "changed", "reason": "change Deployment s/web"}}}
    assert "service web is not selected" in release.touched_by_selection(chosen, host, NOW)[0]
    assert release.touched_by_selection(PLATFORM, host, NOW) == []


def test_the_way_back_of_a_first_release_keeps_the_stores() -> None:
    bare = release.without_services(PLATFORM, SECRETS)
    assert deployments(bare) == {}
    assert [m for m in bare if m["kind"] == "StatefulSet"]
