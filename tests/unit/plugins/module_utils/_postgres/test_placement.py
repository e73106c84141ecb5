# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Platform -> what a database host carries."""

from __future__ import annotations

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Store,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_postgres import (
    Database,
    Postgres,
    Role,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import placement

OWN = Postgres(
    databases=(Database("reports"), Database("audit", "auditor", ("pgcrypto",))),
    roles=(Role("auditor", "auditor_password", member_of=("pg_monitor",)),),
)
STORE = Store(
    "orders",
    "postgres",
    "host",
    "17",
    database="orders",
    username="orders",
    password="pw",
    postgres=OWN,
)
MACHINE = {"memory": 16 * 1024**3, "cores": 4}


def platform(*stores: Store) -> Platform:
    return Platform("shop", "staging", "shop.test", stores=stores)


def test_a_host_carries_the_store_that_names_it() -> None:
    named = Store("named", "postgres", "host", "15", hosts=("db3",), postgres=Postgres())
    own = Store("own", "postgres", "host", "17", hosts=("db1", "db2"), postgres=Postgres())
    managed = Store("far", "postgres", "managed", hosts=("db4",))
    described = platform(managed, named, own)
    found = {h: placement.store_of(described, h, {}) for h in ("db1", "db2", "db3", "db4")}
    assert {h: s and s.name for h, s in found.items()} == {
        "db1": "own",
        "db2": "own",
        "db3": "named",
        "db4": None,
    }


def test_without_names_the_whole_group_carries_it() -> None:
    groups = {"database": ["db1", "db2"]}
    assert placement.hosts_of(STORE, groups) == ["db1", "db2"]
    assert placement.store_of(platform(STORE), "db2", groups) == STORE
    assert placement.store_of(platform(STORE), "app1", groups) is None


def test_the_own_database_and_role_come_first() -> None:
    assert placement.databases(STORE) == [
        {"name": "orders", "owner": "orders", "extensions": ["pg_stat_statements"]},
        {"name": "reports", "owner": "orders", "extensions": []},
        {"name": "audit", "owner": "auditor", "extensions": ["pgcrypto"]},
    ]
    assert [(r["name"], r["secret"]) for r in placement.roles(STORE)] == [
        ("orders", "pw"),
        ("auditor", "auditor_password"),
    ]


def test_what_is_described_wins_over_what_is_worked_out() -> None:
    found = placement.settings(MACHINE, {"shared_buffers": "2GB"}, {})
    assert found["shared_buffers"] == "2GB"
    assert found["effective_cache_size"] == "12GB"


def test_commits_wait_for_a_replica_only_when_that_is_wished() -> None:
    wish = {"peers": ["db-2"], "synchronous": True, "slot_limit": 1024**3}
    assert placement.settings(MACHINE, {}, wish)["synchronous_standby_names"] == "ANY 1 (db_2)"
    assert placement.settings(MACHINE, {}, wish)["max_slot_wal_keep_size"] == "1GB"
    wish["synchronous"] = False
    assert placement.settings(MACHINE, {}, wish)["synchronous_standby_names"] == ""
