# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration tree of Nginx on disk: staged beside the live one, then exchanged with it."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import posixpath
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    read_json,
    write_atomic,
    write_json,
)

#: What this collection wrote, kept in the tree so that it travels with it.
MANIFEST = "mainstay/manifest.json"
#: Readable by Nginx workers (pages); files with secrets are for the master, which is root.
MODE, SECRET_MODE = 0o644, 0o600
_EXCHANGE = 2
_AT_FDCWD = -100
#: A directory that is a mount point, or lies in a lower layer of a container's file system,
#: cannot be exchanged; then the changed files are replaced one by one, each atomically.
_NO_EXCHANGE = {errno.EXDEV, errno.EINVAL, errno.EBUSY, errno.ENOSYS}


@dataclass(frozen=True)
class Wanted:
    """The files of the tree by relative path, and files elsewhere that a reload must pick up."""

    files: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    watched: tuple[str, ...] = ()

    @property
    def everything(self) -> dict[str, str]:
        """Both kinds."""
        return {**self.files, **self.secrets}


@dataclass(frozen=True)
class Change:
    """What differs: paths to write, paths to remove, watched files that are new."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.written or self.removed or self.watched)

    @property
    def paths(self) -> tuple[str, ...]:
        """Everything that must be put in place; the manifest belongs to it."""
        return (*self.written, *self.removed, MANIFEST)


class Tree:
    """The directory C(root), its staged copy and its predecessor."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self.staged = f"{self.root}.mainstay-staged"
        self.previous = f"{self.root}.mainstay-previous"
        self.pending = f"{self.root}.mainstay-pending"
        self._exchanged = False

    def read(self, path: str) -> Optional[str]:
        """A file of the live tree; C(None) when there is none."""
        try:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as handle:
                return handle.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def change(self, wanted: Wanted) -> Change:
        """What must be done to have C(wanted)."""
        check_paths(wanted.everything)
        manifest = read_json(os.path.join(self.root, MANIFEST)) or {}
        known = manifest.get("watched") or {}
        everything = wanted.everything
        return Change(
            written=tuple(p for p in sorted(everything) if self.read(p) != everything[p]),
            removed=tuple(
                path
                for path in sorted(manifest.get("files") or [])
                if path not in everything and self.read(path) is not None
            ),
            watched=tuple(
                path
                for path, digest in digests(wanted.watched).items()
                if known.get(path) != digest
            ),
        )

    def stage(self, wanted: Wanted, change: Change) -> None:
        """Copy the tree and apply the change to the copy."""
        self.discard()
        shutil.copytree(self.root, self.staged, symlinks=True)
        for path in change.written:
            mode = SECRET_MODE if path in wanted.secrets else MODE
            target = os.path.join(self.staged, path)
            os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
            write_atomic(target, wanted.everything[path].encode("utf-8"), mode)
        for path in change.removed:
            os.unlink(os.path.join(self.staged, path))
        manifest = {"files": sorted(wanted.everything), "watched": digests(wanted.watched)}
        write_json(os.path.join(self.staged, MANIFEST), manifest)

    def discard(self) -> None:
        """Remove the staged copy."""
        shutil.rmtree(self.staged, ignore_errors=True)

    def swap(self, change: Change) -> None:
        """Put the staged copy in place; what was there becomes the predecessor."""
        write_atomic(self.pending, b"a reload is due\n")
        shutil.rmtree(self.previous, ignore_errors=True)
        try:
            exchange(self.staged, self.root)
        except OSError as error:
            if error.errno not in _NO_EXCHANGE:
                raise
            shutil.copytree(self.root, self.previous, symlinks=True)
            _copy(change.paths, self.staged, self.root)
            self.discard()
            return
        self._exchanged = True
        os.rename(self.staged, self.previous)

    def put_back(self, change: Change) -> None:
        """Undo L(swap)."""
        if self._exchanged:
            exchange(self.previous, self.root)
            return
        _copy(change.paths, self.previous, self.root)

    def loaded(self) -> None:
        """Nginx serves by the tree now."""
        if os.path.exists(self.pending):
            os.unlink(self.pending)

    @property
    def reload_due(self) -> bool:
        """A run ended between swap and reload."""
        return os.path.exists(self.pending)


def digests(paths: Iterable[str]) -> dict[str, str]:
    """SHA-256 by path; a missing file has none."""
    found: dict[str, str] = {}
    for path in sorted(paths):
        try:
            with open(path, "rb") as handle:
                found[path] = hashlib.sha256(handle.read()).hexdigest()
        except FileNotFoundError:
            found[path] = ""
    return found


def check_paths(paths: Iterable[str]) -> None:
    """Refuse paths that lead out of the tree."""
    wrong = [p for p in paths if p != posixpath.normpath(p) or p.startswith(("/", ".."))]
    if wrong or MANIFEST in paths:
        raise MainstayError(
            "not a path below the configuration directory; nothing was changed",
            subject="files",
            found=", ".join(sorted(wrong)) or MANIFEST,
            expected="a relative path without . and ..",
        )


def exchange(one: str, other: str) -> None:
    """Two directories take each other's name in one step."""
    library = ctypes.CDLL(None, use_errno=True)
    result = library.renameat2(
        _AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_EXCHANGE)
    )
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), one)


def _copy(paths: Iterable[str], source: str, target: str) -> None:
    """Replace the files one by one, nginx.conf last: it names the others."""
    for path in sorted(paths, key=lambda p: (p == "nginx.conf", p)):
        origin, place = os.path.join(source, path), os.path.join(target, path)
        if os.path.exists(origin):
            os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
            with open(origin, "rb") as handle:
                write_atomic(place, handle.read(), os.stat(origin).st_mode & 0o777)
        elif os.path.exists(place):
            os.unlink(place)
