# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release whose API server is away, overloaded, or forgets who asks ends defined, on record."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from kube_bed import FIRST, SECOND, THIRD, Cluster, Manifest, config, secret, workload
from kube_relay import CUT, Fault, Relay, relay

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import transport


@pytest.fixture
def between(kubeconfig: str) -> Iterator[Relay]:
    with relay(kubeconfig) as found:
        yield found


@pytest.fixture
def far(between: Relay, cluster: Cluster, tmp_path: pathlib.Path) -> Cluster:
    """The same cluster, by the relay."""
    return Cluster(between.kubeconfig(tmp_path), cluster._kubectl, cluster.namespace)


def version(number: str, count: int = 6) -> list[Manifest]:
    return [config(f"c{n}", number=number) for n in range(count)] + [secret("s", p=f"p{number}")]


def applies(relayed: Relay) -> int:
    """Changes that were let through; dry runs are none."""
    return len([1 for m, p, s in relayed.seen if m == "PATCH" and "dryRun" not in p and not s])


class After:
    """Once so many changes were made, the fault for so many requests; for ever with none."""

    def __init__(self, relayed: Relay, changes: int, fault: Fault, times: int = 0) -> None:
        self.relayed, self.changes, self.fault, self.left = relayed, changes, fault, times
        self.endless = not times

    def __call__(self, _method: str, _path: str) -> Fault:
        if applies(self.relayed) < self.changes or not (self.endless or self.left):
            return None
        self.left -= 1
        return self.fault


def numbers(cluster: Cluster) -> set[str]:
    return {cluster.data("configmap", f"c{n}").get("number", "") for n in range(6)}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(CUT, id="line cut"),
        pytest.param(503, id="not ready"),
        pytest.param((429, "1"), id="too many requests"),
    ],
)
def test_a_fault_that_passes_is_waited_for(
    cluster: Cluster, far: Cluster, between: Relay, fault: Fault
) -> None:
    cluster.release(version("1"))
    between.rule = After(between, 2, fault, times=8)
    done = far.release(version("2"), SECOND, parallel=4)
    assert done.get("release", {}).get("outcome") == "deployed", done
    refused = [s for _m, _p, s in between.seen if s]
    assert len(refused) == 8, "the fault was met"
    assert numbers(cluster) == {"2"}
    assert cluster.info()["current"] == SECOND


def test_an_api_server_that_stays_away_leaves_a_record_to_go_on_from(
    cluster: Cluster, far: Cluster, between: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.release(version("1"))
    monkeypatch.setattr(transport, "ATTEMPTS", 3)
    between.rule = After(between, 2, CUT)
    failed = far.release(version("2"), SECOND, parallel=1)
    assert "the API server does not answer" in failed["failed"]
    assert numbers(cluster) == {"1", "2"}, "it was in the middle"
    known = cluster.info()
    assert (known["phase"], known["working"], known["current"]) == ("applying", SECOND, FIRST)
    back = cluster.release([], THIRD, state="rolled_back", to=FIRST)
    assert back["release"]["outcome"] == "deployed"
    assert numbers(cluster) == {"1"}
    again = cluster.release(version("2"), SECOND)
    assert again["release"]["outcome"] == "deployed" and numbers(cluster) == {"2"}


def test_watches_that_are_cut_again_and_again(
    cluster: Cluster, far: Cluster, between: Relay
) -> None:
    between.events = 1
    done = far.release([workload(env={"SAMPLE_START_SECONDS": "2"})])
    assert done.get("release", {}).get("outcome") == "deployed", done
    # Which of the things has a second event before it is ready is a matter of speed; a pod has one.
    watched = [p.split("?")[0] for _m, p, _s in between.seen if "watch=true" in p]
    assert len(watched) > len(set(watched)), "it was watched again after the cut"
    # One list for each thing that is watched: it went on from where it was cut.
    lists = [p for m, p, _s in between.seen if m == "GET" and p.split("?")[0].endswith("/pods")]
    assert len([p for p in lists if "watch" not in p]) == 1


@pytest.mark.parametrize("moment", ["apply", "watch"])
def test_a_token_that_expires_is_read_again(
    cluster: Cluster, far: Cluster, between: Relay, tmp_path: pathlib.Path, moment: str
) -> None:
    """Who keeps the file fresh is somebody else, as with a token of a service account."""
    between.token = "relayed"

    def rotate(method: str, path: str) -> Any:
        due = "watch=true" in path if moment == "watch" else applies(between) == 2
        if due and between.token == "relayed":
            between.token = "fresh"
            between.kubeconfig(tmp_path, "fresh")
        return None

    between.rule = rotate
    done = far.release([*version("1"), workload()], parallel=4)
    assert done.get("release", {}).get("outcome") == "deployed", done
    assert 401 in [s for _m, _p, s in between.seen]


def test_a_token_that_stays_expired_is_told_and_on_record(
    cluster: Cluster, far: Cluster, between: Relay
) -> None:
    cluster.release(version("1"))
    between.rule = After(between, 3, 401)
    failed = far.release(version("2"), SECOND, parallel=1)
    assert "credentials" in failed["failed"] and "401" in failed["failed"]
    known = cluster.info()
    assert (known["phase"], known["working"], known["current"]) == ("applying", SECOND, FIRST)
    assert cluster.release(version("2"), SECOND)["release"]["outcome"] == "deployed"
    assert numbers(cluster) == {"2"}


def test_a_record_that_cannot_be_ended_does_not_hide_the_reason(
    cluster: Cluster, far: Cluster, between: Relay
) -> None:
    cluster.release(version("1"))
    changes = iter([403])

    def rule(method: str, path: str) -> Any:
        if applies(between) >= 2 and method == "PATCH" and "dryRun" not in path:
            return next(changes, 401)
        return 401 if applies(between) >= 2 and method == "PUT" else None

    between.rule = rule
    failed = far.release(version("2"), SECOND, parallel=1)
    assert "the cluster does not admit it" in failed["failed"]
    assert cluster.info()["phase"] == "applying"
