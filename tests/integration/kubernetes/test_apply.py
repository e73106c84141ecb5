# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying, changing, removing: what is sent, what is left alone, what is refused."""

from __future__ import annotations

import json

from kube_bed import FIRST, SECOND, SECRET, THIRD, Cluster, Manifest, config, secret, workload


def twenty() -> list[Manifest]:
    """20 objects of 5 kinds."""
    return [
        *(config(f"settings-{n}", value=str(n)) for n in range(8)),
        *(secret(f"secret-{n}", password=f"{SECRET}-{n}") for n in range(4)),
        *(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": f"account-{n}"}}
            for n in range(4)
        ),
        *(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": f"service-{n}"},
                "spec": {"selector": {"app": "api"}, "ports": [{"port": 80 + n}]},
            }
            for n in range(3)
        ),
        workload(replicas=2),
    ]


def test_the_four_runs(cluster: Cluster) -> None:
    manifests = twenty()
    checked = cluster.release(manifests, check=True)
    assert len(checked["actions"]) == 20 and checked["changed"]
    assert not cluster.get("deployment", "api")
    assert not cluster.get("configmap", "mainstay-mse-test")

    done = cluster.release(manifests)
    assert done["changed"] and done["actions"] == checked["actions"]
    assert done["release"]["outcome"] == "deployed"
    assert done["release"]["counts"]["created"] == 20
    assert cluster.get("deployment", "api")["status"]["availableReplicas"] == 2

    again = cluster.release(manifests, SECOND, check=True)
    assert (again["changed"], again["actions"]) == (False, [])
    again = cluster.release(manifests, SECOND)
    assert (again["changed"], again["actions"]) == (False, [])
    assert again["release"]["outcome"] == "unchanged"
    assert again["release"]["release_id"] == FIRST
    # One for each object that is as described, at most, and one for the record.
    assert again["release"]["counts"]["requests"] <= 21
    assert [r["release_id"] for r in cluster.info()["releases"]] == [FIRST]


def test_one_changed_object_is_one_more_request_each_way(cluster: Cluster) -> None:
    manifests = twenty()[:-1]
    cluster.release(manifests)
    before = cluster.get("configmap", "settings-1")["metadata"]["resourceVersion"]
    idle = cluster.release(manifests, SECOND)["release"]["counts"]["requests"]
    manifests[0]["data"]["value"] = "other"
    done = cluster.release(manifests, SECOND)
    assert done["actions"] == [f"change ConfigMap {cluster.namespace}/settings-0"]
    assert done["release"]["counts"]["requests"] > idle
    assert cluster.get("configmap", "settings-1")["metadata"]["resourceVersion"] == before
    assert '"value": "other"' in done["diff"]["after"]
    assert '"value": "0"' in done["diff"]["before"]


def test_a_field_that_is_taken_out_goes_and_drift_is_mended(cluster: Cluster) -> None:
    cluster.release([config("c", a="1", b="2")])
    cluster.release([config("c", a="1")], SECOND)
    assert cluster.data("configmap", "c") == {"a": "1"}
    cluster.kubectl(
        "patch", "configmap", "c", "-p", '{"data":{"a":"9"}}', "--field-manager=mainstay"
    )
    mended = cluster.release([config("c", a="1")], THIRD, force=True)
    assert mended["changed"]
    assert cluster.data("configmap", "c") == {"a": "1"}


def test_prune_takes_only_what_this_platform_made(cluster: Cluster) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    cluster.kubectl("create", "configmap", "foreign", "--from-literal=a=1")
    cluster.release([config("ours", a="1"), config("old", a="1"), claim])
    # Somebody made it anew under the old name: it is not ours any more.
    cluster.release([config("other", a="1")], platform="mse-other")
    done = cluster.release([config("ours", a="1")], SECOND)
    assert done["actions"] == [f"remove ConfigMap {cluster.namespace}/old"]
    assert not cluster.get("configmap", "old")
    assert cluster.data("configmap", "foreign") == {"a": "1"}
    assert cluster.data("configmap", "other") == {"a": "1"}
    assert cluster.get("pvc", "data")
    assert done["release"]["left"] == [f"PersistentVolumeClaim {cluster.namespace}/data"]
    asked = cluster.release([config("ours", a="1")], THIRD, prune_kinds=["PersistentVolumeClaim"])
    assert asked["actions"] == [f"remove PersistentVolumeClaim {cluster.namespace}/data"]


def test_an_object_that_lost_its_label_is_not_removed(cluster: Cluster) -> None:
    cluster.release([config("ours", a="1"), config("given-away", a="1")])
    cluster.kubectl("label", "configmap", "given-away", "applyset.kubernetes.io/part-of-")
    done = cluster.release([config("ours", a="1")], SECOND)
    assert done["actions"] == []
    assert cluster.data("configmap", "given-away") == {"a": "1"}


def test_foreign_objects_are_refused_before_anything_changes(cluster: Cluster) -> None:
    cluster.kubectl("create", "configmap", "foreign", "--from-literal=a=1")
    cluster.release([config("other", a="1")], platform="mse-other")
    refused = cluster.release([config("a", a="1"), config("foreign", a="2"), config("other")])
    assert "ConfigMap" in refused["failed"] and "belongs to no platform" in refused["failed"]
    assert "belongs to the set applyset-" in refused["failed"]
    assert not cluster.get("configmap", "a")
    assert cluster.data("configmap", "foreign") == {"a": "1"}
    taken = cluster.release([config("foreign", b="2")], adopt=True)
    assert taken["changed"]


def test_a_conflict_names_the_other_manager(cluster: Cluster) -> None:
    cluster.release([config("c", a="1")])
    patch = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "2"}}
    words = ("apply", "--server-side", "--force-conflicts", "--field-manager=team-b", "-f", "-")
    cluster.kubectl(*words, stdin=patch)
    refused = cluster.release([config("c", a="1"), config("new", a="1")], SECOND)
    assert "team-b" in refused["error"]["what"]
    assert refused["error"]["evidence"] == [".data.a is set by team-b"]
    assert not cluster.get("configmap", "new"), "nothing is changed when a part is refused"
    cluster.release([config("c", a="1")], SECOND, force=True)
    assert cluster.data("configmap", "c") == {"a": "1"}


def test_what_the_server_refuses_is_told_before_anything_changes(cluster: Cluster) -> None:
    wrong = workload()
    wrong["spec"]["template"]["spec"]["containers"][0]["imagePolicy"] = "Always"
    worse = config("worse")
    worse["dat"] = {}
    refused = cluster.release([config("a", a="1"), wrong, worse])
    assert "imagePolicy" in refused["failed"] and ".dat:" in refused["failed"]
    assert not cluster.get("configmap", "a")


def test_a_plan_is_done_exactly_or_not_at_all(cluster: Cluster) -> None:
    manifests = [config("c", a="1")]
    planned = cluster.release(manifests, "", state="planned")
    assert not planned["changed"] and planned["actions"]
    agreed = planned["release"]["plan"]
    other = cluster.release([config("c", a="2")], plan=agreed)
    assert "the plan is not the one" in other["failed"]
    assert not cluster.get("configmap", "c")
    assert cluster.release(manifests, plan=agreed)["changed"]


def test_secrets_are_nowhere(cluster: Cluster) -> None:
    first = cluster.release([secret("s", password=SECRET), config("c", a="1")])
    second = cluster.release([secret("s", password=f"{SECRET}-new")], SECOND)
    removed = cluster.release([config("c", a="1")], THIRD)
    info = cluster.info(release_id=SECOND)
    shown = json.dumps([first, second, removed, info])
    assert SECRET not in shown
    assert "Y2FuYXJ5" not in shown, "not encoded either"
    assert "******** (changed)" in second["diff"]["after"]


def test_an_old_run_is_fenced_off(cluster: Cluster) -> None:
    cluster.release([config("c", a="1")], fence=8)
    refused = cluster.release([config("c", a="2")], SECOND, fence=7)
    assert "lost its lock" in refused["failed"]
    assert cluster.data("configmap", "c") == {"a": "1"}


def test_a_release_brings_its_own_namespace_and_definitions(cluster: Cluster) -> None:
    space = f"{cluster.namespace}-own"
    group = f"{cluster.namespace}.mainstay.test"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {}}
    own = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}
    done = cluster.release([widget, config("c", a="1"), own, definition], namespace=space)
    try:
        assert done["release"]["outcome"] == "deployed", done
        assert [a.split()[1] for a in done["actions"]] == [
            "Namespace",
            "CustomResourceDefinition",
            "ConfigMap",
            "Widget",
        ]
    finally:
        cluster.kubectl("delete", "namespace", space, "--wait=false")
        cluster.kubectl("delete", "crd", f"widgets.{group}", "--wait=false")
