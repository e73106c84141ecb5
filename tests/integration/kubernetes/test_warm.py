# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays warm is taken away by a real cluster, and never while it serves."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from kube_bed import FIRST, SECOND, THIRD, Cluster, Manifest, config, secret, workload

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1001,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def track(color: str) -> list[Manifest]:
    """One of two versions side by side, with what it reads."""
    name = f"api-{color}"
    return [
        config(f"settings-{color}", color=color),
        secret(f"keys-{color}", color=color),
        workload(name, securityContext=RESTRICTED),
    ]


def serves(color: str) -> Manifest:
    """The Service, which is moved when pods are ready."""
    metadata = {"name": "api", "annotations": {"mainstay.platform/wave": "95"}}
    spec = {"selector": {"app": f"api-{color}"}, "ports": [{"port": 3000}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def switch(cluster: Cluster, seconds: float) -> None:
    """A first release, and a second one that leaves it warm; with Pod Security and no way out."""
    level = "pod-security.kubernetes.io"
    cluster.kubectl(
        "label",
        "namespace",
        cluster.namespace,
        f"{level}/enforce=restricted",
        f"{level}/warn=restricted",
    )
    deny = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    api = "networking.k8s.io/v1"
    policy = {
        "apiVersion": api,
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": deny,
    }
    both = [policy, *track("blue"), *track("green"), serves("blue")]
    good(cluster.release([policy, *track("blue"), serves("blue")], FIRST))
    good(cluster.release(both, SECOND, prune=False))
    done = good(
        cluster.release([policy, *track("green"), serves("green")], SECOND, keep_warm=seconds)
    )
    assert done["release"]["warnings"] == []
    assert len(done["release"]["warm"]) == 3


def good(done: dict[str, Any]) -> dict[str, Any]:
    assert "release" in done, done
    return done


def until(holds: Any, seconds: float = 60.0) -> float:
    """Seconds until it holds."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < seconds
        time.sleep(0.05)
    return time.monotonic() - started


def names(cluster: Cluster, kinds: str) -> set[str]:
    return set(cluster.kubectl("get", kinds, "-o", "name").split())


def test_the_cluster_takes_away_what_was_warm(cluster: Cluster) -> None:
    switch(cluster, 4.0)
    assert cluster.get("deployment", "api-blue")["status"]["availableReplicas"] == 1
    pods = names(cluster, "pods")
    taken = until(lambda: not cluster.get("deployment", "api-blue"))
    assert taken > 2.0, "it was warm for a while"
    until(lambda: len(names(cluster, "pods")) == 1)
    assert names(cluster, "pods") < pods, "what serves was not touched"
    left = names(cluster, "configmap,secret,job,deployment")
    assert not {n for n in left if "blue" in n or "warm" in n}
    assert cluster.get("deployment", "api-green")["status"]["availableReplicas"] == 1
    assert cluster.info()["unready"] == []
    # What it made anew is made anew: going back still works.
    good(cluster.release([], THIRD, state="rolled_back", to=FIRST))
    assert cluster.get("deployment", "api-blue")["status"]["availableReplicas"] == 1


def test_what_serves_again_stays(cluster: Cluster) -> None:
    """The clock has ended, the collector has run, and what became live again is still there."""
    switch(cluster, 600.0)
    before = cluster.get("deployment", "api-blue")["metadata"]
    (clock,) = json.loads(cluster.kubectl("get", "jobs", "-o", "json"))["items"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": clock["metadata"]["name"]}
    owner["uid"] = clock["metadata"]["uid"]
    # Made last, so that the collector comes to it after everything else that the clock owned.
    witness = config("witness")
    witness["metadata"]["ownerReferences"] = [owner]
    cluster.kubectl("create", "-f", "-", stdin=witness)
    good(cluster.release([], THIRD, state="rolled_back", to=FIRST))
    until(lambda: not cluster.get("configmap", "witness"))
    after = cluster.get("deployment", "api-blue")
    assert after.get("metadata", {}).get("uid") == before["uid"]
    assert "ownerReferences" not in after["metadata"]
    assert "deletionTimestamp" not in after["metadata"]
    assert cluster.data("configmap", "settings-blue") == {"color": "blue"}
    assert names(cluster, "jobs") == set()
    assert cluster.get("service", "api")["spec"]["selector"] == {"app": "api-blue"}


@pytest.mark.long
@pytest.mark.parametrize("late", [0.6, 0.8, 0.9, 1.0, 1.05, 1.1, 1.2])
def test_going_back_while_the_clock_ends(cluster: Cluster, late: float) -> None:
    """Whoever comes first, in the end the version that was asked for serves, and stays."""
    switch(cluster, 1.0)
    time.sleep(late)  # on both sides of the end of the clock: that is what is tried
    good(cluster.release([], THIRD, state="rolled_back", to=FIRST))
    found = cluster.get("deployment", "api-blue")
    assert "ownerReferences" not in found["metadata"]
    assert found["status"]["availableReplicas"] == 1
    assert names(cluster, "jobs") == set()
    assert cluster.data("configmap", "settings-blue") == {"color": "blue"}
    assert cluster.data("secret", "keys-blue")
