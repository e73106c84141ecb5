# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollbacks in random order end at exactly the stored objects."""

from __future__ import annotations

import json
import random
import statistics
import time
from typing import Any

from evidence.evidence import Figure, Row
from evidence.kubernetes.common import (
    COMMAND,
    Cluster,
    Manifest,
    config,
    namespace,
    secret,
    workload,
)
from evidence.kubernetes.shop import Shop, load

#: Seconds that the old version stays in the row about that.
WARM = 8.0
RELEASES = [f"20261121T06000{n}Z-{n}" for n in range(4)]


def _version(number: int) -> list[Manifest]:
    return [
        config("settings", number=str(number)),
        config(f"only-in-{number}", number=str(number)),
        secret("keys", token=f"token-of-{number}"),
        workload("api", f"1.{number % 3}.0", env={"NUMBER": str(number)}),
    ]


def _snapshot(cluster: Cluster) -> dict[str, Any]:
    words = ("get", "configmap,secret,deployment", "-l", "applyset.kubernetes.io/part-of")
    items = json.loads(cluster.kubectl(*words, "-o", "json"))["items"]
    return {f"{i['kind']} {i['metadata']['name']}": [i.get("data"), i.get("spec")] for i in items}


def rollbacks(repeats: int) -> Figure:
    """Four releases, then as many rollbacks as asked for; each is compared field by field."""
    chance = random.Random(20261121)
    exact, seconds = 0, []
    with namespace() as cluster:
        pictures = {}
        for number, release_id in enumerate(RELEASES):
            done = cluster.release(_version(number), release_id, retain=99)
            assert done.get("release", {}).get("outcome") == "deployed", done
            pictures[release_id] = _snapshot(cluster)
        for number in range(repeats):
            wanted = chance.choice(RELEASES)
            started = time.monotonic()
            words = {"state": "rolled_back", "to": wanted, "retain": 99}
            done = cluster.release([], f"20261121T07{number:04}Z-back", **words)
            seconds.append(time.monotonic() - started)
            assert "release" in done, done
            exact += _snapshot(cluster) == pictures[wanted]
    middle = statistics.median(seconds)
    return Figure(f"{exact} of {repeats} exact, median {middle:.1f} s", "", exact == repeats)


def _serving(track: str) -> list[Manifest]:
    """Two Deployments that both run, and a Service that selects one of them."""
    spec = {"selector": {"app": f"api-{track}"}, "ports": [{"port": 3000}]}
    metadata = {"name": "api", "annotations": {"mainstay.platform/wave": "95"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    pods = [workload("api-blue", "1.0.0"), workload("api-green", "1.1.0")]
    return [*pods, config("settings", track=track), service]


def warm(repeats: int) -> Figure:
    """From a release that selects green back to the one that selects blue, which is still warm."""
    seconds, right = [], 0
    with namespace() as cluster:
        first = cluster.release(_serving("blue"), "first")
        assert "release" in first, first
        for number in range(repeats):
            done = cluster.release(_serving("green"), f"green-{number}", retain=99)
            assert "release" in done, done
            started = time.monotonic()
            done = cluster.release([], f"back-{number}", state="rolled_back", to="first", retain=99)
            seconds.append(time.monotonic() - started)
            assert "release" in done, done
            selected = cluster.get("service", "api")["spec"]["selector"]["app"]
            settings = cluster.data("configmap", "settings")
            right += (selected, settings) == ("api-blue", {"track": "blue"})
    holds = right == repeats and statistics.median(seconds) < 2.0
    return Figure(
        f"median {statistics.median(seconds):.2f} s, {right} of {repeats} right", "", holds
    )


def _stays(cluster: Cluster, name: str) -> bool:
    """Whether nobody has begun to remove a Deployment; then its pods still drain for a while."""
    found = cluster.get("deployment", name)
    return bool(found) and "deletionTimestamp" not in found["metadata"]


def let_go(repeats: int) -> Figure:
    """Switches under load; nothing is run until the cluster has taken the old Deployments away."""
    late: list[float] = []
    with namespace(gone=True) as cluster:
        shop = Shop(cluster)
        assert "release" in shop.release("rolling")
        with load(shop.address()) as loads:
            for number in range(repeats):
                versions = dict.fromkeys(("api", "web"), f"1.{1 + number % 2}.0")
                done = shop.release("blue_green", WARM, **versions)
                started = time.monotonic()
                left = [w.rpartition("/")[2] for w in done["release"]["warm"] if "Deployment" in w]
                assert len(left) == 2, done
                while any(_stays(cluster, name) for name in left):
                    assert time.monotonic() - started < WARM + 60
                    time.sleep(0.1)
                late.append(time.monotonic() - started - WARM)
    text = f"{min(late):+.1f} to {max(late):+.1f} s of {WARM:.0f} s, {repeats} switches,"
    text += f" {loads.failed} of {loads.requests} requests failed {loads.first_failure()}"
    # The cluster counts whole seconds from the one in which the clock was made.
    holds = min(late) > -2.0 and max(late) < 5.0 and loads.failed == 0
    return Figure(text.strip(), "", holds)


ROWS = [
    Row(
        "warm-ends",
        "what stayed warm after a switch is taken away by the cluster itself, under load",
        "no earlier than 2 s before its time, no later than 5 s after; 0 failed requests",
        COMMAND.format("warm-ends"),
        let_go,
        3,
    ),
    Row(
        "warm-rollback",
        "going back to a blue_green release whose pods still run, in the task",
        "median under 2 s",
        COMMAND.format("warm-rollback"),
        warm,
        5,
    ),
    Row(
        "rollbacks",
        "rollbacks in random order, with ConfigMaps and Secrets",
        "each ends exactly at the stored objects",
        COMMAND.format("rollbacks"),
        rollbacks,
        30,
    ),
]
