# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of pgBackRest."""

from __future__ import annotations

import configparser

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Backup,
    Platform,
    Store,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_postgres import (
    Postgres,
    Repository,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    backrest_config,
    placement,
)

BUCKET = Repository(
    "bucket",
    "s3",
    "/shop",
    endpoint="s3.example.org:9000",
    bucket="backups",
    access_key="key",
    secret_key="secret",
    ca="/ca.crt",
    path_style=True,
)
LOCAL = Repository("local", path="/backups")
CLUSTER = {"stanza": "orders", "data_directory": "/data", "port": 5433, "jobs": 3}
SECRETS = {"key": "AKIA", "secret": "hush"}


def store(name: str = "orders", repositories: tuple[str, ...] = ("local", "bucket")) -> Store:
    policy = Backup(repositories=repositories)
    return Store(name, "postgres", "host", "17", postgres=Postgres(), backup=policy)


def platform(*stores: Store) -> Platform:
    return Platform("shop", "staging", "shop.test", stores=stores, repositories=(BUCKET, LOCAL))


def read(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser


def test_repositories_are_numbered_as_the_policy_orders_them() -> None:
    found = backrest_config.repositories(platform(store()), store())
    assert [(r["number"], r["name"]) for r in found] == [(1, "local"), (2, "bucket")]
    alone = backrest_config.repositories(platform(), store(repositories=()))
    assert [(r["number"], r["kind"], r["path"]) for r in alone] == [
        (1, "local", "/var/lib/pgbackrest")
    ]


def test_both_repositories_are_configured() -> None:
    found = backrest_config.repositories(platform(store()), store())
    parsed = read(backrest_config.render(CLUSTER, found, SECRETS))
    assert parsed["global"]["repo1-path"] == "/backups"
    assert parsed["global"]["repo2-type"] == "s3"
    assert parsed["global"]["repo2-s3-endpoint"] == "s3.example.org"
    assert parsed["global"]["repo2-storage-port"] == "9000"
    assert parsed["global"]["repo2-s3-key-secret"] == "hush"
    assert parsed["global"]["repo2-storage-verify-tls"] == "y"
    assert parsed["orders"]["pg1-port"] == "5433"


def test_pgbackrest_itself_expires_nothing() -> None:
    found = backrest_config.repositories(platform(store()), store())
    parsed = read(backrest_config.render(CLUSTER, found, SECRETS))
    assert parsed["global"]["expire-auto"] == "n"
    assert parsed["global"]["repo1-retention-full"] == backrest_config.NEVER
    assert parsed["global"]["repo2-retention-full"] == backrest_config.NEVER


def test_a_key_without_a_value_is_named_and_no_value_is_shown() -> None:
    found = backrest_config.repositories(platform(store()), store())
    with pytest.raises(MainstayError) as caught:
        backrest_config.render(CLUSTER, found, {"key": "AKIA"})
    assert "no secret secret" in str(caught.value)
    assert "AKIA" not in str(caught.value)


def test_modules_get_no_key() -> None:
    found = backrest_config.repositories(platform(store()), store())
    taken = [backrest_config.module_repository(item) for item in found]
    assert taken == [
        {"name": "local", "number": 1, "path": "/backups", "protected": False, "kept_days": 372},
        {"name": "bucket", "number": 2, "protected": True, "kept_days": 372},
    ]


def test_an_operation_is_never_about_a_store_that_was_guessed() -> None:
    two = platform(store("a"), store("b"))
    assert placement.chosen(two, "b").name == "b"
    assert placement.chosen(platform(store("a"))).name == "a"
    for wanted in ("", "c"):
        with pytest.raises(MainstayError) as caught:
            placement.chosen(two, wanted)
        assert caught.value.expected == "a, b"
