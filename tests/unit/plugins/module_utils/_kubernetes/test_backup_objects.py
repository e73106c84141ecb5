# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects put away and brought back: nothing of the old cluster, everything of the platform."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_objects import (
    exported,
    restorable,
    without_values,
)


def _live(kind: str, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {
            "name": "x",
            "namespace": "shop",
            "uid": "1",
            "resourceVersion": "7",
            "generation": 3,
            "creationTimestamp": "2026-11-21T00:00:00Z",
            "managedFields": [{}],
            "ownerReferences": [{}],
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "pv.kubernetes.io/bind-completed": "yes",
                "mine": "kept",
            },
        },
        "spec": spec,
        "status": {"phase": "Bound"},
        **more,
    }


@pytest.mark.parametrize(
    ("kind", "spec", "kept"),
    [
        pytest.param(
            "Service",
            {"clusterIP": "10.0.0.7", "clusterIPs": [], "ports": [{"port": 1, "nodePort": 30001}]},
            {"ports": [{"port": 1}]},
            id="addresses of a Service",
        ),
        pytest.param("Service", {"clusterIP": "None"}, {"clusterIP": "None"}, id="headless"),
        pytest.param(
            "PersistentVolumeClaim",
            {"volumeName": "pvc-1", "resources": {"requests": {"storage": "1Gi"}}},
            {"resources": {"requests": {"storage": "1Gi"}}},
            id="volume of a claim",
        ),
        pytest.param("Job", {"selector": {"matchLabels": {}}, "x": 1}, {"x": 1}, id="Job"),
        pytest.param(
            "Job",
            {"selector": {}, "manualSelector": True},
            {"selector": {}, "manualSelector": True},
            id="own selector",
        ),
    ],
)
def test_what_belongs_to_the_old_cluster_is_left_out(
    kind: str, spec: dict[str, Any], kept: dict[str, Any]
) -> None:
    live = _live(kind, spec)
    before = copy.deepcopy(live)
    found = exported(live, values=True)
    assert found["spec"] == kept
    assert found["metadata"] == {
        "name": "x",
        "namespace": "shop",
        "annotations": {"mine": "kept"},
    }
    assert "status" not in found
    assert live == before


def test_values_of_secrets_only_when_asked_for() -> None:
    secret = _live("Secret", {}, data={"a": "Y2FuYXJ5", "b": ""})
    assert exported(secret, values=True)["data"]["a"] == "Y2FuYXJ5"
    assert exported(secret, values=False)["data"] == {"a": "", "b": ""}
    assert without_values([exported(secret, values=False)]) == ["x"]
    assert without_values([exported(secret, values=True)]) == []


def test_another_namespace_gets_the_references_too() -> None:
    manifests: list[dict[str, Any]] = [
        {"kind": "Namespace", "metadata": {"name": "shop"}},
        {"kind": "Job", "metadata": {"name": "migrate", "namespace": "shop"}},
        {
            "kind": "RoleBinding",
            "metadata": {"name": "r", "namespace": "shop"},
            "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": "shop"}],
        },
        {
            "kind": "NetworkPolicy",
            "metadata": {
                "name": "n",
                "namespace": "shop",
                "labels": {"applyset.kubernetes.io/part-of": "old", "k": "v"},
            },
            "spec": {"from": [{"matchLabels": {"kubernetes.io/metadata.name": "shop"}}]},
        },
        {
            "kind": "ConfigMap",
            "metadata": {"name": "c", "namespace": "shop"},
            "data": {"url": "amqp://rabbit-0.shop.svc:5672", "word": "shop"},
        },
        {"kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}, "data": {"a": "shop"}},
    ]
    space, binding, policy, config, secret = restorable(manifests, "shop", "copy")
    assert space["metadata"]["name"] == "copy"
    assert binding["subjects"][0]["namespace"] == "copy"
    assert policy["metadata"] == {"name": "n", "namespace": "copy", "labels": {"k": "v"}}
    assert policy["spec"]["from"][0]["matchLabels"] == {"kubernetes.io/metadata.name": "copy"}
    assert config["data"] == {"url": "amqp://rabbit-0.copy.svc:5672", "word": "shop"}
    assert secret["data"] == {"a": "shop"}
