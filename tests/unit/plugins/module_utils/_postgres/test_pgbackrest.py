# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pgBackRest's answers, manifests and configurations, as 2.45 writes them."""

from __future__ import annotations

import hashlib
import json
import pathlib

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    backrest_access,
    manifest,
    pgbackrest,
)

INFO = [
    {
        "name": "db",
        "cipher": "none",
        "db": [
            {"id": 1, "repo-key": 1, "system-id": 7000000000000000001, "version": "14"},
            {"id": 2, "repo-key": 1, "system-id": 7710559220978378449, "version": "15"},
        ],
        "backup": [
            {
                "label": "20261121-094748F",
                "type": "full",
                "database": {"id": 2, "repo-key": 1},
                "timestamp": {"start": 1795254468, "stop": 1795254471},
                "info": {"size": 22992575, "repository": {"delta": 3514721, "size": 3514721}},
                "archive": {
                    "start": "000000010000000000000002",
                    "stop": "000000010000000000000002",
                },
                "lsn": {"start": "0/2000028", "stop": "0/2000100"},
                "prior": None,
                "error": False,
            },
            {"label": "old", "database": {"id": 1, "repo-key": 1}},
        ],
    }
]


def test_info_is_of_the_newest_cluster() -> None:
    found = pgbackrest.parse_info(INFO, "db")
    assert (found.system_identifier, found.version) == ("7710559220978378449", "15")
    assert [b.label for b in found.backups] == ["20261121-094748F"]
    # The end has no fraction: the second after it is surely behind the end.
    assert found.backups[0].stopped.timestamp() == 1795254472
    assert pgbackrest.archive_id(INFO, "db") == "15-2"
    assert pgbackrest.parse_info(INFO, "other").backups == ()


@pytest.mark.parametrize(
    ("text", "version", "safe"),
    [
        ("pgBackRest 2.45", (2, 45), False),
        ("pgBackRest 2.55.1", (2, 55, 1), False),
        ("pgBackRest 2.59.3", (2, 59, 3), True),
    ],
)
def test_capabilities(text: str, version: tuple[int, ...], safe: bool) -> None:
    found = pgbackrest.capabilities_of(pgbackrest.parse_version(text))
    assert found.version == version
    assert found.encryption_safe is safe


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[global]\nrepo1-path=/r\n[db]\npg1-path=/d\n", "/r"),
        ("[global]\nrepo1-path=/r\n[db]\nrepo1-path=/own\n", "/own"),
        ("[global]\nlog-level-file=off\n", "/var/lib/pgbackrest"),
        ("[global]\nrepo1-type=s3\nrepo1-path=/r\n", ""),
        ("[global]\nrepo1-host=backup\nrepo1-path=/r\n", ""),
        ("[global]\nrepo1-cipher-type=aes-256-cbc\nrepo1-path=/r\n", "/r"),
    ],
)
def test_where_a_repository_is(tmp_path: pathlib.Path, text: str, expected: str) -> None:
    path = tmp_path / "pgbackrest.conf"
    path.write_text(text)
    access = backrest_access.Access(str(path), "db", 1)
    assert backrest_access.local_directory(access) == expected


def test_what_the_asynchronous_command_left(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "pgbackrest.conf"
    path.write_text(f"[global]\nspool-path={tmp_path}\n[db]\npg1-path=/d\n")
    access = backrest_access.Access(str(path), "db", 1)
    assert backrest_access.spooled_error(access) == ""
    out = tmp_path / "archive" / "db" / "out"
    out.mkdir(parents=True)
    (out / "000000010000000000000007.error").write_text("29\nlater\n")
    (out / "000000010000000000000006.error").write_text(
        "82\n[FileWriteError] no space left\nrepo1-s3-key-secret=abc\n"
    )
    assert (
        backrest_access.spooled_error(access)
        == "[FileWriteError] no space left; repo1-s3-key-secret=***"
    )


def test_a_name_with_the_sign_of_the_manifest_in_it() -> None:
    line = 'pg_data/a=b={"checksum":"c","size":1}'
    found = manifest.parse(f"[target:file]\n{line}\n")
    assert list(found["target:file"]) == ["pg_data/a=b"]


def test_files_of_a_manifest() -> None:
    text = (
        '[backup:option]\noption-compress-type="gz"\n[target:file]\n'
        'pg_data/a={"checksum":"1","rck":"2","repo-size":3,"size":4}\n'
        'pg_data/b={"checksum":"1","reference":"20260101-000000F","size":4}\n'
        'pg_data/c={"bni":7,"bno":100,"checksum":"1","repo-size":9,"size":4}\n'
    )
    first, second, third = manifest.files_of(manifest.parse(text), "db", "NEW")
    assert (first.path, first.stored_checksum) == ("backup/db/NEW/pg_data/a.gz", "2")
    assert second.path == "backup/db/20260101-000000F/pg_data/b.gz"
    assert (third.path, third.offset, third.stored_size) == ("backup/db/NEW/bundle/7", 100, 9)


def test_the_checksum_of_a_list() -> None:
    body = '{"backrest":{"backrest-format":5},"db":{"db-id":1}}'
    digest = hashlib.sha1(body.encode(), usedforsecurity=False).hexdigest()
    text = (
        "[backrest]\nbackrest-format=5\n\n[db]\ndb-id=1\n\n"
        f"[backrest]\nbackrest-checksum={json.dumps(digest)}\n"
    )
    sections = manifest.parse(text)
    assert manifest.own_checksum(sections) == digest
    assert manifest.own_checksum(manifest.parse(text.replace("db-id=1", "db-id=2"))) != digest
