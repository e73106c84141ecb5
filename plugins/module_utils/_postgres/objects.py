# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to an object storage with nothing but Python's own library: hosts need no package for it.

A storage that does not answer is no damage: everything that leaves open what is in the repository
is L(Unreachable), an object that is not there is a plain L(MainstayError).
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import bucket as pure
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.bucket import (
    Bucket,
    Request,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import (
    BLOCK,
    FILE_LIMIT,
    Entry,
    Unreachable,
)

#: Seconds without a byte. A storage that answers at all does so much earlier.
SILENCE = 30.0
#: Tries of a request: storages ask for another one by 500 and 503 (S3 error best practices).
TRIES = 3
PAUSE = 0.5
_AGAIN = (500, 502, 503, 504)


class ObjectStore:
    """One bucket. Safe in threads: each has a connection of its own."""

    def __init__(
        self,
        bucket: Bucket,
        *,
        silence: float = SILENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.bucket = bucket
        self.silence = silence
        self._sleep = sleep
        self._local = threading.local()

    def answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in small letters, and body, whatever the status is."""
        answer = self._open(request)
        try:
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(request, error) from error
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, body

    def call(self, request: Request, *, missing: bool = False) -> tuple[int, dict[str, str], bytes]:
        """The same; an error unless the status is 2xx, or 404 with C(missing)."""
        status, headers, body = self.answer(request)
        if status // 100 == 2 or (missing and status == 404):
            return status, headers, body
        raise self._refused(request, status, body)

    def stream(self, request: Request) -> Iterator[bytes]:
        """The body in blocks; an error when it is shorter than it was said to be."""
        answer = self._open(request)
        if answer.status // 100 != 2:
            raise self._refused(request, answer.status, answer.read())
        wanted, seen = int(answer.headers.get("Content-Length", -1)), 0
        end = time.monotonic() + FILE_LIMIT
        while True:
            try:
                part = answer.read(BLOCK)
            except (OSError, http.client.HTTPException) as error:
                raise self._lost(request, error) from error
            if not part:
                break
            seen += len(part)
            yield part
            if time.monotonic() > end:
                raise self._lost(request, TimeoutError(f"not done after {FILE_LIMIT:.0f} s"))
        if seen != wanted >= 0:
            raise self._lost(request, OSError(f"{seen} of {wanted} bytes came"))

    def _open(self, request: Request) -> http.client.HTTPResponse:
        """The beginning of an answer; what is worth it is tried again."""
        last: Optional[Exception] = None
        for number in range(TRIES):
            if number:
                self._sleep(PAUSE * 2**number)
            try:
                answer = self._send(request)
            except (ssl.SSLCertVerificationError, http.client.InvalidURL) as error:
                raise self._lost(request, error) from error
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                last = error
                continue
            if answer.status in _AGAIN and number < TRIES - 1:
                answer.read()
                continue
            return answer
        raise self._lost(request, last or OSError("no answer"))

    def _send(self, request: Request) -> http.client.HTTPResponse:
        connection = self._connection()
        headers = pure.sign(self.bucket, request, datetime.now(timezone.utc))
        path = pure.target(self.bucket, request)
        connection.request(request.method, path, body=request.body or None, headers=headers)
        return connection.getresponse()

    def _connection(self) -> http.client.HTTPSConnection:
        known: Optional[http.client.HTTPSConnection] = getattr(self._local, "connection", None)
        if known is None:
            known = http.client.HTTPSConnection(
                self.bucket.server,
                self.bucket.port,
                timeout=self.silence,
                context=context_of(self.bucket),
            )
            self._local.connection = known
        return known

    def _drop(self) -> None:
        known = getattr(self._local, "connection", None)
        if known is not None:
            known.close()
            self._local.connection = None

    def _lost(self, request: Request, error: Exception) -> Unreachable:
        self._drop()
        return Unreachable(
            "the object storage does not answer as it should",
            subject=self._name(request),
            found=_reason(error),
            expected=f"an answer of {self.bucket.authority}",
            next_step="see whether its name, certificate and network are right; nothing is known "
            "about the backups until it answers",
        )

    def _refused(self, request: Request, status: int, body: bytes) -> MainstayError:
        code, message = pure.refusal(body)
        found = f"{request.method}: status {status} {code} {message}".strip()
        if status == 404 and code != "NoSuchBucket":
            return MainstayError(
                "there is no such object", subject=self._name(request), found=found
            )
        return Unreachable(
            "the object storage refuses the request",
            subject=self._name(request),
            found=found,
            expected="status 200",
            next_step="see whether the keys are valid and may read, list and write this bucket",
        )

    def _name(self, request: Request) -> str:
        query = ",".join(sorted(set(request.query) - {"continuation-token", "list-type"}))
        return f"{self.bucket.name}/{request.key}{f' ({query})' if query else ''}"


def context_of(bucket: Bucket) -> ssl.SSLContext:
    """What is asked of the certificate of the storage."""
    try:
        context = ssl.create_default_context(cafile=bucket.ca_file or None)
    except OSError as error:
        raise Unreachable(
            "the authority of the object storage cannot be read",
            subject=bucket.ca_file,
            found=str(error),
            expected="a certificate in PEM format",
        ) from error
    if not bucket.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    return f"{type(error).__name__}: {error}"


class BucketReader:
    """L(Reader) of a repository in a bucket; with C(moment) as it was then."""

    def __init__(self, store: ObjectStore, moment: Optional[datetime] = None) -> None:
        self.store = store
        self.moment = moment
        self._then: dict[str, pure.Version] = {}

    def entries(self, below: str) -> list[Entry]:
        """See L(Reader)."""
        if self.moment is not None:
            return self._entries_then(below)
        query = {"list-type": "2", "prefix": f"{self.store.bucket.key(below)}/"}
        found: list[Entry] = []
        while True:
            part, token = pure.listed(self.store.bucket, self._xml(query))
            found += part
            if not token:
                return sorted(found, key=lambda e: e.path)
            query = {**query, "continuation-token": token}

    def _entries_then(self, below: str) -> list[Entry]:
        found = []
        for item in self.versions(f"{self.store.bucket.key(below)}/"):
            self._then[item.key] = item
            path = self.store.bucket.inner(item.key)
            found.append(Entry(path, item.size, item.modified.timestamp()))
        return sorted(found, key=lambda e: e.path)

    def versions(self, prefix: str) -> list[pure.Version]:
        """What was there at the moment, of the keys that begin with C(prefix)."""
        moment = self.moment or datetime.now(timezone.utc)
        return list(pure.as_of(self.history(prefix), moment).values())

    def history(self, prefix: str) -> list[pure.Version]:
        """All versions of the keys that begin with C(prefix)."""
        query, found = {"versions": "", "prefix": prefix}, []
        while True:
            part, following = pure.versions(self._xml(query))
            found += part
            if following is None:
                return found
            query = {**query, "key-marker": following[0], "version-id-marker": following[1]}

    def _xml(self, query: dict[str, str]) -> bytes:
        return self.store.call(Request("GET", query=query))[2]

    def blocks(self, path: str) -> Iterator[bytes]:
        """See L(Reader)."""
        key = self.store.bucket.key(path)
        query = {}
        if self.moment is not None:
            query = {"versionId": self._version(key).version}
        return self.store.stream(Request("GET", key, query))

    def stored(self, path: str) -> Iterator[bytes]:
        """See L(Reader)."""
        return self.blocks(path)

    def _version(self, key: str) -> pure.Version:
        if key not in self._then:
            found = {item.key: item for item in self.versions(key)}
            if key not in found:
                raise MainstayError(
                    "there is no such object", subject=key, found=f"none at {self.moment}"
                )
            self._then.update(found)
        return self._then[key]
