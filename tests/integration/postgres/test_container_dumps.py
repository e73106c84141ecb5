# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps of a store as they are taken of one in a container, on a real PostgreSQL."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from cluster import USER, flip
from container_shop import RESTORE, Shop
from local_store import PLATFORM, KilledError, LocalStore, arguments

from ansible_collections.mainstay.platform.plugins.module_utils._docker import (
    dump_place,
    dump_restoring,
    dumping,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One server for all tests of this module."""
    made = Shop(tmp_path_factory.mktemp("first"))
    yield made
    made.cluster.remove()


@pytest.fixture
def shop(server: Shop, tmp_path: pathlib.Path) -> Iterator[Shop]:
    """The same server with the two orders, no dump, and nothing put aside."""
    yield from server.emptied(tmp_path)


def test_a_dump_is_whole_private_and_was_tried(shop: Shop) -> None:
    taken = shop.backup(prove_restore=True)
    found = taken["backup"]
    assert found["databases"]["shop"]["tables"] == 2
    assert found["verified"]
    assert any(a.startswith("restore shop of") and "2 tables" in a for a in taken["actions"])
    assert shop.databases() == ["postgres", "shop"]
    home = shop.dump(found["label"])
    assert home.stat().st_mode & 0o077 == 0
    assert "keeper" in (home / "globals.sql").read_text()


def test_two_dumps_of_one_second_have_two_labels(shop: Shop) -> None:
    labels = {shop.backup(databases=["shop"])["backup"]["label"] for _number in range(3)}
    assert len(labels) == 3


def test_a_restore_brings_the_data_back_and_keeps_what_was_there(shop: Shop) -> None:
    shop.backup()
    shop.sql("insert into orders values (3)")
    plan = shop.restore(check=True, confirm="")["restore"]
    assert shop.databases() == ["postgres", "shop"]
    assert plan["confirmation"] == RESTORE
    done = shop.restore()["restore"]
    old = done["old_database"]
    assert shop.sql("select count(*) from orders") == "2"
    assert shop.sql("select count(*) from orders", old) == "3"
    assert "everything written after" in done["lost"]["text"]
    # Settings and the owner of the database itself come along.
    assert shop.sql("show search_path") == '"$user", public, goods'
    owner = "select pg_get_userbyid(datdba) from pg_database where datname = 'shop'"
    assert shop.sql(owner) == "keeper"
    back = shop.restore(state="undone", confirm=f"undo-{PLATFORM}")["restore"]
    assert shop.sql("select count(*) from orders") == "3"
    assert shop.sql("select count(*) from orders", back["old_database"]) == "2"
    shop.restore(state="settled", confirm=f"settle-{PLATFORM}")
    assert shop.databases() == ["postgres", "shop"]


def test_a_session_in_between_is_ended_and_cannot_stop_the_exchange(shop: Shop) -> None:
    shop.backup()
    command = ["psql", "-h", str(shop.cluster.base), "-p", str(shop.cluster.port)]
    command += ["-U", USER, "-d", "shop", "-c", "select pg_sleep(300)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as session:
        waiting = "select count(*) from pg_stat_activity where query like '%pg_sleep(300)%'"
        while shop.cluster.sql(f"{waiting} and pid <> pg_backend_pid()") == "0":
            pass
        try:
            shop.restore()
            assert session.wait(30) != 0
        finally:
            session.kill()
    assert shop.sql("select count(*) from orders") == "2"


@pytest.mark.parametrize("damage", ["bit", "missing", "empty", "bit in the roles"])
def test_a_damaged_dump_is_told_and_never_restored(shop: Shop, damage: str) -> None:
    label = shop.backup()["backup"]["label"]
    file = shop.dump(label) / ("globals.sql" if "roles" in damage else "shop.dump")
    if damage == "missing":
        file.unlink()
    elif damage == "empty":
        file.write_bytes(b"")
    else:
        flip(file)
    with pytest.raises(MainstayError, match=file.name):
        shop.backup(state="verified")
    with pytest.raises(MainstayError, match=r"damaged|verified dump; there is none"):
        shop.restore(label=label)
    with pytest.raises(MainstayError, match="no such dump"):
        shop.restore()
    assert shop.databases() == ["postgres", "shop"]


@pytest.mark.parametrize(
    "kill_at",
    [
        *("create database", "--exit-on-error", "--schema-only", "allow_connections false"),
        *("pg_terminate_backend", "begin;", "allow_connections true"),
    ],
)
def test_a_restore_that_was_killed_is_put_right_by_the_next_run(shop: Shop, kill_at: str) -> None:
    shop.backup()
    shop.sql("insert into orders values (3)")
    with pytest.raises(KilledError):
        shop.restore(kill_at=kill_at)
    exchanged = kill_at == "allow_connections true"
    healed = shop.backup()["actions"]
    # What has the name lets people in again, and nothing half restored is left.
    assert shop.sql("select count(*) from orders") == ("2" if exchanged else "3"), healed
    assert not [name for name in shop.databases() if "__new_" in name]
    if exchanged:
        shop.restore(state="undone", confirm=f"undo-{PLATFORM}")
        assert shop.sql("select count(*) from orders") == "3"


def test_what_restores_put_aside_is_not_dumped_whatever_its_name(shop: Shop) -> None:
    name = "quality_platform_of_the_whole_house"
    shop.cluster.sql(f"create database {name}")
    before = shop.backup()["backup"]["databases"]
    shop.restore(database=name)
    assert len(shop.databases()) == len(before) + 1
    assert list(shop.backup()["backup"]["databases"]) == list(before)
    shop.restore(state="undone", confirm=f"undo-{PLATFORM}")
    assert list(shop.backup(prove_restore=True)["backup"]["databases"]) == list(before)


def test_an_undo_that_was_killed_leaves_nothing_to_dump(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "quality_platform_of_the_whole_house"
    shop.cluster.sql(f"create database {name}")
    before = shop.backup()["backup"]["databases"]
    shop.restore(database=name)

    def killed(*_given: object) -> None:
        raise KilledError

    monkeypatch.setattr(dump_restoring, "_remember", killed)
    with pytest.raises(KilledError):
        shop.restore(state="undone", confirm=f"undo-{PLATFORM}")
    monkeypatch.undo()
    assert list(shop.backup()["backup"]["databases"]) == list(before)


def test_putting_right_never_shortens_the_time_that_is_left(shop: Shop) -> None:
    given = arguments(shop.home, USER, timeout=14400.0)
    place = dump_place.open_place(given, LocalStore(shop.cluster))
    place.last_chance()
    assert place.deadline.left() > 14000
    place.deadline = dump_place.Deadline(1.0)
    place.last_chance()
    assert place.deadline.left() > 1.0


def test_a_trial_that_was_killed_leaves_nothing_for_long(shop: Shop) -> None:
    given = arguments(shop.home, USER, prove_restore=True)
    with pytest.raises(KilledError):
        dumping.backup(given, LocalStore(shop.cluster, "--exit-on-error"), check=False)
    assert [name for name in shop.databases() if "__check_" in name]
    healed = shop.backup()
    assert shop.databases() == ["postgres", "shop"]
    assert any("__check_" in action for action in healed["actions"])


@pytest.mark.parametrize("late_at", ["--exit-on-error", "pg_terminate_backend", "begin;"])
def test_a_restore_over_its_time_leaves_the_database_serving(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, late_at: str
) -> None:
    shop.backup()
    shop.sql("insert into orders values (3)")
    # The clock of the task runs out while one of its commands runs.
    over: list[float] = []
    real = dump_place.Deadline

    class Clock(real):  # type: ignore[misc, valid-type]
        def left(self, most: float = 1e9) -> float:
            if over and self.seconds == 300.0:
                self._end = 0.0
            return float(super().left(most))

    class Late(LocalStore):
        def run(self, container: str, argv: Any, limit: float, **given: Any) -> Any:
            words = " ".join(argv) + given.get("data", b"").decode()
            if late_at in words and not over:
                over.append(1.0)
                raise MainstayError("a command in the container did not end within 1 s")
            return super().run(container, argv, limit, **given)

    monkeypatch.setattr(dump_place, "Deadline", Clock)
    given = arguments(shop.home, USER, state="restored", confirm=RESTORE)
    with pytest.raises(MainstayError, match="did not end within"):
        dump_restoring.restore(given, Late(shop.cluster), check=False)
    assert shop.sql("select count(*) from orders") == "3"
    if late_at == "--exit-on-error":
        assert shop.databases() == ["postgres", "shop"]


# What a user of a database may write, and what must not be run with all rights by a restore.
BODY = """create function public.trap() returns text language sql as $$ select '
ALTER DATABASE shop WITH CONNECTION LIMIT 3;
' $$"""
SETTING = "alter role keeper set my.note to E'x\nCREATE ROLE burglar SUPERUSER;\n'"


def test_what_users_wrote_into_a_dump_is_never_run_as_a_statement(shop: Shop) -> None:
    shop.sql(BODY)
    shop.cluster.sql(SETTING)
    shop.cluster.sql("alter role keeper in database shop set statement_timeout = '7s'")
    try:
        shop.backup()
        shop.cluster.sql("drop database shop")
        shop.cluster.sql("drop role keeper")
        shop.restore()
        limit = "select datconnlimit from pg_database where datname = 'shop'"
        assert shop.sql(limit) == "-1"
        assert shop.sql("select count(*) from pg_roles where rolname = 'burglar'") == "0"
        note = "select setconfig[1] from pg_db_role_setting where setrole = 'keeper'::regrole"
        assert (
            shop.sql(f"{note} and setdatabase = 0") == "my.note=x\nCREATE ROLE burglar SUPERUSER;"
        )
        assert shop.sql(f"{note} and setdatabase <> 0") == "statement_timeout=7s"
    finally:
        shop.sql("drop function if exists public.trap()")
        shop.cluster.sql("alter role keeper reset all")
        shop.cluster.sql("alter role keeper in database shop reset all")


def test_a_killed_dump_is_none_and_goes(shop: Shop) -> None:
    given = arguments(shop.home, USER)
    with pytest.raises(KilledError):
        dumping.backup(given, LocalStore(shop.cluster, "pg_dump -U"), check=False)
    home = shop.home / "dumps"
    (home / ".20260101T000000Z.partial").mkdir()
    assert shop.backup()["backup"]["verified"]
    assert not [path for path in home.iterdir() if path.name.endswith(".partial")]


def test_nothing_expires_on_the_word_of_a_damaged_dump(shop: Shop) -> None:
    labels = [shop.backup(databases=["shop"])["backup"]["label"] for _number in range(4)]
    policy = {"daily": 1, "weekly": 0, "monthly": 0, "floor": 1}
    flip(shop.dump(labels[-1]) / "shop.dump")
    with pytest.raises(MainstayError, match="damaged"):
        shop.backup(state="expired", retention=policy)
    assert all(shop.dump(label).exists() for label in labels)
    # The damaged one is known now: the one before it is the last good one.
    gone = shop.backup(state="expired", retention=policy)["retention"]["expired"]
    assert gone == labels[:2]
    assert shop.dump(labels[2]).exists()


def test_a_lost_server_gets_its_role_and_its_database_back(shop: Shop) -> None:
    shop.backup()
    shop.cluster.sql("drop database shop")
    shop.cluster.sql("drop role keeper")
    done = shop.restore()
    assert "make the role keeper, which the server does not have" in done["actions"]
    assert done["restore"]["old_database"] == ""
    assert shop.sql("select count(*) from orders") == "2"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"confirm": ""}, RESTORE),
        ({"confirm": "restore-shop-production"}, RESTORE),
        ({"label": "20200101T000000Z"}, "no such dump"),
        ({"database": "orders"}, "has no database orders"),
        ({"state": "undone", "confirm": f"undo-{PLATFORM}"}, "no restore to go back from"),
        ({"state": "settled", "confirm": f"settle-{PLATFORM}"}, "no restore to go back from"),
        ({"store": "cache"}, "does not run in Docker"),
    ],
    ids=["no words", "other words", "label", "database", "undo", "settle", "store"],
)
def test_what_is_not_right_is_refused_before_anything_changes(
    shop: Shop, given: dict[str, Any], told: str
) -> None:
    shop.backup()
    with pytest.raises(MainstayError) as caught:
        shop.restore(**given)
    assert told in str(caught.value)
    assert shop.databases() == ["postgres", "shop"]


def test_dumps_of_another_store_are_never_touched(shop: Shop) -> None:
    label = shop.backup()["backup"]["label"]
    document = shop.dump(label) / "dump.json"
    known = json.loads(document.read_text())
    document.write_text(json.dumps({**known, "store": "customers"}))
    for call in (shop.backup, shop.restore, lambda: shop.backup(state="expired")):
        with pytest.raises(MainstayError, match="another store"):
            call()
