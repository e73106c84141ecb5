# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Going back, and going on after a kill."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kube_bed import (
    FIRST,
    IMAGE,
    SECOND,
    THIRD,
    Cluster,
    Manifest,
    config,
    job,
    secret,
    workload,
)

POINTS = ["parent", "record", "wave-25", "wave-60", "applied", "ready", "warm", "removed"]
POINTS += ["finished"]
#: The others take a minute more.
SHORT = ("record", "wave-25", "wave-60", "finished")


def version(number: int, *, stores: bool = False) -> list[Manifest]:
    """A small platform in one of its versions."""
    return [
        config("settings", number=str(number)),
        config(f"only-in-{number}", number=str(number)),
        secret("keys", token=f"token-of-{number}"),
        *([workload("db", f"1.{number}.0", kind="StatefulSet")] if stores else []),
        workload("api", f"1.{number}.0", env={"NUMBER": str(number)}),
        # Shares the label key of the other one.
        workload("web", "1.0.0"),
    ]


def snapshot(cluster: Cluster) -> dict[str, Any]:
    """Everything of the platform as far as it was described."""
    kinds = "configmap,secret,statefulset,deployment"
    words = ("get", kinds, "-l", "applyset.kubernetes.io/part-of", "-o", "json")
    found = {}
    for item in json.loads(cluster.kubectl(*words))["items"]:
        key = f"{item['kind']} {item['metadata']['name']}"
        found[key] = [item.get("data"), item.get("spec")]
    return found


def test_a_rollback_restores_exactly_what_was_there(cluster: Cluster) -> None:
    pictures = {}
    for number, release_id in enumerate((FIRST, SECOND, THIRD)):
        assert cluster.release(version(number, stores=True), release_id)["changed"]
        pictures[release_id] = snapshot(cluster)
    for step, wanted in enumerate((FIRST, SECOND)):
        done = cluster.release([], f"20261121T09000{step}Z-back", state="rolled_back", to=wanted)
        assert done["release"]["outcome"] == "deployed", done
        assert done["release"]["rolled_back_to"] == wanted
        assert snapshot(cluster) == pictures[wanted]
    assert cluster.image() == f"{IMAGE}:1.1.0"


def test_without_a_name_it_goes_to_the_release_before(cluster: Cluster) -> None:
    cluster.release([config("c", a="1")], FIRST)
    cluster.release([config("c", a="2")], SECOND)
    cluster.release([workload(image=f"{IMAGE}:none")], THIRD, verdict={"image_grace": 0.5})
    done = cluster.release([], "20261121T090000Z-back", state="rolled_back", to=SECOND)
    assert cluster.data("configmap", "c") == {"a": "2"}
    assert f"remove Deployment {cluster.namespace}/api" in done["actions"]
    cluster.release([], "20261121T090100Z-back", state="rolled_back")
    assert cluster.data("configmap", "c") == {"a": "1"}
    refused = cluster.release([], "20261121T090200Z-back", state="rolled_back", to=THIRD)
    assert "no such release" in refused["failed"], "a release that failed is nothing to go back to"


def test_a_job_is_not_run_again_by_a_rollback(cluster: Cluster) -> None:
    migration = job("migrate-1", "migrate", SAMPLE_MIGRATION_DIR="/tmp")
    cluster.release([migration, config("c", a="1")], FIRST)
    cluster.release([config("c", a="2")], SECOND)
    assert not cluster.get("job", "migrate-1")
    cluster.release([], THIRD, state="rolled_back", to=FIRST)
    assert cluster.data("configmap", "c") == {"a": "1"}
    assert not cluster.get("job", "migrate-1")


@pytest.mark.parametrize(
    "point", [p if p in SHORT else pytest.param(p, marks=pytest.mark.long) for p in POINTS]
)
def test_a_kill_at_any_point_is_gone_on_from(cluster: Cluster, point: str) -> None:
    cluster.release(version(0), FIRST)
    killed = cluster.release(version(1), SECOND, kill_at=point)
    assert killed == {"killed": True}
    known = cluster.info(objects=False)
    assert (known["phase"], known["working"]) == ("applying", SECOND)
    if POINTS.index(point) % 2:
        # The same release again.
        done = cluster.release(version(1), SECOND)
        number = 1
    else:
        # Back to the one before, with what the killed one had made.
        done = cluster.release([], THIRD, state="rolled_back", to=FIRST)
        number = 0
    assert done["release"]["outcome"] == "deployed", done
    names = {k for k in snapshot(cluster) if k.startswith("ConfigMap")}
    assert names == {"ConfigMap settings", f"ConfigMap only-in-{number}"}
    assert cluster.image() == f"{IMAGE}:1.{number}.0"
    assert cluster.info()["phase"] == "deployed" and cluster.info()["unready"] == []


def test_records_are_kept_and_forgotten(cluster: Cluster) -> None:
    for number in range(5):
        cluster.release([config("c", a=str(number))], f"2026112{number}T060000Z-aa", retain=2)
    known = [r["release_id"] for r in cluster.info()["releases"]]
    assert known == [f"2026112{n}T060000Z-aa" for n in (4, 3, 2)]


@pytest.mark.long
def test_a_large_release_is_recorded_in_parts(cluster: Cluster) -> None:
    import os

    large = [config(f"c-{n}", a=os.urandom(300_000).hex()) for n in range(6)]
    cluster.release(large, FIRST)
    assert cluster.info()["releases"][0]["parts"] > 1
    cluster.release([config("c-0", a="1")], SECOND)
    cluster.release([], THIRD, state="rolled_back", to=FIRST)
    assert cluster.data("configmap", "c-5") == large[5]["data"]
