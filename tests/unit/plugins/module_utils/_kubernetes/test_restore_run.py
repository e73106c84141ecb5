# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores on a cluster in memory: what is refused, what is kept, what an interruption leaves."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from backup_fakes import (
    AGAIN,
    CANARY,
    PLATFORM,
    RELEASE,
    RESTORE,
    STORE,
    FakePostgres,
    MemoryBucket,
    StoresCluster,
    asked,
    deployed,
    repository,
    restoring,
)

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    backup_take,
    restore_run,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

KEPT = "shop_before_20261121t080000z_00000a"
UNDONE = "shop_undone_20261121t080000z_00000a"


class Scene:
    """A platform with a backup of three orders; since then there are nine."""

    def __init__(self) -> None:
        self.bucket, self.cluster, self.store = MemoryBucket(), deployed(), FakePostgres()
        taken = backup_take.backup(asked(), self.cluster, self.store, repository(self.bucket))
        self.label = taken.facts["backup"]["label"]
        self.store.databases["shop"] = {"public.orders": 9}
        self.store.scripts.clear()

    def restore(self, *, check: bool = False, **more: Any) -> dict[str, Any]:
        """One call of the module."""
        found = restore_run.restore(
            restoring(**more), self.cluster, self.store, repository(self.bucket), check=check
        )
        return found.as_dict()

    def undo(self, **more: Any) -> dict[str, Any]:
        """The way back."""
        return self.restore(state="undone", confirm=f"undo-{PLATFORM}", **more)

    @property
    def orders(self) -> int:
        """Rows that serve now."""
        return self.store.databases["shop"]["public.orders"]

    def journal(self) -> dict[str, Any]:
        """What the cluster holds about it."""
        found = self.cluster.objects["configmaps", "shop", f"mainstay-{PLATFORM}-restore"]
        journal: dict[str, Any] = json.loads(found["data"]["journal"])
        return journal

    def untouched(self) -> bool:
        """Nothing was changed, neither in the cluster nor in the store."""
        return not self.cluster.calls and self.store.databases == {
            "postgres": {},
            "shop": {"public.orders": 9},
        }

    def replicas(self) -> dict[str, int]:
        """How many pods are wanted now."""
        return {
            name: self.cluster.objects["deployments", "shop", name]["spec"]["replicas"]
            for name in ("api", "web")
        }


def test_the_rows_of_the_backup_serve_and_the_present_ones_are_kept() -> None:
    scene = Scene()
    result = scene.restore()
    assert scene.store.databases == {
        "postgres": {},
        "shop": {"public.orders": 3},
        KEPT: {"public.orders": 9},
    }
    restored = result["restore"]
    assert (restored["phase"], restored["backup"]) == ("restored", scene.label)
    assert restored["kept"] == {"orders": KEPT}
    assert restored["checks"] == ["orders: 3 rows of 1 tables as in the backup"]
    assert scene.journal()["phase"] == "restored"


def test_programs_rest_before_the_store_changes_and_come_back_as_described() -> None:
    scene = Scene()
    order: list[str] = []
    run = scene.store.run

    def ran(*words: Any, **more: Any) -> Any:
        order.append("store")
        return run(*words, **more)

    scene.store.run = ran  # type: ignore[method-assign]
    apply = scene.cluster.apply

    def applied(resource: Any, manifest: Any, **more: Any) -> Any:
        spec = manifest["spec"]
        order.append(f"{manifest['metadata']['name']} {spec.get('replicas', spec.get('suspend'))}")
        return apply(resource, manifest, **more)

    scene.cluster.apply = applied  # type: ignore[method-assign]
    scene.restore()
    begun = order.index("api 0")
    words = [w for w in order[begun:] if w != "store"]
    assert words == [
        "api 0", "web 0", "orders-dump True", "api 3", "web 2", "orders-dump None"
    ]  # fmt: skip
    assert "store" in order[order.index("orders-dump True") : order.index("api 3")]
    assert "store" not in order[order.index("api 3") :]
    assert scene.replicas() == {"api": 3, "web": 2}


def test_what_an_autoscaler_scales_gets_its_number_back_without_being_owned() -> None:
    scene = Scene()
    record = [k for k in scene.cluster.objects if k[0] == "secrets" and RELEASE.lower() in k[2]]
    assert record
    original = restore_run.writers.by_key

    def without(manifests: Any) -> Any:
        found = original(manifests)
        for key, body in found.items():
            if key.name == "api":
                del body["spec"]["replicas"]
        return found

    restore_run.writers.by_key = without  # type: ignore[assignment]
    try:
        scene.restore()
    finally:
        restore_run.writers.by_key = original  # type: ignore[assignment]
    assert [pair for pair in scene.cluster.scaled if pair[0] == "api"] == [("api", 0), ("api", 3)]
    assert not [c for c in scene.cluster.calls if c == "apply Deployment api"]


def test_check_mode_gives_the_plan_and_touches_nothing() -> None:
    scene = Scene()
    scene.cluster.calls.clear()
    result = scene.restore(check=True, confirm=None)
    assert scene.untouched()
    assert result["actions"] == [
        "let Deployment api rest",
        "let Deployment web rest",
        "let CronJob orders-dump rest",
        f"restore the database shop of orders; the present one is kept as {KEPT}",
        "compare the rows of 1 tables",
        "let Deployment api work again",
        "let Deployment web work again",
        "let CronJob orders-dump work again",
    ]
    assert result["restore"]["confirmation"] == f"restore-{PLATFORM}"


def _spoil(ending: str, change: Any) -> Any:
    def spoil(scene: Scene) -> None:
        name = scene.bucket.one(ending)
        data = change(scene.bucket.objects[name])
        if data is None:
            del scene.bucket.objects[name]
        else:
            scene.bucket.objects[name] = data

    return spoil


def _refusing(word: str, ending: str) -> Any:
    def spoil(scene: Scene) -> None:
        def fail(verb: str, name: str) -> Any:
            hit = verb in ("read", "stream") and name.endswith(ending)
            return MainstayError(word, subject=f"s3://b/{name}") if hit else None

        scene.bucket.fail = fail

    return spoil


def _set(field: str, value: Any) -> Any:
    return lambda scene: setattr(scene.store, field, value)


def _deny(verb: str, resource: str) -> Any:
    return lambda scene: scene.cluster.denied.add((verb, resource))


def _fence(scene: Scene) -> None:
    data = scene.cluster.objects["configmaps", "shop", f"mainstay-{PLATFORM}"]["data"]
    data["fence"] = "9"


def _unowned(scene: Scene) -> None:
    data = scene.cluster.objects["configmaps", "shop", f"mainstay-{PLATFORM}"]["data"]
    data["members"] = "[]"


@pytest.mark.parametrize(
    ("spoil", "more", "says"),
    [
        pytest.param(_spoil("s.dump", lambda d: d[:-9]), {}, "orders.dump", id="truncated"),
        pytest.param(
            _spoil("s.dump", lambda d: d[:30] + b"\0" + d[31:]), {}, "orders.dump", id="bit"
        ),
        pytest.param(_spoil("s.dump", lambda d: None), {}, "missing: orders.dump", id="missing"),
        pytest.param(_spoil("roles.sql", lambda d: d + b"x"), {}, "orders.roles.sql", id="roles"),
        pytest.param(_spoil("manifest.json", lambda d: d[:50]), {}, "manifest", id="manifest"),
        pytest.param(_spoil("manifest.json", lambda d: None), {}, "no manifest", id="none"),
        pytest.param(_refusing("403", "orders.dump"), {}, "orders.dump: 403", id="403"),
        pytest.param(_refusing("500", "manifest.json"), {}, "manifest.json: 500", id="500"),
        pytest.param(_refusing("slow", "roles.sql"), {}, "roles.sql: slow", id="time-out"),
        pytest.param(
            lambda s: setattr(s, "key", 1), {"wrong": 1}, "is not that of the backup", id="key"
        ),
        pytest.param(_set("server", "14.9"), {}, "older than the dump", id="older server"),
        pytest.param(_set("replica", True), {}, "is a replica", id="replica"),
        pytest.param(_set("free", 10), {}, "not enough room", id="no room"),
        pytest.param(_deny("patch", "deployments"), {}, "patch deployments.apps", id="right"),
        pytest.param(_deny("create", "pods/exec"), {}, "create pods/exec", id="exec"),
        pytest.param(_fence, {}, "does not hold the lock", id="lost lock"),
        pytest.param(_unowned, {}, "belongs to somebody else", id="foreign store"),
        pytest.param(lambda s: None, {"confirm": None}, "was not typed", id="not confirmed"),
        pytest.param(
            lambda s: None, {"confirm": "restore-shop-staging"}, "restore-shop-prod", id="other"
        ),
        pytest.param(
            lambda s: None, {"backup": "20200101T000000Z-000000"}, "no such backup", id="label"
        ),
        pytest.param(
            lambda s: None,
            {"stores": [{**STORE, "name": "users"}]},
            "has nothing of this store",
            id="store",
        ),
        pytest.param(
            lambda s: None,
            {"stores": [{**STORE, "container": "nope"}]},
            "no such container",
            id="container",
        ),
    ],
)
def test_what_cannot_be_restored_is_refused_before_any_change(
    spoil: Any, more: dict[str, Any], says: str
) -> None:
    scene = Scene()
    spoil(scene)
    scene.cluster.calls.clear()
    key = "another key altogether" if more.pop("wrong", 0) else None
    chosen = {"backup": scene.label, **more}
    used = repository(scene.bucket, key) if key else repository(scene.bucket)
    with pytest.raises(MainstayError) as caught:
        restore_run.restore(restoring(**chosen), scene.cluster, scene.store, used)
    assert says in str(caught.value)
    assert scene.untouched()


def test_another_platform_is_refused() -> None:
    scene = Scene()
    moved = {n.replace(PLATFORM, "other-production"): d for n, d in scene.bucket.objects.items()}
    scene.bucket.objects.update(moved)
    scene.bucket.modified.update(dict.fromkeys(moved, scene.bucket.now))
    other = repository(scene.bucket)
    other.platform = "other-production"
    with pytest.raises(MainstayError, match="is one of another platform"):
        other.manifest(scene.label)


@pytest.mark.parametrize("point", ["pg_restore", "create database", "rename to"])
def test_a_store_that_fails_half_way_keeps_its_data_and_programs_come_back(point: str) -> None:
    scene = Scene()
    scene.store.break_at = point
    with pytest.raises(MainstayError):
        scene.restore()
    assert scene.orders == 9
    assert scene.replicas() == {"api": 3, "web": 2}
    assert scene.journal()["phase"] == "working"
    scene.store.break_at = ""
    again = scene.restore(restore_id=AGAIN)
    assert f"take up after the interrupted restore {RESTORE}" in again["actions"]
    assert scene.orders == 3
    # What the first try had loaded is gone; what served before is kept.
    assert set(scene.store.databases) == {
        "postgres", "shop", "shop_before_20261121t080000z_00000b"
    }  # fmt: skip


def test_rows_that_were_lost_on_the_way_never_serve() -> None:
    scene = Scene()
    scene.store.lose_rows = True
    with pytest.raises(MainstayError, match="not what was dumped") as caught:
        scene.restore()
    assert caught.value.evidence == ("public.orders: 2 rows, 3 in the backup",)
    assert scene.orders == 9


def test_a_check_of_the_users_own_that_does_not_hold_brings_the_data_back() -> None:
    scene = Scene()
    sql = "select count(*) > 9 from orders"
    scene.restore(checks=[{"store": "orders", "sql": "select count(*) > 1 from orders"}])
    scene = Scene()
    scene.store.server = "15.4"
    with pytest.raises(MainstayError, match="a check of yours does not hold"):
        scene.restore(checks=[{"store": "orders", "sql": sql.replace("> 9", "= 9")}])
    assert scene.orders == 9
    assert scene.store.databases[UNDONE] == {"public.orders": 3}


def test_undo_swaps_back_and_keeps_what_was_restored() -> None:
    scene = Scene()
    scene.restore()
    scene.store.databases["shop"]["public.orders"] = 4
    result = scene.undo()
    assert scene.orders == 9
    assert scene.store.databases[UNDONE] == {"public.orders": 4}
    assert result["restore"]["phase"] == "undone"
    assert scene.replicas() == {"api": 3, "web": 2}
    with pytest.raises(MainstayError, match="no restore to undo"):
        scene.undo()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param({"confirm": f"restore-{PLATFORM}"}, "was not typed", id="other verb"),
        pytest.param({"stores": []}, "was restored and is not named", id="store left out"),
    ],
)
def test_undo_asks_for_its_own_word_and_for_all_stores(more: dict[str, Any], says: str) -> None:
    scene = Scene()
    scene.restore()
    with pytest.raises(MainstayError, match=r"[\s\S]*") as caught:
        scene.restore(state="undone", **{"confirm": f"undo-{PLATFORM}", **more})
    assert says in str(caught.value)
    assert scene.orders == 3


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize("point", ["journal", "rest", "filled", "swapped", "back"])
@pytest.mark.parametrize("way", ["again", "undo"])
def test_a_kill_anywhere_leaves_enough_to_go_on_or_back(
    point: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()

    def kill(_self: Any, at: str) -> None:
        if at == point:
            raise Killed

    # A process that is killed runs none of its own ends.
    monkeypatch.setattr(restore_run.Writers, "back", _dead(point, restore_run.Writers.back))
    with monkeypatch.context() as patch:
        patch.setattr(restore_run.Restore, "kill", kill)
        with pytest.raises(Killed):
            scene.restore()
    monkeypatch.undo()
    if way == "undo":
        scene.undo(restore_id=AGAIN)
        assert scene.orders == 9
    else:
        scene.restore(restore_id=AGAIN)
        assert scene.orders == 3
        kept = {n: r for n, r in scene.store.databases.items() if "_before_" in n}
        assert {"public.orders": 9} in [*kept.values(), *scene.store.databases.values()]
    assert scene.replicas() == {"api": 3, "web": 2}
    assert not any("_restore_" in name for name in scene.store.databases if way == "again")


def _dead(point: str, real: Any) -> Any:
    def back(self: Any, *rest: Any) -> None:
        if point == "back":
            real(self, *rest)

    return back


def test_roles_that_are_there_keep_their_passwords_and_new_ones_come_unseen() -> None:
    scene = Scene()
    result = scene.restore()
    assert "CREATE ROLE shop" not in scene.store.made_roles
    assert "CREATE ROLE extra" in scene.store.made_roles
    assert not any(CANARY in script for script in scene.store.scripts)
    assert CANARY not in json.dumps(result)
    assert CANARY not in json.dumps(scene.journal())


def test_objects_come_back_into_an_empty_cluster_before_the_programs() -> None:
    scene = Scene()
    scene.cluster = StoresCluster()
    order: list[str] = []
    apply = scene.cluster.apply

    def applied(resource: Any, manifest: Any, **more: Any) -> Any:
        if not more.get("dry_run"):
            order.append(manifest["metadata"]["name"])
        done = apply(resource, manifest, **more)
        if resource.kind == "StatefulSet" and not more.get("dry_run"):
            place = "statefulsets", "shop", "orders"
            scene.cluster.objects[place]["status"] = {
                "observedGeneration": done["metadata"]["generation"],
                "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1,
                "currentRevision": "a", "updateRevision": "a",
            }  # fmt: skip
            pod = deployed().objects["pods", "shop", "orders-0"]
            scene.cluster.objects["pods", "shop", "orders-0"] = pod
            return scene.cluster.objects[place]
        return done

    scene.cluster.apply = applied  # type: ignore[method-assign]
    result = scene.restore(objects=True)
    assert scene.orders == 3
    assert order.index("orders") < order.index("api")
    assert scene.cluster.plain("files", "password") == CANARY
    assert result["restore"]["phase"] == "restored"
    parent = scene.cluster.objects["configmaps", "shop", f"mainstay-{PLATFORM}"]["data"]
    assert (parent["current"], parent["phase"]) == (RESTORE, "deployed")


def test_objects_without_values_need_the_secret_there() -> None:
    scene = Scene()
    bucket = MemoryBucket()
    params = asked(encryption_key=None, secrets="references", stores=[])
    backup_take.backup(params, scene.cluster, scene.store, repository(bucket, ""))
    empty = StoresCluster()
    with pytest.raises(MainstayError, match="values of a Secret are not in the backup"):
        restore_run.restore(
            restoring(objects=True, stores=[]), empty, scene.store, repository(bucket, "")
        )
    assert not empty.objects


def test_nothing_to_restore_is_said() -> None:
    scene = Scene()
    with pytest.raises(MainstayError, match="nothing to restore"):
        scene.restore(stores=[])
