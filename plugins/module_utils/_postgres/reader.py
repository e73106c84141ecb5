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
#: Of a file that cannot be deciphered (CryptoError).
_CRYPTO = 31


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
        the repository cannot be asked. Of one that the engine encrypts: what it deciphers.
        """

    def stored(self, path: str) -> Iterator[bytes]:
        """The bytes as they lie in the repository, which checksums of stored files are about."""


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

    def stored(self, path: str) -> Iterator[bytes]:
        """See L(Reader)."""
        return self.blocks(path)


class ProgramReader:
    """Any repository of pgBackRest, through its own commands, which also decipher."""

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
        return self._get([*self.base, "repo-get", path], path)

    def stored(self, path: str) -> Iterator[bytes]:
        """See L(Reader)."""
        return self._get([*self.base, "--raw", "repo-get", path], path)

    def _get(self, argv: list[str], path: str) -> Iterator[bytes]:
        try:
            yield self.programs.raw(argv, FILE_LIMIT)
        except MainstayError as error:
            if error.found == f"exit status {_MISSING}" or _undeciphered(error):
                raise
            raise Unreachable(**{**error.parts(), "subject": path}) from error


def _undeciphered(error: MainstayError) -> bool:
    """Whether a file came, and was not what its key makes of it: it is damaged."""
    return error.found == f"exit status {_CRYPTO}"


class EncryptedReader:
    """A repository that pgBackRest encrypts: names and stored bytes from C(place), the rest through
    pgBackRest, which knows the key of each file.
    """

    def __init__(self, place: Reader, engine: ProgramReader) -> None:
        self.place = place
        self.engine = engine

    def entries(self, below: str) -> list[Entry]:
        """See L(Reader)."""
        return self.place.entries(below)

    def blocks(self, path: str) -> Iterator[bytes]:
        """See L(Reader)."""
        return self.engine.blocks(path)

    def stored(self, path: str) -> Iterator[bytes]:
        """See L(Reader)."""
        return self.place.stored(path)


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


def decipher(data: bytes, secret: str) -> bytes:
    """The plain bytes of what pgBackRest encrypted: salted AES-256 in CBC, as C(openssl enc)
    has it, with a key that SHA-1 makes of C(secret). MainstayError when the data is damaged.
    """
    path = shutil.which("openssl")
    if path is None:
        raise Unreachable(
            "the program openssl is missing, so that a bundle cannot be read",
            subject="openssl",
            next_step="install the package openssl",
        )
    # Neither an argument nor an environment: other processes see those.
    ours, theirs = os.pipe()
    try:
        os.write(theirs, f"{secret}\n".encode())
        os.close(theirs)
        argv = [path, "enc", "-d", "-aes-256-cbc", "-md", "sha1", "-pass", f"fd:{ours}"]
        return _fed(argv, data, (ours,))
    except EOFError as error:
        raise MainstayError(
            "the file is damaged: it cannot be deciphered", found=str(error)
        ) from error
    finally:
        os.close(ours)


def _by_program(blocks: Iterator[bytes], suffix: str, programs: Optional[Programs]) -> bytes:
    program = {"zst": "zstd", "lz4": "lz4"}[suffix]
    path = shutil.which(program)
    if path is None or programs is None:
        raise Unreachable(
            f"the program {program} is missing, so that files cannot be read again",
            subject=program,
            next_step=f"install the package {program}, or set compress-type=gz in pgBackRest",
        )
    return _fed([path, "-dcq"], b"".join(blocks))


def _fed(argv: list[str], data: bytes, descriptors: tuple[int, ...] = ()) -> bytes:
    """What a program makes of C(data); EOFError when it cannot."""
    import subprocess

    try:
        # pylint: disable-next=ansible-bad-function
        done = subprocess.run(
            argv,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=FILE_LIMIT,
            check=False,
            pass_fds=descriptors,
        )
    except subprocess.TimeoutExpired as error:
        raise Unreachable(
            "a program did not end in time", subject=argv[0], found=f"{FILE_LIMIT:.0f} s"
        ) from error
    if done.returncode:
        raise EOFError(f"{os.path.basename(argv[0])} ends with status {done.returncode}")
    return done.stdout
