# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which changes the API server must try before, and which the plan alone can tell about."""

from __future__ import annotations

import copy
import pathlib
import sys
from typing import Any, Callable, Optional

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake_cluster import managed

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import objects
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.doubts import (
    in_doubt,
    to_try,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import built_in
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import Parent
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.plan import (
    Plan,
    Step,
    make_plan,
)

Manifest = dict[str, Any]
Change = Callable[[Manifest], Any]
PARENT = Parent("shop-test", "shop")


def config(**more: Any) -> Manifest:
    metadata = {"name": "o", "labels": {"app": "x"}}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"a": "1"},
        **more,
    }


def secret(**more: Any) -> Manifest:
    return config(kind="Secret", data={"a": "MQ=="}, **more)


def service() -> Manifest:
    spec = {"clusterIP": "None", "selector": {"app": "x", "tier": "y"}, "sessionAffinity": "None"}
    return config(kind="Service", data=None, spec=spec)


def deployment() -> Manifest:
    container = {"name": "main", "image": "api:1", "env": [{"name": "A", "value": "1"}]}
    spec = {"replicas": 1, "template": {"spec": {"containers": [container], "nodeName": "n"}}}
    made = config(apiVersion="apps/v1", kind="Deployment", spec=spec)
    del made["data"]
    return made


def plain(manifest: Manifest) -> Manifest:
    return {k: v for k, v in manifest.items() if v is not None}


def step(manifest: Manifest, live: Optional[Manifest]) -> Step:
    """The step from what was applied before (C(live)) to the manifest."""
    items = objects.read([plain(manifest)], "shop", PARENT.id, built_in)
    seen = {}
    if live is not None:
        there = objects.read([plain(live)], "shop", PARENT.id, built_in)[0]
        found = copy.deepcopy(there.manifest)
        found["metadata"]["managedFields"] = [managed(there.manifest)]
        found["metadata"].update(live["metadata"].get("server", {}))
        seen[there.key] = found
    return make_plan(items, seen, PARENT).steps[0]


def other(manifest: Manifest, change: Change) -> Manifest:
    made = copy.deepcopy(manifest)
    change(made)
    return made


def main_of(manifest: Manifest) -> Manifest:
    container: Manifest = manifest["spec"]["template"]["spec"]["containers"][0]
    return container


@pytest.mark.parametrize(
    ("manifest", "doubt"),
    [
        pytest.param(config(), False, id="configmap"),
        pytest.param(secret(), False, id="secret"),
        pytest.param(secret(type="Opaque", immutable=True), False, id="immutable secret"),
        pytest.param(config(data=None, binaryData={"a": "MQ=="}), False, id="binary"),
        pytest.param(secret(type="kubernetes.io/tls"), True, id="type with keys of its own"),
        pytest.param(config(dat={"a": "1"}), True, id="unknown field"),
        pytest.param(config(immutable="yes"), True, id="text for a truth"),
        pytest.param(config(binaryData={"a": "MQ=="}), True, id="one key in both"),
        pytest.param(config(data={"a": "x" * 1_000_000}), True, id="large"),
        pytest.param(service(), True, id="service"),
        pytest.param(deployment(), True, id="deployment"),
    ],
)
def test_new_objects(manifest: Manifest, doubt: bool) -> None:
    assert in_doubt(step(manifest, None)) is doubt


def test_unknown_metadata_is_tried() -> None:
    made = config()
    made["metadata"]["finalizer"] = ["x"]
    assert in_doubt(step(made, None))


@pytest.mark.parametrize(
    ("before", "change", "doubt"),
    [
        pytest.param(config(), lambda m: m["data"].update(a="2"), False, id="data"),
        pytest.param(config(), lambda m: m["data"].pop("a"), False, id="data taken out"),
        pytest.param(config(immutable=True), lambda m: m["data"].update(a="2"), True, id="frozen"),
        pytest.param(secret(), lambda m: m.update(type="x/y"), True, id="other type"),
        pytest.param(
            secret(type="x/y"), lambda m: m.pop("type"), True, id="no special type any more"
        ),
        pytest.param(service(), lambda m: m["metadata"]["labels"].update(b="1"), False, id="label"),
        pytest.param(service(), lambda m: m["metadata"]["labels"].clear(), False, id="no label"),
        pytest.param(
            service(),
            lambda m: m["metadata"].update(annotations={"x": "1"}),
            True,
            id="annotation: controllers and webhooks read them",
        ),
        pytest.param(service(), lambda m: m["spec"].update(type="X"), True, id="field"),
        pytest.param(service(), lambda m: m["spec"].pop("sessionAffinity"), True, id="field gone"),
        pytest.param(
            service(),
            lambda m: m["spec"]["selector"].pop("tier"),
            True,
            id="part of one value gone",
        ),
        pytest.param(
            deployment(),
            lambda m: m["metadata"]["labels"].update(b="1"),
            False,
            id="deployment label",
        ),
        pytest.param(deployment(), lambda m: main_of(m).update(image="b"), True, id="image"),
        pytest.param(deployment(), lambda m: main_of(m).update(env=[]), True, id="element gone"),
        pytest.param(
            deployment(),
            lambda m: main_of(m)["env"][0].pop("value"),
            True,
            id="field of element gone",
        ),
        pytest.param(
            config(kind="Namespace", data=None),
            lambda m: m["metadata"]["labels"].update({"pod-security.kubernetes.io/enforce": "x"}),
            True,
            id="labels of a namespace",
        ),
        pytest.param(
            config(kind="ServiceAccount", data=None),
            lambda m: m["metadata"]["labels"].update(b="1"),
            False,
            id="label of what has nothing else",
        ),
    ],
)
def test_changes(before: Manifest, change: Change, doubt: bool) -> None:
    assert in_doubt(step(other(before, change), before)) is doubt


@pytest.mark.parametrize(
    ("theirs", "subresource", "doubt"),
    [
        pytest.param({"f:data": {"f:a": {}}}, "", True, id="the very field"),
        pytest.param({"f:data": {}}, "", True, id="all of them at once"),
        pytest.param({"f:data": {"f:b": {}}}, "", False, id="a field beside it"),
        pytest.param({"f:metadata": {"f:labels": {"f:app": {}}}}, "", False, id="same value"),
        pytest.param({"f:data": {"f:a": {}}}, "status", False, id="the status"),
    ],
)
def test_fields_of_another_manager(theirs: Any, subresource: str, doubt: bool) -> None:
    found = step(config(data={"a": "2"}), config())
    assert found.live is not None
    entry = {"manager": "team-b", "operation": "Update", "fieldsV1": theirs}
    if subresource:
        entry["subresource"] = subresource
    found.live["metadata"]["managedFields"].append(entry)  # type: ignore[index]
    assert in_doubt(found) is doubt
    assert not in_doubt(found, force=True), "force leaves nothing to conflict with"


def test_a_server_that_tells_no_owner_is_asked() -> None:
    found = step(config(data={"a": "2"}), config())
    assert found.live is not None
    del found.live["metadata"]["managedFields"]  # type: ignore[union-attr]
    assert in_doubt(found)


def test_one_of_each_kind_namespace_and_verb_is_tried() -> None:
    manifests = []
    for number in range(6):
        made = config()
        made["metadata"]["name"] = f"o{number}"
        made["metadata"]["namespace"] = "other" if number > 3 else "shop"
        manifests.append(made)
    items = objects.read(manifests, "shop", PARENT.id, built_in)
    there = items[5]
    live = copy.deepcopy(there.manifest)
    live["data"] = {"a": "0"}
    live["metadata"]["managedFields"] = [managed(live)]
    plan = make_plan(items, {there.key: live}, PARENT)
    names = [(s.verb, s.item.key.namespace, s.item.key.name) for s in to_try(plan)]
    assert sorted(names) == [
        ("change", "shop", "o3"),
        ("create", "other", "o4"),
        ("create", "shop", "o0"),
    ]
    assert len(to_try(plan, everything=True)) == 6


def test_those_in_doubt_are_tried_beside_the_first() -> None:
    manifests = [config(), secret(), secret(type="x/y")]
    for number, made in enumerate(manifests):
        made["metadata"]["name"] = f"o{number}"
    plan = make_plan(objects.read(manifests, "shop", PARENT.id, built_in), {}, PARENT)
    assert [s.item.key.name for s in to_try(plan)] == ["o0", "o1", "o2"]


def _tried(*manifests: Manifest) -> list[str]:
    items = objects.read([plain(m) for m in manifests], "shop", PARENT.id, built_in)
    return [s.item.key.name for s in to_try(make_plan(items, {}, PARENT))]


def called(name: str, manifest: Manifest, **spec: Any) -> Manifest:
    metadata = {**manifest["metadata"], "name": name}
    return {**manifest, "metadata": metadata, "spec": {**manifest["spec"], **spec}}


def test_new_objects_that_are_alike_are_tried_once() -> None:
    first = called("a", service())
    assert _tried(first, called("b", service()), called("c", service())) == ["a"]
    assert _tried(first, called("b", service(), sessionAffinity="ClientIP")) == ["a", "b"]
    other = called("b", service())
    other["metadata"]["labels"] = {"app": "y"}
    assert _tried(first, other) == ["a", "b"], "rules of admission look at labels"


@pytest.mark.parametrize("name", ["1b", "b.c", "b" * 53])
def test_a_name_that_not_every_kind_takes_is_tried(name: str) -> None:
    assert _tried(called("0a", service()), called(name, service())) == ["0a", name]
    assert _tried(called("a", service()), called("b" * 52, service())) == ["a"]


def test_changes_that_are_alike_are_each_tried() -> None:
    """What is there may differ."""
    found = []
    for name in ("a", "b"):
        before = called(name, service())
        found.append(step(called(name, service(), type="X"), before))
    assert to_try(Plan(tuple(found))) == found
