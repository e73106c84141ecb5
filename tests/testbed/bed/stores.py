# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of PostgreSQL and Redis, made from Debian's packages to look like the usual ones."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import pathlib
import shutil
from typing import Any

from . import debian, push
from .settings import RECIPES, STATE
from .shell import run

_HEALTH_SECONDS = 2
_SECOND = 1_000_000_000
BLOBS = STATE / "stores"


@dataclasses.dataclass(frozen=True)
class Store:
    """One image of a store: the version is the one that the Debian release ships."""

    repository: str
    tag: str
    suite: str
    package: str
    directory: str
    port: int
    health: tuple[str, ...]
    command: tuple[str, ...]
    path: str = "/usr/local/bin:/usr/bin:/bin"

    def tree(self) -> debian.Tree:
        """What the image is made of."""
        return debian.Tree(
            self.suite,
            (self.package,),
            variant="essential",
            hook=str(RECIPES / f"{self.repository}-tree"),
        )

    def settings(self) -> dict[str, Any]:
        """The configuration of the image, in Docker's words."""
        health = {"Test": ["CMD", *self.health], "Interval": _HEALTH_SECONDS * _SECOND}
        return {
            "Env": [f"PATH={self.path}", f"PGDATA={self.directory}", "LANG=C.UTF-8"],
            "Entrypoint": ["/usr/local/bin/entrypoint"],
            "Cmd": list(self.command),
            "WorkingDir": "/" if self.repository == "postgres" else self.directory,
            "ExposedPorts": {f"{self.port}/tcp": {}},
            "Volumes": {self.directory: {}},
            "Healthcheck": {**health, "Timeout": 3 * _SECOND, "Retries": 5},
            # PostgreSQL ends sessions at once on SIGINT, and waits for them on SIGTERM.
            "StopSignal": "SIGINT" if self.repository == "postgres" else "SIGTERM",
        }


def _postgres(major: int, suite: str) -> Store:
    return Store(
        "postgres",
        str(major),
        suite,
        f"postgresql-{major}",
        "/var/lib/postgresql/data",
        5432,
        ("pg_isready", "--quiet", "--host=127.0.0.1"),
        ("postgres",),
        f"/usr/lib/postgresql/{major}/bin:/usr/local/bin:/usr/bin:/bin",
    )


def _redis(major: int, suite: str) -> Store:
    # An answer that needs a password is an answer.
    health = ("redis-cli", "ping")
    return Store(
        "redis", str(major), suite, "redis-server", "/data", 6379, health, ("redis-server",)
    )


STORES = (_postgres(15, "bookworm"), _postgres(17, "trixie"), _redis(7, "bookworm"))


def publish(store: Store, registry: push.Registry, architecture: str) -> str:
    """Push the image unless it is there; its digest comes back."""
    layer = _layer(store)
    parts = push.image(layer, store.settings(), architecture)
    return registry.push(store.repository, store.tag, layer, parts)


def archive(store: Store) -> pathlib.Path:
    """The compressed tree of the image, made when it is not there (about a minute)."""
    blob = _layer(store).blob.content
    assert isinstance(blob, pathlib.Path)
    return blob


def _digest(store: Store) -> str:
    content = hashlib.sha256(repr((store.suite, store.package, store.tree().left_out)).encode())
    for ending in ("tree", "entrypoint"):
        content.update((RECIPES / f"{store.repository}-{ending}").read_bytes())
    return content.hexdigest()[:16]


def _layer(store: Store) -> push.Layer:
    name = f"{store.repository}-{store.tag}-{_digest(store)}"
    blob, facts = BLOBS / f"{name}.tar.gz", BLOBS / f"{name}.json"
    if not (blob.exists() and facts.exists()):
        archive = BLOBS / f"{name}.tar"
        debian.make(store.tree(), archive)
        try:
            diff_id = f"sha256:{_compress(archive, blob)}"
        finally:
            archive.unlink(missing_ok=True)
        found = push.Blob.of_file(blob)
        known = {"diff_id": diff_id, "digest": found.digest, "size": found.size}
        facts.write_text(json.dumps(known), encoding="utf-8")
    known = json.loads(facts.read_text(encoding="utf-8"))
    return push.Layer(push.Blob(blob, known["digest"], known["size"]), known["diff_id"])


def _compress(archive: pathlib.Path, blob: pathlib.Path) -> str:
    part = blob.with_suffix(".part")
    with archive.open("rb") as source, gzip.open(part, "wb", compresslevel=3) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    part.replace(blob)
    return run(["sha256sum", str(archive)]).split()[0]
