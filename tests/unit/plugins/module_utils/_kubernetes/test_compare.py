# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As described or not, and what is different."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import compare
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import HASH

CONTAINER = {"name": "api", "image": "api:1", "ports": [{"containerPort": 80}]}
# What the server makes of it.
DEFAULTED = {
    "name": "api",
    "image": "api:1",
    "imagePullPolicy": "IfNotPresent",
    "ports": [{"containerPort": 80, "protocol": "TCP"}],
}


@pytest.mark.parametrize(
    ("manifest", "live", "same"),
    [
        pytest.param({"a": 1}, {"a": 1, "b": 2}, True, id="defaults-are-no-difference"),
        pytest.param({"a": 1}, {"a": 2}, False, id="other-value"),
        pytest.param({"a": 1}, {}, False, id="missing"),
        pytest.param({"a": {}}, {}, True, id="empty-mapping"),
        pytest.param({"a": []}, {}, True, id="empty-list"),
        pytest.param({"a": False}, {}, True, id="false-is-left-out"),
        pytest.param({"a": True}, {}, False, id="true-is-not"),
        pytest.param({"a": 1}, {"a": True}, False, id="number-is-no-truth"),
        pytest.param({"cpu": "1000m"}, {"cpu": "1"}, True, id="quantity"),
        pytest.param({"cpu": 0.5}, {"cpu": "500m"}, True, id="quantity-number"),
        pytest.param({"memory": "1Gi"}, {"memory": "1024Mi"}, True, id="quantity-binary"),
        pytest.param({"memory": "1G"}, {"memory": "1Gi"}, False, id="quantity-decimal"),
        pytest.param({"containers": [CONTAINER]}, {"containers": [DEFAULTED]}, True, id="nested"),
        pytest.param(
            {"containers": [CONTAINER]},
            {"containers": [{"name": "injected"}, DEFAULTED]},
            True,
            id="injected-container",
        ),
        pytest.param(
            {"ports": [{"port": 80}]},
            {"ports": [{"port": 80, "protocol": "UDP"}]},
            False,
            id="other-protocol",
        ),
        pytest.param({"args": ["a", "b"]}, {"args": ["b", "a"]}, False, id="order-of-a-list"),
        pytest.param({"args": ["a"]}, {"args": ["a", "b"]}, False, id="longer-list"),
        pytest.param({"data": {"a": "1.0"}}, {"data": {"a": "x"}}, False, id="text"),
    ],
)
def test_as_described(manifest: Any, live: Any, same: bool) -> None:
    assert compare.as_described(manifest, live) is same


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("abc", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(_JSON)
def test_everything_is_as_itself(document: Any) -> None:
    assert compare.as_described(document, copy.deepcopy(document))


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), _JSON, min_size=1, max_size=4))
def test_what_is_added_is_no_difference_but_what_is_changed_is(document: dict[str, Any]) -> None:
    assert compare.as_described(document, {**document, "added by the server": 1})
    name = sorted(document)[0]
    assert not compare.as_described({**document, name: "described"}, {**document, name: "other"})


def config(**data: str) -> dict[str, Any]:
    metadata = {"name": "c", "namespace": "n", "annotations": {HASH: json.dumps(data)}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def live(manifest: dict[str, Any], manager: str = "mainstay") -> dict[str, Any]:
    found = copy.deepcopy(manifest)
    owned = {"f:data": {f"f:{k}": {} for k in manifest["data"]}}
    entry = {"manager": manager, "operation": "Apply", "fieldsV1": owned}
    found["metadata"].update({"uid": "u", "resourceVersion": "1", "managedFields": [entry]})
    return found


def test_current_needs_the_hash_and_the_values() -> None:
    manifest = config(a="1")
    assert compare.is_current(manifest, live(manifest))
    drifted = live(manifest)
    drifted["data"]["a"] = "2"
    assert not compare.is_current(manifest, drifted)
    # A value was taken out of the manifest: nothing that it says is wrong, and yet it must go.
    assert not compare.is_current(config(a="1"), live(config(a="1", b="2")))


def test_the_difference_shows_what_was_ours_and_goes() -> None:
    there = live(config(a="1", b="2"))
    there["data"]["c"] = "of somebody else"
    before, after = compare.difference(config(a="1"), there)
    assert json.loads(before)["data"] == {"a": "1", "b": "2"}
    assert json.loads(after)["data"] == {"a": "1"}
    assert "managedFields" not in before and "uid" not in before and HASH not in before


def test_secrets_are_masked_and_changes_still_show() -> None:
    old, new = (
        {**config(a="MQ==", b="Mg=="), "kind": "Secret"},
        {**config(a="MQ=="), "kind": "Secret"},
    )
    new["data"] = {"a": "MQ==", "b": "Mw=="}
    before, after = compare.difference(new, live(old))
    assert json.loads(before)["data"] == {"a": compare.HIDDEN, "b": compare.HIDDEN}
    assert json.loads(after)["data"] == {"a": compare.HIDDEN, "b": compare.HIDDEN_CHANGED}
    created, _nothing = compare.difference(None, live(old))
    assert json.loads(created)["data"] == {"a": compare.HIDDEN, "b": compare.HIDDEN}
    assert new["data"]["b"] == "Mw==", "the manifest itself is left as it is"


def test_annotations_of_others_that_repeat_secrets_are_not_shown() -> None:
    there = live({**config(a="MQ=="), "kind": "Secret"})
    last = "kubectl.kubernetes.io/last-applied-configuration"
    there["metadata"]["annotations"][last] = '{"data":{"a":"MQ=="}}'
    before, _after = compare.difference(None, there)
    assert "MQ==" not in before
