# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where services reach PostgreSQL on hosts."""

from __future__ import annotations

from typing import Optional

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._docker import view
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Store,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_postgres import (
    Pooler,
    Postgres,
)

ADDRESSES = {"db0": "10.0.0.30", "db1": "10.0.0.31"}
GROUP = ["db0", "db1", "db2"]


def platform(hosts: tuple[str, ...], pooler: Optional[Pooler]) -> Platform:
    own = Postgres(pooler=pooler)
    store = Store("orders", "postgres", "host", "17", port=5432, hosts=hosts, postgres=own)
    return Platform("shop", "staging", "shop.test", stores=(store,))


@pytest.mark.parametrize(
    ("hosts", "pooler", "host", "port"),
    [
        (("db1", "db2"), Pooler(), "10.0.0.31", 6432),
        (("db1", "db2"), None, "10.0.0.31", 5432),
        ((), Pooler(port=7000), "10.0.0.30", 7000),
    ],
    ids=["pooler", "server", "whole group"],
)
def test_services_reach_the_pooler_where_there_is_one(
    hosts: tuple[str, ...], pooler: Optional[Pooler], host: str, port: int
) -> None:
    found = view.store_addresses(platform(hosts, pooler), GROUP, ADDRESSES)
    assert found == {"orders": {"host": host, "port": port}}


def test_a_host_without_an_address_is_named() -> None:
    with pytest.raises(MainstayError, match="not known") as caught:
        view.store_addresses(platform(("db2",), None), GROUP, ADDRESSES)
    assert "orders on db2" in str(caught.value)
