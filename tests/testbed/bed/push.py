# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put images into a registry with nothing but its HTTP interface (Registry API, version 2)."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import http.client
import json
import pathlib
import ssl
import urllib.parse
from typing import Any, Optional, Union

from .shell import BedError

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_TIMEOUT = 60.0


@dataclasses.dataclass(frozen=True)
class Blob:
    """Content under its digest: bytes, or a file when it is large."""

    content: Union[bytes, pathlib.Path]
    digest: str
    size: int

    @classmethod
    def of_bytes(cls, content: bytes) -> Blob:
        """A blob of these bytes."""
        return cls(content, f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))

    @classmethod
    def of_file(cls, path: pathlib.Path) -> Blob:
        """A blob of this file."""
        found = hashlib.sha256()
        with path.open("rb") as stream:
            for part in iter(lambda: stream.read(1 << 20), b""):
                found.update(part)
        return cls(path, f"sha256:{found.hexdigest()}", path.stat().st_size)


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer: the compressed blob, and the digest of the tar inside."""

    blob: Blob
    diff_id: str


def layer_of(tar: bytes) -> Layer:
    """Compress a tar; the same tar gives the same blob."""
    diff_id = f"sha256:{hashlib.sha256(tar).hexdigest()}"
    return Layer(Blob.of_bytes(gzip.compress(tar, compresslevel=6, mtime=0)), diff_id)


def image(layer: Layer, settings: dict[str, Any], architecture: str) -> tuple[Blob, Blob]:
    """Configuration and manifest of an image of one layer."""
    config = Blob.of_bytes(
        _json(
            {
                "architecture": architecture,
                "os": "linux",
                "created": "1970-01-01T00:00:00Z",
                "config": settings,
                "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
                "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "mainstay bed"}],
            }
        )
    )
    manifest = Blob.of_bytes(
        _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "size": config.size, "digest": config.digest},
                "layers": [
                    {"mediaType": LAYER, "size": layer.blob.size, "digest": layer.blob.digest}
                ],
            }
        )
    )
    return config, manifest


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


class Registry:
    """One kept-alive connection to a registry."""

    def __init__(
        self, address: str, port: int, authority: pathlib.Path, user: str, password: str
    ) -> None:
        context = ssl.create_default_context(cafile=str(authority))
        self._connection = http.client.HTTPSConnection(
            address, port, timeout=_TIMEOUT, context=context
        )
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._authorization = f"Basic {token}"

    def push(self, repository: str, tag: str, layer: Layer, parts: tuple[Blob, Blob]) -> str:
        """Push an image; its digest comes back."""
        config, manifest = parts
        path = f"/v2/{repository}/manifests/{tag}"
        if self._digest_at(path) == manifest.digest:
            return manifest.digest
        self._upload(repository, layer.blob)
        self._upload(repository, config)
        self._expect(201, "PUT", path, manifest.content, {"Content-Type": MANIFEST})
        return manifest.digest

    def has(self, repository: str, tag: str) -> bool:
        """Whether the registry knows the tag."""
        return bool(self._digest_at(f"/v2/{repository}/manifests/{tag}"))

    def _digest_at(self, path: str) -> str:
        status, headers = self._call("HEAD", path, headers={"Accept": MANIFEST})
        return headers.get("Docker-Content-Digest", "") if status == 200 else ""

    def _upload(self, repository: str, blob: Blob) -> None:
        if self._call("HEAD", f"/v2/{repository}/blobs/{blob.digest}")[0] == 200:
            return
        headers = self._expect(202, "POST", f"/v2/{repository}/blobs/uploads/")
        where = urllib.parse.urlsplit(headers["Location"])
        path = f"{where.path}?{where.query}&digest={urllib.parse.quote(blob.digest)}"
        kind = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        if isinstance(blob.content, bytes):
            self._expect(201, "PUT", path, blob.content, kind)
            return
        with blob.content.open("rb") as stream:
            self._expect(201, "PUT", path, stream, kind)

    def _expect(
        self,
        expected: int,
        method: str,
        path: str,
        body: Any = None,
        headers: Optional[dict[str, str]] = None,
    ) -> http.client.HTTPMessage:
        status, answered = self._call(method, path, body, headers)
        if status != expected:
            raise BedError(f"The registry answered {method} {path} with {status}, not {expected}.")
        return answered

    def _call(
        self, method: str, path: str, body: Any = None, headers: Optional[dict[str, str]] = None
    ) -> tuple[int, http.client.HTTPMessage]:
        sent = {"Authorization": self._authorization, **(headers or {})}
        try:
            self._connection.request(method, path, body=body, headers=sent)
            answer = self._connection.getresponse()
            answer.read()
        except OSError as error:
            raise BedError(f"The registry did not answer {method} {path}: {error}") from error
        return answer.status, answer.headers
