# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups and restores of objects, PostgreSQL and Redis on a real cluster and a real S3 server."""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from stores_bed import AGAIN, CANARY, KEY, Shop, read


def test_the_way_there_and_back(shop: Shop) -> None:
    """One story, because each step needs the one before."""
    taken = shop.backup()["backup"]
    assert (taken["verified"], taken["stores"]) == (True, ["orders", "cache"])
    for name in shop.bucket.names(shop.prefix):
        held = shop.bucket.get(name)
        assert not any(t.encode() in held for t in (CANARY, KEY, "create schema", "REDIS0"))

    shop.sql("delete from sales.orders where id > 10; insert into items values (51)")
    shop.redis("set", "second", "2")
    planned = shop.restore(check=True, confirm=None)
    assert (shop.orders(), shop.running()) == (10, 2)
    assert "let Deployment api rest" in planned["actions"]

    result = shop.restore()
    assert shop.orders() == 1000
    assert result["restore"]["checks"] == [
        "orders: 1050 rows of 2 tables as in the backup",
        "cache: 2 keys",
    ]
    assert (shop.redis("get", "first"), shop.redis("exists", "second")) == ("1", "0")
    assert shop.redis("config", "get", "appendonly").split() == ["appendonly", "yes"]
    assert shop.running() == 2
    assert not shop.cluster.get("cronjob", "nightly")["spec"].get("suspend")
    kept = result["restore"]["kept"]["orders"]
    assert shop.sql("select count(*) from sales.orders", kept) == "10"
    # The sequence goes on where it was.
    assert shop.sql("insert into sales.orders (note) values ('x') returning id") == "1001"

    undone = shop.restore(state="undone", restore_id=AGAIN)
    assert shop.orders() == 10
    assert shop.redis("get", "second") == "2"
    assert shop.running() == 2
    for text in (CANARY, KEY):
        assert text not in read(result) + read(undone) + read(planned)
        assert text not in shop.cluster.kubectl("get", "configmaps", "-o", "json")
    # What no release described is owned by nobody: the next release meets no conflict.
    manifest = shop.cluster.get("deployment", "api")
    assert {m["manager"] for m in manifest["metadata"].get("managedFields", [])} <= {"mainstay"}
