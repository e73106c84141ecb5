# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to an object storage: what they look like, how they are signed, what answers mean. Pure.

Signatures are AWS Signature Version 4 with an unsigned body (TLS covers it), as
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html has them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Optional
from urllib.parse import quote
from xml.etree import ElementTree

from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import Entry

UNSIGNED = "UNSIGNED-PAYLOAD"
_MOMENT = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$")
#: https://github.com/ulid/spec: 48 bits of milliseconds, then 80 random ones.
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile(f"^[0-7][{_CROCKFORD}]{{25}}$")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: More than that (year 9999) is nothing a datetime holds.
_LATEST = 253402300799999
_PLAUSIBLE = timedelta(days=3660)
_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Bucket:
    """A bucket, how it is reached and with which keys. C(root) is the repository's directory."""

    host: str
    port: int
    name: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)
    path_style: bool = False
    root: str = "/"
    ca_file: str = ""
    verify: bool = True
    #: Where to connect when that is not C(host), such as a proxy.
    connect: str = ""

    @property
    def authority(self) -> str:
        """The Host header."""
        name = self.host if self.path_style else f"{self.name}.{self.host}"
        return name if self.port == 443 else f"{name}:{self.port}"

    @property
    def server(self) -> str:
        """What is connected to, and the name that its certificate has to hold."""
        if self.connect:
            return self.connect
        return self.host if self.path_style else f"{self.name}.{self.host}"

    def key(self, path: str) -> str:
        """The key of a file of the repository."""
        return f"{self.root.strip('/')}/{path}".lstrip("/")

    def inner(self, key: str) -> str:
        """The file of the repository that has a key."""
        root = self.root.strip("/")
        return key[len(root) :].lstrip("/") if root else key


@dataclass(frozen=True)
class Request:
    """One request: a key of the bucket (none for the bucket itself) and its query."""

    method: str
    key: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def target(bucket: Bucket, request: Request) -> str:
    """Path and query, encoded as the signature wants them."""
    query = _query(request)
    return _path(bucket, request) + (f"?{query}" if query else "")


def _path(bucket: Bucket, request: Request) -> str:
    path = f"/{bucket.name}/{request.key}" if bucket.path_style else f"/{request.key}"
    return quote(path, safe="/-_.~")


def _query(request: Request) -> str:
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in request.query.items())
    return "&".join(f"{k}={v}" for k, v in pairs)


def sign(bucket: Bucket, request: Request, moment: datetime) -> dict[str, str]:
    """The headers of a request, with its signature."""
    now = f"{moment.astimezone(timezone.utc):%Y%m%dT%H%M%SZ}"
    headers = {k.lower(): v for k, v in request.headers.items()}
    headers.update({"host": bucket.authority, "x-amz-date": now})
    headers["x-amz-content-sha256"] = UNSIGNED
    if bucket.token:
        headers["x-amz-security-token"] = bucket.token
    names = sorted(headers)
    canonical = "\n".join(
        [
            request.method,
            _path(bucket, request),
            _query(request),
            *(f"{name}:{headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            UNSIGNED,
        ]
    )
    scope = f"{now[:8]}/{bucket.region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{bucket.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"{_ALGORITHM}\n{now}\n{scope}\n{digest}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"{_ALGORITHM} Credential={bucket.access_key}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return headers


def plain(document: bytes) -> ElementTree.Element:
    """An answer without its namespace, which not every server gives. ValueError when it is none."""
    try:
        # Of the platform's own storage, over TLS; expat bounds what entities may grow to.
        root = ElementTree.fromstring(document.decode("utf-8"))  # noqa: S314
    except ElementTree.ParseError as error:
        raise ValueError(f"no XML: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def refusal(document: bytes) -> tuple[str, str]:
    """Code and message of an error; empty when the answer holds none."""
    try:
        root = plain(document)
    except (ValueError, UnicodeDecodeError):
        return "", ""
    return root.findtext("Code") or "", root.findtext("Message") or ""


@dataclass(frozen=True)
class Version:
    """A version of an object, or the mark that says it was deleted. C(tag) is of its content."""

    key: str
    version: str
    size: int
    modified: datetime
    tag: str = ""
    deleted: bool = False


def listed(bucket: Bucket, document: bytes) -> tuple[list[Entry], str]:
    """The objects of one page of C(ListObjectsV2), and what asks for the next page."""
    root = plain(document)
    found = [
        Entry(
            bucket.inner(item.findtext("Key") or ""),
            int(item.findtext("Size") or 0),
            moment_of(item.findtext("LastModified") or "").timestamp(),
        )
        for item in root.findall("Contents")
    ]
    more = root.findtext("IsTruncated") == "true"
    return found, (root.findtext("NextContinuationToken") or "") if more else ""


def versions(document: bytes) -> tuple[list[Version], Optional[tuple[str, str]]]:
    """The versions of one page of C(ListObjectVersions), and the marks that ask for the next."""
    root = plain(document)
    found = [
        Version(
            key=item.findtext("Key") or "",
            version=item.findtext("VersionId") or "",
            size=int(item.findtext("Size") or 0),
            modified=written_at(
                item.findtext("VersionId") or "", moment_of(item.findtext("LastModified") or "")
            ),
            tag=item.findtext("ETag") or "",
            deleted=item.tag == "DeleteMarker",
        )
        for item in root
        if item.tag in ("Version", "DeleteMarker")
    ]
    if root.findtext("IsTruncated") != "true":
        return found, None
    return found, (root.findtext("NextKeyMarker") or "", root.findtext("NextVersionIdMarker") or "")


def written_at(version: str, modified: datetime) -> datetime:
    """When a version was written. C(LastModified) tells on most storages; versitygw 1.8.0 gives the
    time at which an older version was replaced, and for the mark of a deletion that of what was
    deleted. Its ids are ULIDs, which begin with the time of writing.
    """
    if not _ULID.match(version):
        return modified
    milliseconds = 0
    for sign in version[:10]:
        milliseconds = milliseconds * 32 + _CROCKFORD.index(sign)
    if milliseconds > _LATEST:
        return modified
    written = timedelta(milliseconds=milliseconds)
    # An id that only looks like one holds a random moment of ten thousand years.
    return _EPOCH + written if abs(_EPOCH + written - modified) < _PLAUSIBLE else modified


def as_of(found: list[Version], moment: datetime) -> dict[str, Version]:
    """By key what was there at C(moment)."""
    seen: dict[str, Version] = {}
    for item in found:
        known = seen.get(item.key)
        if item.modified <= moment and (known is None or known.modified < item.modified):
            seen[item.key] = item
    return {key: item for key, item in seen.items() if not item.deleted}


def moment_of(text: str) -> datetime:
    """C(2026-11-21T02:00:04.123Z), with as many digits as the storage likes. ValueError if not."""
    match = _MOMENT.match(text)
    if match is None:
        raise ValueError(f"no time: {text!r}")
    whole = datetime.strptime(match.group(1), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return whole + timedelta(microseconds=int((match.group(2) or "")[:6].ljust(6, "0")))
