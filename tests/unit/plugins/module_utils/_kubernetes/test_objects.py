# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests as they come in: what is refused, with its path, and what the rest becomes."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import kinds, objects
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

OWNER = "applyset-x-v1"


def manifest(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    found.update(more)
    return found


def named(**metadata: Any) -> dict[str, Any]:
    return manifest(metadata={"name": "c", **metadata})


def secret(**more: Any) -> dict[str, Any]:
    return manifest(kind="Secret", **more)


def read(*manifests: Any, namespace: str = "shop") -> list[objects.Item]:
    return objects.read(manifests, namespace, OWNER, kinds.built_in)


BAD: list[tuple[str, Any, str]] = [
    ("no-mapping", "ConfigMap", "found str, expected a mapping"),
    ("none", None, "found NoneType, expected a mapping"),
    ("no-version", {"kind": "ConfigMap", "metadata": {"name": "c"}}, "apiVersion: found None"),
    ("number-version", manifest(apiVersion=1), "apiVersion: found 1"),
    ("no-kind", {"apiVersion": "v1", "metadata": {"name": "c"}}, "kind: found None"),
    ("empty-kind", manifest(kind=""), "kind: found ''"),
    ("list", {**manifest(kind="ConfigMapList"), "items": []}, "expected its items themselves"),
    ("status", manifest(status={}), "status: only the cluster writes it"),
    ("no-metadata", {"apiVersion": "v1", "kind": "ConfigMap"}, "metadata: found NoneType"),
    ("metadata-list", manifest(metadata=[]), "metadata: found list"),
    ("no-name", manifest(metadata={}), "metadata.name: found None"),
    ("empty-name", manifest(metadata={"name": ""}), "metadata.name: found ''"),
    ("number-name", manifest(metadata={"name": 7}), "metadata.name: found 7"),
    ("capital-name", manifest(metadata={"name": "Api"}), "small letters"),
    ("underscore", manifest(metadata={"name": "a_b"}), "small letters"),
    ("hyphen-first", manifest(metadata={"name": "-a"}), "small letters"),
    ("hyphen-last", manifest(metadata={"name": "a-"}), "small letters"),
    ("slash", manifest(metadata={"name": "a/b"}), "small letters"),
    ("long-name", manifest(metadata={"name": "a" * 254}), "254 characters, expected at most 253"),
    ("generated", manifest(metadata={"generateName": "a-"}), "has a fixed name"),
    ("namespace-type", named(namespace=3), "metadata.namespace: found int"),
    ("namespace-dots", named(namespace="a.b"), "metadata.namespace: found 'a.b'"),
    ("namespace-long", named(namespace="a" * 64), "64 characters, expected at most 63"),
    ("uid", named(uid="x"), "metadata.uid: only the cluster writes it"),
    ("version", named(resourceVersion="1"), "metadata.resourceVersion: only the cluster"),
    ("managed", named(managedFields=[]), "metadata.managedFields: only the cluster"),
    ("generation", named(generation=1), "metadata.generation: only the cluster"),
    ("created", named(creationTimestamp=None), "metadata.creationTimestamp: only the cluster"),
    ("labels-list", named(labels=["a"]), "metadata.labels: found list"),
    ("label-number", named(labels={"a": 1}), "metadata.labels[a]: found int"),
    ("label-bool", named(labels={"a": True}), "metadata.labels[a]: found bool"),
    ("label-none", named(labels={"a": None}), "metadata.labels[a]: found NoneType"),
    ("label-long", named(labels={"a": "b" * 64}), "64 characters, expected at most 63"),
    ("label-space", named(labels={"a": "b c"}), "found 'b c'"),
    ("label-end", named(labels={"a": "b-"}), "found 'b-'"),
    ("label-name-long", named(labels={"a" * 64: "b"}), "expected at most 63 letters"),
    ("label-name-empty", named(labels={"": "b"}), "expected at most 63 letters"),
    ("label-name-slash", named(labels={"a.test/": "b"}), "expected at most 63 letters"),
    ("label-domain", named(labels={"A_B/c": "b"}), "before the slash is no domain"),
    ("label-two-slashes", named(labels={"a/b/c": "b"}), "before the slash is no domain"),
    ("annotations-text", named(annotations="x"), "metadata.annotations: found str"),
    ("annotation-number", named(annotations={"a": 1}), "metadata.annotations[a]: found int"),
    ("annotation-name", named(annotations={"a b": "c"}), "expected at most 63 letters"),
    ("annotations-large", named(annotations={"a": "b" * 262145}), "262146 bytes"),
    ("wave", named(annotations={objects.WAVE: "soon"}), "found 'soon', expected a number"),
    ("data-list", manifest(data=["a"]), "data: found list"),
    ("data-number", manifest(data={"a": 1}), "data.a: found int, expected a text"),
    ("data-bool", manifest(data={"a": True}), "data.a: found bool, expected a text"),
    ("data-none", manifest(data={"a": None}), "data.a: found NoneType"),
    ("data-mapping", manifest(data={"a": {}}), "data.a: found dict"),
    ("data-key", manifest(data={"a/b": "c"}), "'a/b' is no name of a value"),
    ("data-key-empty", manifest(data={"": "c"}), "'' is no name of a value"),
    ("data-key-long", manifest(data={"a" * 254: "c"}), "is no name of a value"),
    ("binary", manifest(binaryData={"a": "?"}), "binaryData.a: the value is not base64"),
    ("secret-plain", secret(data={"a": "hunter2!"}), "data.a: the value is not base64"),
    ("secret-short", secret(data={"a": "YQ="}), "data.a: the value is not base64"),
    ("secret-number", secret(stringData={"a": 5}), "stringData.a: found int"),
    ("secret-list", secret(stringData=[]), "stringData: found list"),
    ("unknown-kind", manifest(kind="Widget"), "the cluster serves no Widget in v1"),
    ("old-version", manifest(apiVersion="apps/v1beta1", kind="Deployment"), "serves no Deployment"),
    (
        "cluster-namespace",
        manifest(kind="Namespace", metadata={"name": "a", "namespace": "b"}),
        "a Namespace has none",
    ),
    ("foreign", named(labels={objects.PART_OF: "applyset-y-v1"}), "belongs to another platform"),
]


@pytest.mark.parametrize(("found", "words"), [pytest.param(b, c, id=a) for a, b, c in BAD])
def test_bad_input_is_refused_with_its_place(found: Any, words: str) -> None:
    good = manifest(metadata={"name": "good"})
    with pytest.raises(MainstayError) as raised:
        read(good, found)
    lines = raised.value.evidence
    assert any(line.startswith("manifests[1]") and words in line for line in lines), lines


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(MainstayError, match="4 problems") as raised:
        read(
            manifest(metadata={"name": "A"}, data=[]),
            manifest(kind=""),
            namespace="Shop",
        )
    assert len(raised.value.evidence) == 4


def test_a_value_of_a_secret_is_not_in_the_message() -> None:
    with pytest.raises(MainstayError) as raised:
        read(secret(data={"a": "hunter2!"}))
    assert "hunter2" not in str(raised.value)


def test_the_same_object_twice_is_refused() -> None:
    with pytest.raises(MainstayError, match="there twice"):
        read(manifest(), named(namespace="shop"))


def test_what_an_item_becomes() -> None:
    asked = secret(stringData={"a": "b"}, metadata={"name": "c"})
    (item,) = read(asked)
    assert item.manifest["data"] == {"a": base64.b64encode(b"b").decode()}
    assert "stringData" not in item.manifest
    metadata = item.manifest["metadata"]
    assert (metadata["namespace"], metadata["labels"]) == ("shop", {objects.PART_OF: OWNER})
    assert str(item.key) == "Secret shop/c"
    assert asked == secret(stringData={"a": "b"}, metadata={"name": "c"}), "left as it was given"


def test_a_stored_manifest_reads_as_itself() -> None:
    (first,) = read(manifest(data={"a": "b"}))
    (again,) = read(first.manifest)
    assert again == first


def test_the_order_is_by_wave() -> None:
    found = read(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}},
        manifest(kind="Service"),
        manifest(),
        manifest(kind="Namespace", metadata={"name": "shop"}),
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}},
        manifest(kind="Service", metadata={"name": "last", "annotations": {objects.WAVE: "99"}}),
    )
    kinds_in_order = [item.key.kind for item in found]
    wanted = ["Namespace", "ConfigMap", "Service", "Job", "Deployment", "Service"]
    assert kinds_in_order == wanted


@pytest.mark.parametrize(
    ("api_version", "kind", "path"),
    [
        ("v1", "Endpoints", "/api/v1/namespaces/n/endpoints/x"),
        ("v1", "Node", "/api/v1/nodes/x"),
        ("networking.k8s.io/v1", "Ingress", "/apis/networking.k8s.io/v1/namespaces/n/ingresses/x"),
        (
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/x",
        ),
        ("storage.k8s.io/v1", "StorageClass", "/apis/storage.k8s.io/v1/storageclasses/x"),
    ],
)
def test_paths(api_version: str, kind: str, path: str) -> None:
    resource = kinds.built_in(api_version, kind)
    assert resource is not None
    assert resource.path("n", "x") == path
