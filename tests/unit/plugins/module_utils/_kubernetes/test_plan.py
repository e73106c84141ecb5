# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans over made-up clusters."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    kinds,
    objects,
    ownership,
    plan,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    Member,
    Parent,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

EMPTY = Parent("shop-test", "shop")
KINDS = ["ConfigMap", "Secret", "Service", "PersistentVolumeClaim"]


def items(*names: str, kind: str = "ConfigMap", **more: Any) -> list[objects.Item]:
    manifests = [
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more} for name in names
    ]
    return objects.read(manifests, "shop", EMPTY.id, kinds.built_in)


def there(found: list[objects.Item], **labels: str) -> dict[objects.Key, dict[str, Any]]:
    live = {}
    for item in found:
        manifest = copy.deepcopy(item.manifest)
        manifest["metadata"]["uid"] = f"uid-of-{item.key.name}"
        manifest["metadata"]["labels"].update(labels)
        live[item.key] = manifest
    return live


def owning(found: list[objects.Item]) -> Parent:
    return ownership.extended(EMPTY, [Member(i.key, i.resource) for i in found])


def test_create_change_keep() -> None:
    wanted = items("a", "b", "c")
    live = there(wanted[1:])
    live[wanted[2].key]["metadata"]["annotations"][objects.HASH] = "another"
    found = plan.make_plan(wanted, live, EMPTY)
    assert [s.verb for s in found.steps] == [plan.CREATE, plan.KEEP, plan.CHANGE]
    assert found.actions == ["create ConfigMap shop/a", "change ConfigMap shop/c"]


def test_what_is_no_longer_described_goes_unless_it_holds_data() -> None:
    old = items("a") + items("data", kind="PersistentVolumeClaim") + items("s", kind="Service")
    found = plan.make_plan([], there(old), owning(old))
    # Routes to something go before what it is configured by.
    assert found.actions == ["remove Service shop/s", "remove ConfigMap shop/a"]
    assert [str(m.key) for m in found.left] == ["PersistentVolumeClaim shop/data"]
    assert {r.uid for r in found.removals} == {"uid-of-a", "uid-of-s"}
    asked = plan.make_plan([], there(old), owning(old), prune_kinds=["PersistentVolumeClaim"])
    assert "remove PersistentVolumeClaim shop/data" in asked.actions
    assert plan.make_plan([], there(old), owning(old), prune=False).actions == []


def test_what_lost_the_label_is_not_ours_to_remove() -> None:
    old = items("a")
    live = there(old)
    del live[old[0].key]["metadata"]["labels"][objects.PART_OF]
    found = plan.make_plan([], live, owning(old))
    assert (found.actions, [m.key for m in found.gone]) == ([], [old[0].key])


@pytest.mark.parametrize("adopt", [False, True])
def test_objects_of_another_platform_are_always_refused(adopt: bool) -> None:
    wanted = items("a", "b")
    live = there(wanted, **{objects.PART_OF: "applyset-of-others-v1"})
    with pytest.raises(MainstayError, match="somebody else") as raised:
        plan.make_plan(wanted, live, EMPTY, adopt=adopt)
    assert len(raised.value.evidence) == 2


def test_objects_of_nobody_are_taken_over_when_asked() -> None:
    wanted = items("a")
    live = there(wanted)
    del live[wanted[0].key]["metadata"]["labels"][objects.PART_OF]
    with pytest.raises(MainstayError, match="belongs to no platform"):
        plan.make_plan(wanted, live, EMPTY)
    assert plan.make_plan(wanted, live, EMPTY, adopt=True).actions


def test_the_hash_is_of_what_would_be_done() -> None:
    wanted = items("a", "b")
    one = plan.make_plan(wanted, there(wanted[:1]), EMPTY)
    assert one.hash == plan.make_plan(wanted, there(wanted[:1]), EMPTY).hash
    assert one.hash != plan.make_plan(wanted, {}, EMPTY).hash
    other = items("a", "b", data={"x": "y"})
    assert one.hash != plan.make_plan(other, there(wanted[:1]), EMPTY).hash
    busy = there(wanted[:1])
    busy[wanted[0].key]["metadata"]["resourceVersion"] = "99"
    busy[wanted[0].key]["status"] = {"replicas": 3}
    assert one.hash == plan.make_plan(wanted, busy, EMPTY).hash, "controllers write all the time"


_NAMES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from("abcdef")), unique=True, max_size=12
)


@given(_NAMES, _NAMES, _NAMES)
def test_a_plan_ends_at_what_is_described(
    described: list[tuple[str, str]], had: list[tuple[str, str]], foreign: list[tuple[str, str]]
) -> None:
    """Doing a plan leads to exactly the described objects and what may never be removed, touches
    nothing that is not a member, and doing it again does nothing."""

    def made(names: list[tuple[str, str]]) -> list[objects.Item]:
        return [i for kind, name in names for i in items(name, kind=kind)]

    wanted, members = made(described), made(had)
    known = {i.key for i in wanted + members}
    strangers = {k: v for k, v in there(made(foreign)).items() if k not in known}
    parent = owning(members)
    live = {**strangers, **there(members)}
    first = plan.make_plan(wanted, live, parent)
    for step in first.steps:
        if step.verb != plan.KEEP:
            live.update(there([step.item]))
    for removal in first.removals:
        del live[removal.member.key]
    kept = {i.key for i in members if i.key.kind == "PersistentVolumeClaim"}
    assert set(live) == {i.key for i in wanted} | kept | set(strangers)
    left = [*first.left, *(Member(i.key, i.resource) for i in wanted)]
    again = plan.make_plan(wanted, live, ownership.extended(EMPTY, left))
    assert (again.actions, again.gone) == ([], ())


def test_the_parent_reads_as_it_was_written() -> None:
    parent = owning(items("a") + items("s", kind="Service"))
    document = ownership.write_parent(parent)
    assert document["metadata"]["labels"][ownership.SET_ID] == EMPTY.id
    kinds_in = document["metadata"]["annotations"]["applyset.kubernetes.io/contains-group-kinds"]
    assert kinds_in == "ConfigMap,Service"
    assert ownership.read_parent("shop-test", "shop", document) == parent


def test_the_id_is_that_of_the_specification() -> None:
    # What kubectl 1.34 writes for --applyset=configmaps/mainstay-shop-test in the namespace shop.
    known = "applyset-8RH4-McCDIosyNL46V5xB2mSA-YisIz1mRZ25KciCj4-v1"
    assert ownership.set_id("shop-test", "shop") == known
    assert len(ownership.set_id("a" * 60, "b" * 63)) <= 63


def test_a_record_of_that_name_that_is_not_ours_is_refused() -> None:
    other = ownership.write_parent(EMPTY)
    other["metadata"]["labels"] = {}
    with pytest.raises(MainstayError, match="is taken"):
        ownership.read_parent("shop-test", "shop", other)
