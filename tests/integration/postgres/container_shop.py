# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shop on a real PostgreSQL as one in a container, and the directory of its dumps."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

from cluster import USER, Cluster
from local_store import PLATFORM, LocalStore, arguments

from ansible_collections.mainstay.platform.plugins.module_utils._docker import (
    dump_restoring,
    dumping,
)

RESTORE = f"restore-{PLATFORM}"
DATABASES = "select datname from pg_database where not datistemplate order by 1"


class Shop:
    """A server with one database of two tables, and the directory of its dumps."""

    def __init__(self, home: pathlib.Path) -> None:
        self.cluster = Cluster("native", "")
        self.home = home
        # This one archives nothing.
        with (self.cluster.data / "postgresql.conf").open("a") as handle:
            handle.write("archive_mode = off\n")
        self.cluster.start()
        self.cluster.sql("create role keeper login password 'not-a-secret'")
        self.cluster.sql("create database shop owner keeper")
        self.cluster.sql("alter database shop set search_path to '$user', public, goods")
        self.sql("create table orders (id int primary key); insert into orders values (1), (2)")
        self.sql("create schema goods; create table goods.kinds as select 1 as id")

    def sql(self, text: str, database: str = "shop") -> str:
        """The answer of one of its databases."""
        return self.cluster.sql(text, database)

    def backup(self, **more: Any) -> dict[str, Any]:
        """docker_store_backup."""
        given = arguments(self.home, USER, **more)
        return dumping.backup(given, LocalStore(self.cluster), check=False).as_dict()

    def restore(self, kill_at: str = "", check: bool = False, **more: Any) -> dict[str, Any]:
        """docker_store_restore."""
        given = {"state": "restored", "confirm": RESTORE, **more}
        given = arguments(self.home, USER, **given)
        client = LocalStore(self.cluster, kill_at)
        return dump_restoring.restore(given, client, check=check).as_dict()

    def info(self, **more: Any) -> dict[str, Any]:
        """docker_store_backup_info."""
        given = arguments(self.home, USER, **more)
        return dumping.info(given, LocalStore(self.cluster)).as_dict()

    def databases(self) -> list[str]:
        """Names of all databases."""
        return self.cluster.sql(DATABASES).splitlines()

    def dump(self, label: str) -> pathlib.Path:
        """The directory of a dump."""
        return self.home / "dumps" / label

    def emptied(self, home: pathlib.Path) -> Iterator[Shop]:
        """With the two orders, no dump in C(home), and nothing put aside; so again afterwards."""
        self.home = home
        yield self
        for name in self.databases():
            if name not in ("postgres", "shop"):
                self.cluster.sql(f'drop database "{name}"')
        self.sql("delete from orders where id > 2")
