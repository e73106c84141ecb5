# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad arguments of backups and restores: all at once, each with its place, before anything."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from backup_fakes import KEY, FakePostgres, StoresCluster, asked, restoring

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    backup_arguments,
    backup_stores,
    backup_take,
    restore_run,
    rights,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def _bucket(**more: Any) -> dict[str, Any]:
    return {"repository": {"bucket": "backups", **more}}


def _store(**more: Any) -> dict[str, Any]:
    return {"stores": [{"name": "orders", "kind": "postgres", **more}]}


BAD: list[Any] = [
    pytest.param({"platform": ""}, "platform: found ''", id="platform empty"),
    pytest.param({"platform": "a/b"}, "platform: found 'a/b'", id="platform with a slash"),
    pytest.param({"platform": "../x"}, "platform: found '../x'", id="platform that climbs"),
    pytest.param({"platform": "a b"}, "platform: found 'a b'", id="platform with a blank"),
    pytest.param({"platform": "x" * 80}, "platform: found 'xxx", id="platform too long"),
    pytest.param({"namespace": "Shop"}, "namespace: found 'Shop'", id="namespace in capitals"),
    pytest.param({"namespace": "a.b"}, "namespace: found 'a.b'", id="namespace with a dot"),
    pytest.param({"namespace": "x" * 64}, "namespace: 64 characters", id="namespace too long"),
    pytest.param({"namespace": ""}, "namespace: found ''", id="namespace empty"),
    pytest.param({"namespace": "-a"}, "namespace: found '-a'", id="namespace with a hyphen"),
    pytest.param(_bucket(bucket=""), "repository.bucket: found ''", id="bucket empty"),
    pytest.param(_bucket(bucket="a"), "repository.bucket: found 'a'", id="bucket too short"),
    pytest.param(_bucket(bucket="A-B"), "repository.bucket", id="bucket in capitals"),
    pytest.param(_bucket(bucket="a/b"), "repository.bucket", id="bucket with a path"),
    pytest.param(_bucket(bucket="s3://a"), "repository.bucket", id="bucket as an address"),
    pytest.param(_bucket(bucket="x" * 64), "repository.bucket", id="bucket too long"),
    pytest.param(_bucket(prefix="a/../b"), "repository.prefix", id="prefix that climbs"),
    pytest.param(_bucket(prefix="a//b"), "repository.prefix", id="prefix with a hole"),
    pytest.param(_bucket(prefix="a b"), "repository.prefix", id="prefix with a blank"),
    pytest.param(_bucket(prefix="ä"), "repository.prefix", id="prefix with an umlaut"),
    pytest.param(_bucket(prefix="."), "repository.prefix", id="prefix of a dot"),
    pytest.param(_bucket(endpoint="a b"), "repository.endpoint", id="endpoint with a blank"),
    pytest.param(_bucket(endpoint="ftp://a"), "repository.endpoint", id="endpoint of FTP"),
    pytest.param(_bucket(endpoint="https://a/b"), "repository.endpoint", id="endpoint with a path"),
    pytest.param(_bucket(endpoint="https://u:p@a"), "repository.endpoint", id="user in endpoint"),
    pytest.param(_bucket(access_key="a"), "repository.secret_key: missing", id="half a key"),
    pytest.param(_bucket(secret_key="a"), "repository.access_key: missing", id="other half"),
    pytest.param({"encryption_key": "short"}, "encryption_key: 5 characters", id="key short"),
    pytest.param({"encryption_key": "a" * 40}, "encryption_key: fewer than 6", id="key of one"),
    pytest.param({"encryption_key": ""}, "encryption_key: ", id="key empty"),
    pytest.param({"encryption_key": None}, "encryption_key: missing", id="sealed without a key"),
    pytest.param({"backup": "latest"}, "backup: found 'latest'", id="label as a word"),
    pytest.param({"backup": "2026-11-21"}, "backup: found '2026-11-21'", id="label as a day"),
    pytest.param({"backup": "../../x"}, "backup: found '../../x'", id="label that climbs"),
    pytest.param({"timeout": 0}, "timeout: found 0", id="no time"),
    pytest.param({"timeout": -1}, "timeout: found -1", id="time before"),
    pytest.param({"timeout": float("nan")}, "timeout: found nan", id="no number"),
    pytest.param({"retention": {"daily": -1}}, "retention.daily is -1", id="days below zero"),
    pytest.param({"retention": {"weekly": -1}}, "retention.weekly is -1", id="weeks below zero"),
    pytest.param({"retention": {"monthly": -2}}, "retention.monthly is -2", id="months below zero"),
    pytest.param({"retention": {"yearly": -1}}, "retention.yearly is -1", id="years below zero"),
    pytest.param({"retention": {"floor": 0}}, "retention.floor is 0", id="no floor"),
    pytest.param(_store(name=""), "stores[0].name: found ''", id="store without a name"),
    pytest.param(_store(name="Orders"), "stores[0].name: found 'Orders'", id="store in capitals"),
    pytest.param(_store(name="a/b"), "stores[0].name: found 'a/b'", id="store with a slash"),
    pytest.param(_store(name="x" * 60), "stores[0].name", id="store too long"),
    pytest.param(_store(kind="mongodb"), "stores[0].kind: found 'mongodb'", id="kind"),
    pytest.param(_store(kind=None), "stores[0].kind: found None", id="no kind"),
    pytest.param(_store(port=70000), "stores[0].port: found 70000", id="port too high"),
    pytest.param(_store(port=-5), "stores[0].port: found -5", id="port below zero"),
    pytest.param(_store(database="a\nb"), "stores[0].database", id="database of two lines"),
    pytest.param(_store(database="x" * 64), "stores[0].database", id="database too long"),
    pytest.param(_store(username="a\0b"), "stores[0].username", id="user with a zero byte"),
    pytest.param(_store(password_file="pw"), "stores[0].password_file", id="no whole path"),
    pytest.param(
        {"stores": [{"name": "a", "kind": "redis"}, {"name": "a", "kind": "redis"}]},
        "stores[1].name: a is there twice",
        id="store twice",
    ),
]
BAD_RESTORES: list[Any] = [
    pytest.param({"restore_id": ""}, "restore_id: found ''", id="id empty"),
    pytest.param({"restore_id": "x"}, "restore_id: found 'x'", id="id as a word"),
    pytest.param({"restore_id": "20261121T080000Z-0000"}, "restore_id", id="id too short"),
    pytest.param(
        {"restore_id": '20261121T080000Z-00000"'}, "restore_id", id="id that leaves its quotes"
    ),
    pytest.param({"stores": []}, "nothing to restore", id="nothing"),
    pytest.param(_store(kind="rabbitmq"), "stores[0].kind", id="kind"),
    pytest.param({"encryption_key": "short"}, "encryption_key: 5 characters", id="key"),
    pytest.param(_bucket(bucket="A"), "repository.bucket", id="bucket"),
    pytest.param({"namespace": "A"}, "namespace: found 'A'", id="namespace"),
]


class Untouched(StoresCluster):
    """Nobody may ask it for anything but the time."""

    def _ask(self, verb: str, what: str) -> None:
        raise AssertionError(f"asked for {verb} {what}")


@pytest.mark.parametrize(("more", "says"), BAD)
def test_a_bad_backup_is_refused_before_anybody_is_asked(more: dict[str, Any], says: str) -> None:
    with pytest.raises(MainstayError) as caught:
        backup_take.backup(asked(**more), Untouched(), FakePostgres())
    assert says in str(caught.value)
    assert "nothing was changed" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(("more", "says"), BAD_RESTORES)
def test_a_bad_restore_is_refused_before_anybody_is_asked(more: dict[str, Any], says: str) -> None:
    with pytest.raises(MainstayError) as caught:
        restore_run.restore(restoring(**more), Untouched(), FakePostgres())
    assert says in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    bad = {"bucket": "A", "prefix": "a//b", "endpoint": "ftp://a", "access_key": "k"}
    with pytest.raises(MainstayError) as caught:
        backup_arguments.repository_from({**asked(backup="x"), "repository": bad})
    assert len(caught.value.evidence) == 5


def test_a_server_without_tls_needs_sealed_objects() -> None:
    params = {**asked(encryption_key=None), **_bucket(endpoint="http://a")}
    with pytest.raises(MainstayError, match="http:// without encryption_key"):
        backup_arguments.repository_from(params)


@pytest.mark.parametrize(
    "name", ['a"b', "a'b", "a;b", "$(reboot)", "a b", "=x", "-x", "dbname=postgres", "\\!", "%s"]
)
def test_a_strange_name_of_a_database_stays_one_word(name: str) -> None:
    target = backup_stores.Target("o", "postgres", "o", database=name, username=name)
    import shlex

    words = shlex.split(backup_stores.load_postgres(target, name, 5), comments=False)
    assert f"PGDATABASE={name}" in words
    assert backup_stores.ident(name) in backup_stores.swap(target, "n", "o").replace("'\"'\"'", "'")


@pytest.mark.parametrize(
    ("database", "length"), [("shop", 44), ("x" * 63, 63), ("ä" * 31, 63), ("ä" * 40, 63)]
)
def test_names_beside_fit(database: str, length: int) -> None:
    name = backup_stores.beside(database, "before", "20261121t080000z_00000a")
    assert len(name.encode()) <= length
    assert name.endswith("_before_20261121t080000z_00000a")


ROLES = """--
\\restrict abc
CREATE ROLE app;
ALTER ROLE app WITH LOGIN PASSWORD 'SCRAM-SHA-256$4096:a';
CREATE ROLE "Odd ""name";
ALTER ROLE "Odd ""name" WITH NOLOGIN;
GRANT app TO "Odd ""name" WITH INHERIT TRUE GRANTED BY postgres;
GRANT "Odd ""name" TO app GRANTED BY postgres;
"""


def test_only_roles_that_are_not_there_are_made() -> None:
    assert backup_stores.missing_roles(ROLES, ["app"]) == (
        'CREATE ROLE "Odd ""name";\n'
        'ALTER ROLE "Odd ""name" WITH NOLOGIN;\n'
        'GRANT app TO "Odd ""name" WITH INHERIT TRUE;\n'
    )
    assert backup_stores.missing_roles(ROLES, ["app", 'Odd "name']) == ""


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}, True),
        ({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, True),
        ({"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}, False),
        ({"verbs": ["get"], "apiGroups": ["apps"], "resources": ["pods"]}, False),
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["pods/exec"]}, False),
        (
            {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]},
            False,
        ),
    ],
)
def test_a_rule_grants_what_it_says(rule: dict[str, Any], fits: bool) -> None:
    (right,) = rights.rights("shop", "pods: get")
    assert rights.allowed([rule], right) is fits


def test_rights_are_read_with_groups_and_subresources() -> None:
    found = [str(r) for r in rights.rights("n", "apps/deployments/scale: patch", "pods/exec: get")]
    assert found == [
        "patch deployments/scale.apps in namespace n",
        "get pods/exec in namespace n",
    ]
