# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the description to the dumps of a host, and to where their copies go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dump_view
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Backup,
    Platform,
    Store,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_postgres import (
    Repository,
)

FAR = Repository(
    "far", "s3", "/dumps", "s3.test:8443", "bucket", "eu", "access", "secret", "ca.crt"
)
NEAR = Repository("near", "local", "/backups")
STORE = Store("db", "postgres", image="postgres:15", backup=Backup(repositories=("far",)))
PLATFORM = Platform("shop", "test", "shop.test", stores=(STORE,), repositories=(FAR, NEAR))
SECRETS = {"access": "A", "secret": "S"}
HOME = "/etc/mainstay/stores"


def test_a_host_dumps_its_own_stores_and_no_other() -> None:
    (found,) = dump_view.store_backups(PLATFORM, "app1", ["app1", "app2"])
    assert (found.store, found.repositories) == ("db", ["far"])
    assert found.directory == "/var/backups/mainstay/shop-test/db"
    assert dump_view.store_backups(PLATFORM, "app2", ["app1", "app2"]) == []


def test_repositories_of_a_host_hold_the_keys_of_its_stores_alone() -> None:
    backups = dump_view.store_backups(PLATFORM, "app1", ["app1"])
    found = dump_view.repositories_of(PLATFORM, backups, SECRETS, HOME)
    (item,) = found["db"]
    assert (item["access_key"], item["secret_key"]) == ("A", "S")
    assert (item["endpoint"], item["path"]) == ("s3.test:8443", "/dumps")
    assert item["ca_file"] == f"{HOME}/far-ca.crt"
    assert dump_view.repositories_of(PLATFORM, [], SECRETS, HOME) == {}


def test_a_key_without_a_value_is_refused_by_its_name() -> None:
    backups = dump_view.store_backups(PLATFORM, "app1", ["app1"])
    with pytest.raises(MainstayError) as caught:
        dump_view.repositories_of(PLATFORM, backups, {"access": "A", "secret": ""}, HOME)
    assert caught.value.found == "no secret secret"


def test_a_directory_is_no_place_for_copies() -> None:
    store = replace(STORE, backup=Backup(repositories=("far", "near")))
    with pytest.raises(MainstayError) as caught:
        dump_view.store_backups(replace(PLATFORM, stores=(store,)), "app1", ["app1"])
    assert caught.value.subject == "platform_stores.db.backup.repositories"
    assert caught.value.found == "near, of kind local"


def test_what_cannot_be_dumped_is_refused() -> None:
    store = replace(STORE, kind="redis", name="cache")
    with pytest.raises(MainstayError, match="cannot be dumped"):
        dump_view.store_backups(replace(PLATFORM, stores=(store,)), "app1", ["app1"])
