# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket that backups are in: a small Protocol, and S3 by boto3 behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

#: Parts of an upload: S3 takes 10 000 of them, so 640 GB at most.
_PART = 64 << 20
_BLOCK = 1 << 20
_CONNECT_SECONDS = 5.0
_ATTEMPTS = 3


@dataclass(frozen=True)
class Stored:
    """An object of the bucket, by the clock of its server."""

    name: str
    size: int
    modified: datetime


class Bucket(Protocol):
    """The calls that backups need. Every refusal is a MainstayError that names the object."""

    def put(self, name: str, data: bytes) -> None:
        """Write a small object."""

    def upload(self, name: str, path: str) -> None:
        """Write an object from a file."""

    def read(self, name: str) -> Optional[bytes]:
        """A small object, or nothing."""

    def stream(self, name: str) -> Iterator[bytes]:
        """What an object holds; refused when it is not there."""

    def names(self, prefix: str) -> list[Stored]:
        """All objects below C(prefix)."""

    def remove(self, name: str) -> None:
        """Remove it; gone already is fine."""


def open_bucket(params: Mapping[str, Any]) -> Bucket:
    """The bucket that the option C(repository) names; nothing is asked yet."""
    try:
        import boto3
        import botocore.config
        import botocore.exceptions
    except ImportError as error:
        raise MainstayError(
            "the Python package boto3 is missing where this module runs",
            subject="boto3",
            next_step="install it for the Python that Ansible uses there: pip install boto3",
        ) from error
    repository = params["repository"]
    config = botocore.config.Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=float(params.get("request_timeout") or 30.0),
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        s3={"addressing_style": "path" if repository.get("path_style") else "auto"},
    )
    try:
        client = boto3.client(
            "s3",
            endpoint_url=_endpoint(repository.get("endpoint")),
            region_name=repository.get("region"),
            aws_access_key_id=repository.get("access_key"),
            aws_secret_access_key=repository.get("secret_key"),
            verify=_authority(repository.get("ca")),
            config=config,
        )
    except (ValueError, botocore.exceptions.BotoCoreError) as error:
        raise _refused("the repository cannot be used", repository["bucket"], error) from error
    return S3Bucket(client, str(repository["bucket"]))


def _endpoint(text: Optional[str]) -> Optional[str]:
    if not text:
        return None
    return text if "://" in text else f"https://{text}"


def _authority(path: Optional[str]) -> Any:
    if not path:
        return None
    if not os.path.isfile(path):
        raise MainstayError(
            "the file of the certificate authority is not there",
            subject="repository.ca",
            found=path,
            expected="a file in PEM form where this module runs",
        )
    return path


class S3Bucket:
    """L(Bucket) on S3."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def put(self, name: str, data: bytes) -> None:
        """See L(Bucket)."""
        with self._asking("write", name):
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data)

    def upload(self, name: str, path: str) -> None:
        """See L(Bucket)."""
        from boto3.s3.transfer import TransferConfig

        transfer = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART)
        with self._asking("write", name):
            self._client.upload_file(path, self._bucket, name, Config=transfer)

    def read(self, name: str) -> Optional[bytes]:
        """See L(Bucket)."""
        with self._asking("read", name):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=name)
            except self._client.exceptions.NoSuchKey:
                return None
            data: bytes = answer["Body"].read()
            return data

    def stream(self, name: str) -> Iterator[bytes]:
        """See L(Bucket)."""
        with self._asking("read", name):
            answer = self._client.get_object(Bucket=self._bucket, Key=name)
            yield from answer["Body"].iter_chunks(_BLOCK)

    def names(self, prefix: str) -> list[Stored]:
        """See L(Bucket)."""
        with self._asking("list", f"{prefix}*"):
            pages = self._client.get_paginator("list_objects_v2")
            found = []
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for entry in page.get("Contents") or []:
                    found.append(Stored(entry["Key"], entry["Size"], entry["LastModified"]))
            return found

    def remove(self, name: str) -> None:
        """See L(Bucket)."""
        with self._asking("remove", name):
            self._client.delete_object(Bucket=self._bucket, Key=name)

    @contextmanager
    def _asking(self, verb: str, name: str) -> Iterator[None]:
        import boto3.exceptions
        import botocore.exceptions

        kinds = (
            botocore.exceptions.BotoCoreError,
            botocore.exceptions.ClientError,
            boto3.exceptions.Boto3Error,
            OSError,
        )
        try:
            yield
        except kinds as error:
            subject = f"s3://{self._bucket}/{name}"
            raise _refused(f"the repository did not let us {verb} it", subject, error) from error


_NEXT = {
    "403": "look whether the access key may do this in the bucket",
    "404": "look whether the bucket and the object are there",
    "416": "the object is shorter than it was; use another backup",
    "500": "look at the server of the repository, then run again",
}


def _refused(what: str, subject: str, error: Exception) -> MainstayError:
    """The error in our words. What the library says may hold addresses, never keys."""
    answer = getattr(error, "response", None) or {}
    status = str((answer.get("ResponseMetadata") or {}).get("HTTPStatusCode") or "")
    code = str((answer.get("Error") or {}).get("Code") or type(error).__name__)
    message = str((answer.get("Error") or {}).get("Message") or "") or str(error).partition("\n")[0]
    return MainstayError(
        what,
        subject=subject,
        found=f"{status} {code}: {message}"[:400].strip(),
        expected="an answer of success",
        next_step=_NEXT.get(status, "look whether the repository is up and can be reached"),
    )
