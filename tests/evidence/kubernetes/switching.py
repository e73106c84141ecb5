# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New versions on real pods under load, with each strategy, and what others do beside."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import restart
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.connect import connect
from evidence.evidence import Figure, Row
from evidence.kubernetes.common import COMMAND, IMAGE, Cluster, namespace, workload
from evidence.kubernetes.shop import Loads, Shop, load

VERSIONS = ("1.1.0", "1.2.0")


def good(done: dict[str, Any]) -> dict[str, Any]:
    """The answer of a release that went through."""
    assert "release" in done, done
    return done


def _told(loads: Loads, what: str) -> str:
    first = loads.first_failure()
    return f"{loads.failed} of {loads.requests} requests failed, {what}" + (
        f" ({first[:120]})" if first else ""
    )


def _strategy(name: str, strategy: str, **env: str) -> Any:
    """C(repeats) releases with C(strategy), the version going to and fro."""

    def run(repeats: int) -> Figure:
        with namespace(gone=True) as cluster:
            shop = Shop(cluster, **env)
            good(shop.release("rolling"))
            with load(shop.address()) as loads:
                for number in range(repeats):
                    version = VERSIONS[number % 2]
                    good(shop.release(strategy, 600.0, api=version, web=version, worker=version))
            return Figure(
                _told(loads, f"{repeats} releases"),
                "",
                name != strategy or loads.failed == 0,
            )

    return run


def plain(repeats: int) -> Figure:
    """What C(kubectl set image) does to the same program, described as most are: no preStop."""
    with namespace(gone=True) as cluster:
        pods = workload("api", "1.0.0", replicas=3, env={"SAMPLE_DRAIN_SECONDS": "2"})
        pods["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 30
        strategy = {"maxSurge": 1, "maxUnavailable": 0}
        pods["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": strategy}
        cluster.kubectl("apply", "--server-side", "-f", "-", stdin=pods)
        cluster.kubectl("rollout", "status", "deployment/api")
        cluster.kubectl("expose", "deployment", "api", "--port=3000")
        with load(Shop(cluster).address()) as loads:
            for number in range(repeats):
                image = f"main={IMAGE}:{VERSIONS[number % 2]}"
                cluster.kubectl("set", "image", "deployment/api", image)
                cluster.kubectl("rollout", "status", "deployment/api")
        return Figure(_told(loads, f"{repeats} releases"), "", loads.requests > 0)


def restarted(repeats: int) -> Figure:
    """New pods for a service that serves, as restart.yml gives them."""
    with namespace(gone=True) as cluster:
        shop = Shop(cluster)
        good(shop.release("rolling"))
        before = _pods(cluster)
        with load(shop.address()) as loads:
            for number in range(repeats):
                asked = {
                    "platform": "mse-test",
                    "namespace": cluster.namespace,
                    "services": ["api"],
                    "restart_id": f"20261121T0800{number:02}Z-1a2b3c",
                    "fence": 0,
                    "timeout": 120.0,
                    "kubeconfig": cluster.kubeconfig,
                    "parallel": 8,
                }
                with connect(asked) as client:
                    restart.restart(asked, client)
        replaced = not before & _pods(cluster)
        text = _told(loads, f"{repeats} restarts")
        text += "" if replaced else ", pods of before are left"
        return Figure(text, "", replaced and loads.failed == 0)


def _pods(cluster: Cluster) -> set[str]:
    """Pods of api that are not going."""
    words = ("get", "pods", "-l", "app.kubernetes.io/name=api", "-o", "json")
    items = json.loads(cluster.kubectl(*words))["items"]
    return {i["metadata"]["name"] for i in items if "deletionTimestamp" not in i["metadata"]}


def second_is_bad(repeats: int) -> Figure:
    """Three services, of which the second one ends at once: everything comes back as it was."""
    wrong: list[str] = []
    with namespace(gone=True) as cluster:
        shop = Shop(cluster, SAMPLE_MARK="first")
        good(shop.release("rolling"))
        before = _configuration(cluster)
        with load(shop.address()) as loads:
            for _number in range(repeats):
                shop.env = {"SAMPLE_MARK": "second"}
                done = shop.release("rolling", api="1.1.0", web="2.0.0-exit", worker="1.1.0")
                if "web" not in done.get("failed", ""):
                    wrong.append(f"the bad version was not told: {str(done)[:200]}")
                good(shop.back())
                if (now := _configuration(cluster)) != before:
                    wrong.append(f"{sorted(now.items() ^ before.items())}"[:200])
        text = _told(loads, f"{repeats} bad releases, each back as it was")
        return Figure("; ".join([text, *wrong]), "", not wrong and loads.failed == 0)


def _configuration(cluster: Cluster) -> dict[str, str]:
    """Image and configuration of each service, and that its pods are there."""
    found = {}
    for name in ("api", "web", "worker"):
        live = cluster.get("deployment", name)
        ready = live["status"].get("availableReplicas") == live["spec"]["replicas"]
        found[name] = f"{live['spec']['template']['spec']['containers']} ready {ready}"
    found["settings"] = cluster.kubectl(
        "get", "configmaps,secrets", "-l", "app.kubernetes.io/name", "-o", "name"
    )
    return found


ROWS = [
    *(
        Row(
            f"switch-{strategy}",
            f"{strategy} under 150 keep-alive clients that never retry, and 200 new connections/s",
            "0 failed requests",
            COMMAND.format(f"switch-{strategy}"),
            _strategy(strategy, strategy),
            10,
        )
        for strategy in ("rolling", "blue_green", "canary")
    ),
    Row(
        "switch-impolite",
        "rolling, the same program without Connection: close while it drains (beside)",
        "told",
        COMMAND.format("switch-impolite"),
        _strategy("impolite", "rolling", SAMPLE_DRAIN_SECONDS="0"),
        10,
    ),
    Row(
        "switch-kubectl",
        "kubectl set image of the same program without preStop (beside)",
        "told",
        COMMAND.format("switch-kubectl"),
        plain,
        10,
    ),
    Row(
        "restart",
        "restart of a service under the same load",
        "all pods replaced, 0 failed requests",
        COMMAND.format("restart"),
        restarted,
        3,
    ),
    Row(
        "bad-second",
        "three services, the second one bad, under the same load",
        "all back with their configuration, 0 failed requests",
        COMMAND.format("bad-second"),
        second_is_bad,
        3,
    ),
]
