# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that are killed, and releases that meet."""

from __future__ import annotations

import concurrent.futures
from typing import Any

from evidence.evidence import Figure, Row
from evidence.kubernetes.common import COMMAND, IMAGE, Cluster, Manifest, config, namespace, secret
from evidence.kubernetes.common import workload as pods
from evidence.kubernetes.shop import load

#: Every point at which a release has just written something; the numbers are waves of kinds.
POINTS = (
    "parent",
    "record",
    "wave-25",
    "wave-35",
    "wave-60",
    "wave-65",
    "wave-95",
    "applied",
    "ready",
    "warm",
    "removed",
    "finished",
)
SHORT = ("record", "wave-60", "warm")


def version(number: int) -> list[Manifest]:
    """A service with what it reads, and a preview that comes before it; blue and green in turn."""
    color = "blue" if number % 2 == 0 else "green"
    name = f"api-{color}"
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}}
    workload = pods(name, f"1.{1 + number % 2}.0", replicas=2, **_polite())
    # Longer than it goes on serving, else its end would cut requests.
    workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 15
    return [
        config(f"settings-{number}", number=str(number)),
        secret(f"keys-{number}", token=f"token-{number}"),
        _service("api-preview", name),
        _service("api", name, {"mainstay.platform/wave": "95"}),
        workload,
        _object("policy/v1", "PodDisruptionBudget", name, budget),
    ]


def _polite() -> dict[str, Any]:
    """Goes on serving until nobody sends any more, then says that it closes."""
    return {
        "env": {"SAMPLE_DRAIN_SECONDS": "2"},
        "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
    }


def _object(api: str, kind: str, name: str, spec: Any, annotations: Any = None) -> Manifest:
    metadata = {"name": name, "annotations": annotations or {}}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}


def _service(name: str, selected: str, annotations: Any = None) -> Manifest:
    spec = {"selector": {"app": selected}, "ports": [{"port": 3000}]}
    return _object("v1", "Service", name, spec, annotations)


def _wrong(cluster: Cluster, number: int, done: dict[str, Any]) -> str:
    """What is not as it has to be when version C(number) serves; empty when all is."""
    known = cluster.info()
    expected = {
        "answered": "release" in done,
        "phase": known["phase"] == "deployed" and not known["working"],
        "ready": known["unready"] == [],
        "settings": cluster.data("configmap", f"settings-{number}") == {"number": str(number)},
        "image": cluster.image(f"api-{'blue' if number % 2 == 0 else 'green'}")
        == f"{IMAGE}:1.{1 + number % 2}.0",
        "selected": cluster.get("service", "api")["spec"]["selector"]
        == {"app": f"api-{'blue' if number % 2 == 0 else 'green'}"},
    }
    return ", ".join(name for name, holds in expected.items() if not holds)


def killed(repeats: int) -> Figure:
    """Kill a release at each point, then bring the next one, or go back: by itself, and exactly."""
    wrong: list[str] = []
    points = POINTS if repeats > 1 else SHORT
    with namespace(gone=True) as cluster:
        first = cluster.release(version(0), "r0", retain=99)
        assert "release" in first, first
        address = f"{cluster.get('service', 'api')['spec']['clusterIP']}:3000"
        serving, last = 0, "r0"
        with load(address) as loads:
            for number, point in enumerate(points):
                new = serving + 1
                words = {"keep_warm": 600.0, "retain": 99, "timeout": 90.0}
                manifests = version(new)
                identity = f"r{number + 1}"
                cluster.release(manifests, identity, kill_at=point, **words)
                if number % 2:
                    back = {"state": "rolled_back", "to": last, "retain": 99, "timeout": 90.0}
                    done = cluster.release([], f"{identity}-back", **back)
                else:
                    done = cluster.release(manifests, identity, **words)
                    serving, last = new, identity
                if text := _wrong(cluster, serving, done):
                    wrong.append(f"{point}: {text} {str(done)[:150]}")
    healed = f"{len(points) - len(wrong)} of {len(points)} points healed"
    text = f"{healed}, {loads.failed} of {loads.requests} requests failed {loads.first_failure()}"
    return Figure("; ".join([text.strip(), *wrong])[:600], "", not wrong and loads.failed == 0)


def two_at_once(repeats: int) -> Figure:
    """Two releases of one platform start together: one goes through, the other changes nothing."""
    wrong: list[str] = []
    for _number in range(repeats):
        with namespace() as cluster, concurrent.futures.ThreadPoolExecutor(2) as pool:
            good = cluster.release(version(0), "r0")
            assert "release" in good, good
            runs = [pool.submit(cluster.release, version(n), f"r{n}", timeout=90.0) for n in (1, 3)]
            done = [run.result() for run in runs]
            refused = [d["failed"] for d in done if "failed" in d]
            if len(refused) > 1 or any("at the same time" not in text for text in refused):
                wrong.append(f"{refused}"[:300])
            if cluster.info()["phase"] != "deployed" and len(refused) != 1:
                wrong.append(f"phase {cluster.info()['phase']}")
            again = cluster.release(version(1), "r9", timeout=90.0)
            if "release" not in again or cluster.info()["phase"] != "deployed":
                wrong.append(f"the next one: {again}"[:300])
    text = f"{repeats - len(wrong)} of {repeats} meetings as they should"
    return Figure("; ".join([text, *wrong])[:600], "", not wrong)


ROWS = [
    Row(
        "killed",
        f"kill -9 of a release at {len(POINTS)} points under load, then the next one or a rollback",
        "resumes or reverts by itself, exactly; 0 failed requests",
        COMMAND.format("killed"),
        killed,
        2,
    ),
    Row(
        "two-at-once",
        "two releases of one platform at once",
        "one at a time; the next release needs no hand",
        COMMAND.format("two-at-once"),
        two_at_once,
        5,
    ),
]
