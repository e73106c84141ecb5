# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a repository: names, bytes, checksums. Nothing is taken from the engine on trust."""

from __future__ import annotations

import bz2
import contextlib
import errno
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import Programs

BLOCK = 1 << 20
#: Seconds for one file from an object storage, and for a list of names.
FILE_LIMIT = 600.0
LIST_LIMIT = 300.0
#: What says that a file is gone or its disk is broken. Everything else (no right to read it, a
#: mount that is stale) says nothing about the file.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EIO, errno.EUCLEAN)
#: Exit status of pgBackRest for a file that is not there (FileMissingError).
_MISSING = 55


@dataclass(frozen=True)
class Entry:
    """A file of a repository."""

    path: str
    size: int
    modified: float


class Unreachable(MainstayError):
    """The repository does not tell what is in it. Nobody may call it damaged for that."""


class Reader(Protocol):
    """Files of a repository by their path in it."""

    def entries(self, below: str) -> list[Entry]:
        """All files below a directory, none when it does not exist."""

    def blocks(self, path: str) -> Iterator[bytes]:
        """The bytes of a file; MainstayError when it is not there or damaged, Unreachable when
        the repository cannot be asked.
        """


class DirectoryReader:
    """A repository in a directory of this host."""

    def __init__(self, root: str) -> None:
        self.root = root

    def entries(self, below: str) -> list[Entry]:
        """See L(Reader)."""
        found = []
        for directory, _names, files in os.walk(os.path.join(self.root, below)):
            for name in files:
                path = os.path.join(directory, name)
                with contextlib.suppress(FileNotFoundError):  # expired while we look
                    seen = os.stat(path)
                    inner = os.path.relpath(path, self.root)
                    found.append(Entry(inner, seen.st_size, seen.st_mtime))
        return sorted(found, key=lambda e: e.path)

    def blocks(self, path: str) -> Iterator[bytes]:
        """See L(Reader)."""
        try:
            with open(os.path.join(self.root, path), "rb") as handle:
                while True:
                    part = handle.read(BLOCK)
                    if not part:
                        return
                    yield part
        except OSError as error:
            kind = MainstayError if error.errno in _GONE else Unreachable
            raise kind(
                "a file of the repository cannot be read",
                subject=path,
                found=error.strerror or str(error),
            ) from error


class ProgramReader:
    """Any repository of pgBackRest, through its own commands."""

    def __init__(self, programs: Programs, base: list[str]) -> None:
        self.programs = programs
        self.base = base

    def entries(self, below: str) -> list[Entry]:
        """See L(Reader)."""
        argv = [*self.base, "--recurse", "--output=json", "repo-ls", below]
        raw = self.programs.raw(argv, LIST_LIMIT)
        document = json.loads(raw or b"{}")
        return sorted(
            (
                Entry(f"{below}/{name}", int(item.get("size", 0)), float(item.get("time", 0)))
                for name, item in document.items()
                if item.get("type") == "file"
            ),
            key=lambda e: e.path,
        )

    def blocks(self, path: str) -> Iterator[bytes]:
        """See L(Reader)."""
        try:
            yield self.programs.raw([*self.base, "repo-get", path], FILE_LIMIT)
        except MainstayError as error:
            if error.found == f"exit status {_MISSING}":
                raise
            raise Unreachable(**{**error.parts(), "subject": path}) from error


def read_text(reader: Reader, path: str) -> str:
    """A small file as text."""
    return b"".join(reader.blocks(path)).decode("utf-8")


def sha1_of(blocks: Iterator[bytes]) -> str:
    """SHA-1 in hexadecimal, which is what pgBackRest stores; no secret hangs on it."""
    digest = hashlib.sha1(usedforsecurity=False)
    for part in blocks:
        digest.update(part)
    return digest.hexdigest()


def expand(blocks: Iterator[bytes], name: str, programs: Optional[Programs]) -> Iterator[bytes]:
    """The uncompressed bytes of a file called C(name). MainstayError when it is damaged."""
    suffix = name.rpartition(".")[2]
    try:
        if suffix == "gz":
            yield from _inflate(blocks)
        elif suffix == "bz2":
            yield bz2.decompress(b"".join(blocks))
        elif suffix in ("zst", "lz4"):
            yield _by_program(blocks, suffix, programs)
        else:
            yield from blocks
    except (zlib.error, OSError, ValueError, EOFError) as error:
        raise MainstayError(
            "the file is damaged: it cannot be uncompressed", subject=name, found=str(error)
        ) from error


def _inflate(blocks: Iterator[bytes]) -> Iterator[bytes]:
    machine = zlib.decompressobj(wbits=31)
    for part in blocks:
        yield machine.decompress(part)
    yield machine.flush()
    if not machine.eof:
        raise EOFError("it ends too early")


def _by_program(blocks: Iterator[bytes], suffix: str, programs: Optional[Programs]) -> bytes:
    program = {"zst": "zstd", "lz4": "lz4"}[suffix]
    path = shutil.which(program)
    if path is None or programs is None:
        raise Unreachable(
            f"the program {program} is missing, so that files cannot be read again",
            subject=program,
            next_step=f"install the package {program}, or set compress-type=gz in pgBackRest",
        )
    return _pipe(path, b"".join(blocks))


def _pipe(path: str, data: bytes) -> bytes:
    import subprocess

    try:
        # pylint: disable-next=ansible-bad-function
        done = subprocess.run(
            [path, "-dcq"], input=data, stdout=subprocess.PIPE, timeout=FILE_LIMIT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unreachable(
            "uncompressing did not end in time", subject=path, found=f"{FILE_LIMIT:.0f} s"
        ) from error
    if done.returncode:
        raise EOFError(f"{os.path.basename(path)} ends with status {done.returncode}")
    return done.stdout
