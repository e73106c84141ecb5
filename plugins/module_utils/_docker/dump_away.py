# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of dumps in object storage, so that a lost host does not take them along.

Below C(<path>/<platform>/<store>/) a bucket holds what the directory of the dumps holds. The
description of a dump goes up last: without it there is no copy.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dump_plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_plan import (
    DOCUMENT,
    Dump,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    ensure_directory,
    read_json,
    sync_directory,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import bucket as pure
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.bucket import (
    Bucket,
    Request,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.logical import digest
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.objects import (
    BucketReader,
    ObjectStore,
)

#: Bytes of one part of a larger file. Storages take 10,000 parts (S3 multipart limits): 640 GiB.
PART = 64 * 1024 * 1024


class Repository:
    """The copies of one store's dumps in one bucket."""

    def __init__(self, name: str, store: str, objects: ObjectStore, part: int = PART) -> None:
        self.name = name
        self._store = store
        self._objects = objects
        self._part = part

    def dumps(self) -> list[Dump]:
        """The copies that are complete as the listing has them, in the order of the dumps."""
        sizes = self._sizes()
        found = []
        for path in sizes:
            label, _slash, file = path.partition("/")
            if file == DOCUMENT and dump_plan.LABEL.match(label):
                text = b"".join(self._reader().blocks(f"{self._store}/{path}"))
                try:
                    dump = dump_plan.read(_parsed(text), f"{self.name}: {path}")
                except MainstayError:
                    # No copy, like one that lacks a file: the others can be restored.
                    continue
                held = [sizes.get(f"{label}/{part}") for part in dump.files]
                if None not in held and sum(size or 0 for size in held) == dump.size:
                    found.append(dump)
        return sorted(found, key=lambda dump: dump.sequence)

    def put(self, directory: str, dump: Dump) -> None:
        """Copy a dump; files that a run before this one has copied already stay as they are."""
        sizes = self._sizes()
        home = os.path.join(directory, dump.label)
        for file in [*dump.files, DOCUMENT]:
            path = os.path.join(home, file)
            if file == DOCUMENT or sizes.get(f"{dump.label}/{file}") != os.path.getsize(path):
                self._upload(path, self._key(f"{dump.label}/{file}"))

    def fetch(self, dump: Dump, directory: str) -> None:
        """Bring a copy back into the directory of the dumps; its sums are compared."""
        partial = os.path.join(directory, f".{dump.label}.partial")
        shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
        ensure_directory(partial)
        try:
            free = shutil.disk_usage(partial).free
            if free < dump.size:
                raise MainstayError(
                    "there is no room for the dump",
                    subject=directory,
                    found=f"{free} bytes free",
                    expected=f"{dump.size} bytes",
                    next_step="make room; nothing was changed",
                )
            for file, wanted in dump.files.items():
                path = os.path.join(partial, file)
                blocks = self._reader().blocks(f"{self._store}/{dump.label}/{file}")
                _write(path, blocks)
                if digest(path) != wanted:
                    raise MainstayError(
                        "the copy of a dump is damaged",
                        subject=f"{self.name}: {dump.label}/{file}",
                        found="another SHA-256",
                        expected=f"{wanted[:16]}…",
                        next_step="fetch another one; nothing was changed",
                    )
            write_json(os.path.join(partial, DOCUMENT), dump.as_dict())
            os.rename(partial, os.path.join(directory, dump.label))
            sync_directory(directory)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def remove(self, label: str) -> None:
        """Remove a copy; without its description it is none, whatever a kill leaves of the rest."""
        paths = [path for path in self._sizes() if path.startswith(f"{label}/")]
        for path in sorted(paths, key=lambda path: not path.endswith(f"/{DOCUMENT}")):
            self._objects.call(Request("DELETE", self._key(path)), missing=True)

    def _reader(self) -> BucketReader:
        return BucketReader(self._objects)

    def _sizes(self) -> dict[str, int]:
        """Bytes by C(<label>/<file>)."""
        entries = self._reader().entries(self._store)
        return {entry.path[len(self._store) + 1 :]: entry.size for entry in entries}

    def _key(self, path: str) -> str:
        return self._objects.bucket.key(f"{self._store}/{path}")

    def _upload(self, path: str, key: str) -> None:
        with open(path, "rb") as handle:
            if os.path.getsize(path) <= self._part:
                self._objects.call(_put(key, handle.read()))
                return
            upload = self._begin(key)
            try:
                tags = [
                    self._objects.call(
                        _put(key, block, {"partNumber": str(number), "uploadId": upload})
                    )[1]["etag"]
                    for number, block in enumerate(iter(lambda: handle.read(self._part), b""), 1)
                ]
                self._end(key, upload, tags)
            except BaseException:
                # Parts of an upload that never ends are paid for, and seen by nobody.
                with contextlib.suppress(MainstayError):
                    self._objects.call(Request("DELETE", key, {"uploadId": upload}), missing=True)
                raise

    def _begin(self, key: str) -> str:
        _status, _headers, body = self._objects.call(Request("POST", key, {"uploads": ""}))
        return pure.plain(body).findtext("UploadId") or ""

    def _end(self, key: str, upload: str, tags: Sequence[str]) -> None:
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
            for number, tag in enumerate(tags, 1)
        )
        text = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        body = self._objects.call(Request("POST", key, {"uploadId": upload}, body=text))[2]
        # It answers 200 before it is sure: an error may follow in the body.
        code, message = pure.refusal(body)
        if code:
            raise MainstayError(
                "the object storage did not put a file together",
                subject=f"{self.name}: {key}",
                found=f"{code} {message}".strip(),
                next_step="run it again: what was copied stays",
            )


def _put(key: str, block: bytes, query: Optional[dict[str, str]] = None) -> Request:
    # The storage compares it with what came: nothing is stored that was damaged on the way.
    md5 = hashlib.md5(block, usedforsecurity=False).digest()
    headers = {"Content-MD5": base64.b64encode(md5).decode()}
    return Request("PUT", key, query or {}, headers, block)


def _write(path: str, blocks: Iterator[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        for block in blocks:
            handle.write(block)
        handle.flush()
        os.fsync(handle.fileno())


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def repositories(path: str, platform: str, store: str) -> list[Repository]:
    """The repositories of a store, as the role wrote them into the file C(path); none without one.

    The file is C({store: [{name, endpoint, bucket, region, path, path_style, ca_file, access_key,
    secret_key}]}), and only root may read it.
    """
    if not path:
        return []
    document = read_json(path)
    if document is None:
        raise MainstayError(
            "nothing is known of the repositories of the dumps",
            subject=path,
            found="no such file",
            expected="what the role docker_store_backup writes",
            next_step="run site.yml; nothing was changed",
        )
    return [
        Repository(item["name"], store, ObjectStore(_bucket(item, platform)))
        for item in document.get(store, [])
    ]


def _bucket(item: dict[str, Any], platform: str) -> Bucket:
    host, _colon, port = str(item["endpoint"]).partition(":")
    return Bucket(
        host=host,
        port=int(port or 443),
        name=item["bucket"],
        region=item["region"],
        access_key=item["access_key"],
        secret_key=item["secret_key"],
        path_style=bool(item.get("path_style")),
        root=f"{item['path'].strip('/')}/{platform}",
        ca_file=item.get("ca_file") or "",
    )
