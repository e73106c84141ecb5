# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backups of one platform in a bucket: written, read back, listed, expired."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import IO, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import backup_manifest
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_bucket import (
    Bucket,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_manifest import (
    MANIFEST,
    VERIFIED,
    Listed,
    Manifest,
    Part,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_seal import (
    Keys,
    keys_of,
    seal,
    unseal,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

#: What has no manifest after this time will not get one any more.
ABANDONED = timedelta(days=1)


@dataclass
class Repository:
    """Those of one platform. C(passphrase) is empty when nothing is sealed."""

    bucket: Bucket
    prefix: str
    platform: str
    passphrase: str = ""

    def name(self, label: str, file: str) -> str:
        """The name of an object of a backup."""
        return f"{self.root}{label}/{file}"

    @property
    def root(self) -> str:
        """What all names of this platform begin with."""
        before = f"{self.prefix.strip('/')}/" if self.prefix.strip("/") else ""
        return f"{before}{self.platform}/"

    def write_part(
        self, label: str, part: Part, keys: Optional[Keys], source: Iterable[bytes], folder: str
    ) -> Part:
        """Put C(source) away; the part with its sizes and checksums comes back.

        It lies in C(folder) on its way, sealed when it is sealed in the repository.
        """
        name = self.name(label, part.name)
        plain, counted = _Count(), _Count()
        sealed = seal(keys, name, plain.over(source)) if keys else plain.over(source)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="part-") as file:
            for piece in counted.over(sealed):
                file.write(piece)
            file.flush()
            self.bucket.upload(name, file.name)
        return replace(
            part,
            size=plain.size,
            sha256=plain.digest,
            stored_size=counted.size,
            stored_sha256=counted.digest,
        )

    def write_manifest(self, manifest: Manifest, keys: Optional[Keys]) -> None:
        """From now on there is this backup."""
        data = backup_manifest.write(manifest, keys)
        self.bucket.put(self.name(manifest.label, MANIFEST), data)

    def keys(self, manifest: Manifest) -> Optional[Keys]:
        """The keys of a backup, from the passphrase."""
        if not self.passphrase or not manifest.salt:
            return None
        return keys_of(self.passphrase, bytes.fromhex(manifest.salt))

    def manifest(self, label: str) -> Manifest:
        """The manifest, when the key is the right one."""
        name = self.name(label, MANIFEST)
        data = self.bucket.read(name)
        if data is None:
            raise MainstayError(
                "the backup has no manifest",
                subject=name,
                found="nothing",
                expected="the manifest that is written last",
                next_step="use another backup: k8s_backup_info lists them; nothing was changed",
            )
        manifest, mark, body = backup_manifest.read(data, name)
        # A wrong key derives keys all the same; only the mark tells.
        keys = self.keys(manifest)
        if self.passphrase and not manifest.salt:
            keys = keys_of(self.passphrase, b"\0" * 16)
        backup_manifest.check_key(manifest, mark, body, keys, name)
        if manifest.platform != self.platform:
            raise MainstayError(
                "the backup is one of another platform",
                subject=name,
                found=manifest.platform,
                expected=self.platform,
                next_step="look at the repository; nothing was changed",
            )
        return manifest

    def listed(self) -> list[Listed]:
        """All backups, newest first, also those that cannot be used."""
        there = {entry.name for entry in self.bucket.names(self.root)}
        labels = {name[len(self.root) :].partition("/")[0] for name in there}
        labels = {label for label in labels if backup_manifest.LABEL.fullmatch(label)}
        return sorted(
            (self._listed(label, there) for label in labels),
            key=lambda e: (e.manifest.sequence if e.manifest else 0, e.label),
            reverse=True,
        )

    def _listed(self, label: str, there: set[str]) -> Listed:
        name = self.name(label, MANIFEST)
        if name not in there:
            return Listed(label, problem="no manifest: it was not finished")
        data = self.bucket.read(name) or b""
        try:
            manifest, _mark, _body = backup_manifest.read(data, name)
        except MainstayError as error:
            return Listed(label, problem=f"{error.what}: {error.found}")
        missing = [p.name for p in manifest.parts if self.name(label, p.name) not in there]
        if missing:
            return Listed(label, manifest, False, problem=f"missing: {', '.join(missing)}")
        marker = self.name(label, VERIFIED)
        told = self.bucket.read(marker) if marker in there else None
        verified, moment = backup_manifest.verified_of(told, data)
        return Listed(label, manifest, verified, moment)

    def verify(self, label: str, now: datetime) -> list[str]:
        """Read every part back; what is wrong, in sentences. The answer is kept beside it."""
        manifest = self.manifest(label)
        keys = self.keys(manifest)
        problems = []
        for part in manifest.parts:
            try:
                for _piece in self.read_part(manifest, part, keys):
                    pass
            except MainstayError as error:
                problems.append(f"{error.subject}: {error.what}: {error.found}")
        data = self.bucket.read(self.name(label, MANIFEST)) or b""
        told = backup_manifest.verified_document(data, backup_manifest.stamp(now), problems)
        self.bucket.put(self.name(label, VERIFIED), told)
        return problems

    def read_part(
        self, manifest: Manifest, part: Part, keys: Optional[Keys], keep: Optional[IO[bytes]] = None
    ) -> Iterator[bytes]:
        """What a part holds, and in C(keep) what is stored. An error at its end when it is not what
        was written."""
        name = self.name(manifest.label, part.name)
        plain, counted = _Count(), _Count(keep)
        stored = counted.over(self.bucket.stream(name))
        yield from plain.over(unseal(keys, name, stored) if keys else stored)
        for what, count, size, sha256 in (
            ("stored", counted, part.stored_size, part.stored_sha256),
            ("opened", plain, part.size, part.sha256),
        ):
            if (count.size, count.digest) != (size, sha256):
                raise MainstayError(
                    "the object of the backup is not what was written",
                    subject=name,
                    found=f"{what}: {count.size} bytes, SHA-256 {count.digest[:16]}…",
                    expected=f"{size} bytes, SHA-256 {sha256[:16]}…",
                    next_step="use another backup, and look what changed the bucket",
                )

    def fetch(self, manifest: Manifest, part: Part, keys: Optional[Keys], folder: str) -> str:
        """The whole part, checked, as a file; sealed again where it is sealed in the repository.

        A restore reads from the file, so nothing can go wrong with the repository half way.
        """
        path = os.path.join(folder, part.name)
        with open(path, "wb", opener=_private) as file:
            for _piece in self.read_part(manifest, part, keys, keep=file):
                pass
        return path

    def expire(self, label: str) -> None:
        """Remove a backup: its manifest first, so nobody takes the rest for one."""
        names = [entry.name for entry in self.bucket.names(self.name(label, ""))]
        first = self.name(label, MANIFEST)
        for name in sorted(names, key=lambda n: n != first):
            self.bucket.remove(name)

    def abandoned(self, now: datetime) -> list[str]:
        """Labels without a manifest, all of whose objects are older than a day."""
        newest: dict[str, datetime] = {}
        finished = set()
        for entry in self.bucket.names(self.root):
            label, _slash, file = entry.name[len(self.root) :].partition("/")
            if file == MANIFEST:
                finished.add(label)
            newest[label] = max(newest.get(label, entry.modified), entry.modified)
        return sorted(
            label
            for label, moment in newest.items()
            if label not in finished
            and backup_manifest.LABEL.fullmatch(label)
            and now - moment > ABANDONED
        )


def opened(path: str, name: str, keys: Optional[Keys]) -> Iterator[bytes]:
    """What a fetched part holds."""
    with open(path, "rb") as file:
        blocks = iter(lambda: file.read(1 << 20), b"")
        yield from (unseal(keys, name, blocks) if keys else blocks)


class _Count:
    """Size and checksum of what goes by, and a copy of it in C(keep)."""

    def __init__(self, keep: Optional[IO[bytes]] = None) -> None:
        self.size = 0
        self._keep = keep
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def over(self, source: Iterable[bytes]) -> Iterator[bytes]:
        for piece in source:
            self.size += len(piece)
            self._hash.update(piece)
            if self._keep is not None:
                self._keep.write(piece)
            yield piece


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def as_document(data: bytes, name: str) -> dict[str, object]:
    """The objects of a backup, as they were put away."""
    try:
        found = json.loads(data)
    except ValueError as error:
        raise MainstayError("the objects of the backup cannot be read", subject=name) from error
    if not isinstance(found, dict):
        raise MainstayError("the objects of the backup cannot be read", subject=name)
    return found
