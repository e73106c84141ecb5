# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to an object storage, and what its answers mean."""

from __future__ import annotations

import json
import pathlib
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    backrest_access,
    bucket,
    pgbackrest,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import Unreachable

NOW = datetime(2026, 11, 21, 2, 0, 4, tzinfo=timezone.utc)
BUCKET = bucket.Bucket(
    host="s3.test",
    port=443,
    name="backups",
    region="eu-central-1",
    access_key="KEY",
    secret_key="SECRET",
    root="/vault",
)
PAGE = """<?xml version="1.0"?><{kind} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{body}</{kind}>"""


@pytest.mark.parametrize(
    ("given", "request_", "expected"),
    [
        pytest.param(BUCKET, bucket.Request("GET", "vault/a"), "/vault/a", id="host style"),
        pytest.param(
            replace(BUCKET, path_style=True),
            bucket.Request("GET", "vault/a b+ü"),
            "/backups/vault/a%20b%2B%C3%BC",
            id="signs in a path",
        ),
        pytest.param(
            BUCKET,
            bucket.Request("GET", query={"prefix": "a/b", "list-type": "2"}),
            "/?list-type=2&prefix=a%2Fb",
            id="a query in order",
        ),
    ],
)
def test_the_target(given: bucket.Bucket, request_: bucket.Request, expected: str) -> None:
    assert bucket.target(given, request_) == expected


def test_a_signature_covers_what_is_sent() -> None:
    base = bucket.Request("GET", "vault/a", {"versionId": "1"})
    others = [
        replace(base, method="PUT"),
        replace(base, key="vault/b"),
        replace(base, query={"versionId": "2"}),
        replace(base, headers={"x-amz-meta": "1"}),
    ]
    seen = {bucket.sign(BUCKET, r, NOW)["authorization"] for r in [base, *others]}
    seen |= {bucket.sign(replace(BUCKET, secret_key="OTHER"), base, NOW)["authorization"]}
    assert len(seen) == 6
    headers = bucket.sign(replace(BUCKET, port=9000, token="T"), base, NOW)
    assert headers["host"] == "backups.s3.test:9000"
    assert headers["x-amz-security-token"] == "T"
    assert "x-amz-security-token" in headers["authorization"]
    assert "SECRET" not in str(headers)


def test_keys_are_not_shown() -> None:
    assert "SECRET" not in repr(replace(BUCKET, token="SECRET"))


def test_paths_in_the_repository() -> None:
    assert BUCKET.key("backup/db/x") == "vault/backup/db/x"
    assert BUCKET.inner("vault/backup/db/x") == "backup/db/x"
    top = replace(BUCKET, root="/")
    assert (top.key("a"), top.inner("a")) == ("a", "a")


def test_a_page_of_objects() -> None:
    body = (
        "<IsTruncated>true</IsTruncated><NextContinuationToken>n</NextContinuationToken><Contents>"
        "<Key>vault/a</Key><Size>3</Size><LastModified>2026-11-21T02:00:04.5Z</LastModified></Contents>"
    )
    page = PAGE.format(kind="ListBucketResult", body=body).encode()
    found, more = bucket.listed(BUCKET, page)
    assert [(e.path, e.size) for e in found] == [("a", 3)]
    assert found[0].modified == NOW.timestamp() + 0.5
    assert more == "n"
    assert bucket.listed(BUCKET, page.replace(b"true", b"false"))[1] == ""


def version(key: str, number: int, *, deleted: bool = False) -> bucket.Version:
    return bucket.Version(key, str(number), 1, NOW + timedelta(hours=number), "", deleted)


def test_what_was_there_at_a_moment() -> None:
    found = [
        version("a", 1),
        version("a", 3),
        version("a", 5, deleted=True),
        version("b", 5),
        version("c", 1, deleted=True),
    ]
    then = bucket.as_of(found, NOW + timedelta(hours=4))
    assert {k: v.version for k, v in then.items()} == {"a": "3"}
    assert set(bucket.as_of(found, NOW + timedelta(hours=6))) == {"b"}


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param("2026-11-21T02:00:04Z", 0, id="seconds"),
        pytest.param("2026-11-21T02:00:04.25Z", 250000, id="a short fraction"),
        pytest.param("2026-11-21T02:00:04.910878541Z", 910878, id="nanoseconds"),
    ],
)
def test_times(text: str, after: int) -> None:
    assert bucket.moment_of(text) == NOW + timedelta(microseconds=after)


#: The first id below is one of versitygw 1.8.0, given at this time.
WRITTEN = datetime(2026, 11, 21, 17, 27, 33, 306000, timezone.utc)


@pytest.mark.parametrize(
    ("version_id", "expected"),
    [
        pytest.param("3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY", NOW, id="an id without a time"),
        pytest.param("01M7ZJCA5TAJ9GJ3BC2Q3R29K2", WRITTEN, id="an id with the time of writing"),
        pytest.param("0000000ZZZAJ9GJ3BC2Q3R29K2", NOW, id="an id that only looks like one"),
        pytest.param("7ZZZZZZZZZAJ9GJ3BC2Q3R29K2", NOW, id="behind all times"),
    ],
)
def test_when_a_version_was_written(version_id: str, expected: datetime) -> None:
    assert bucket.written_at(version_id, NOW) == expected


def test_refusals() -> None:
    page = b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"
    assert bucket.refusal(page) == ("AccessDenied", "No.")
    assert bucket.refusal(b"<html>gateway") == ("", "")


CONFIG = """[global]
repo2-type=s3
repo2-path=/vault
repo2-s3-bucket=backups
repo2-s3-endpoint=s3.test
repo2-s3-key=KEY
repo2-s3-key-secret=SECRET
repo2-s3-region=eu-central-1
"""


@pytest.mark.parametrize(
    ("more", "found"),
    [
        pytest.param("", True, id="keys in the file"),
        pytest.param("repo2-s3-key-type=auto\n", False, id="keys of the machine"),
        pytest.param("repo2-host=other\n", False, id="on another host"),
    ],
)
def test_the_bucket_of_a_configuration(tmp_path: pathlib.Path, more: str, found: bool) -> None:
    path = tmp_path / "pgbackrest.conf"
    path.write_text(CONFIG + more)
    access = backrest_access.Access(str(path), "db", 2)
    assert backrest_access.bucket_of(access) == (BUCKET if found else None)
    assert backrest_access.bucket_of(replace(access, number=1)) is None


def test_a_repository_that_does_not_answer_is_not_empty() -> None:
    text = """[{"name": "db", "db": [], "backup": [], "repo": [{"key": 1, "status":
        {"code": 99, "message": "[ProtocolError] HTTP request failed with 403\\nGET /"}}]}]"""
    with pytest.raises(Unreachable, match="does not tell") as caught:
        pgbackrest.require_answer(json.loads(text), "db")
    assert caught.value.found == "[ProtocolError] HTTP request failed with 403"
    pgbackrest.require_answer(json.loads(text.replace("99", "2")), "db")
