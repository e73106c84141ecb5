# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive command of the native engine, and its opposite. It needs nothing but Python 3.9.

    archiver.py push  REPOSITORY PATH NAME     for archive_command:  ... push /repo "%p" "%f"
    archiver.py fetch REPOSITORY NAME PATH     for restore_command:  ... fetch /repo "%f" "%p"

push ends with 0 only when the file is on the disk under its name, its directory synced. A file that
is there already with the same content is a success (PostgreSQL repeats after a crash), with another
content a failure: nothing is ever overwritten. fetch ends with 0, with 1 when there is no such
file, and with 2 when it cannot tell, so that a repository that is not mounted never looks like the
end of the WAL.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import sys
import zlib
from typing import Optional

SEGMENT = re.compile(r"^[0-9A-F]{24}$")
STORED = re.compile(r"^([0-9A-F]{24})-([0-9a-f]{40})\.gz$")
#: Start of the first page of a segment, up to the system identifier (access/xlog_internal.h).
HEADER = struct.Struct("<HHIQI4xQ")
#: Level 1 takes a fifth of the time of level 6 for segments that are a tenth larger.
LEVEL = 1


class Refused(Exception):
    """The file was not stored, or cannot be given."""


def directory_of(repository: str, name: str) -> str:
    """Where a file belongs: segments by their first 16 signs, the rest at the top."""
    top = os.path.join(repository, "wal")
    return os.path.join(top, name[:16]) if SEGMENT.match(name) else top


def stored_as(directory: str, name: str) -> Optional[str]:
    """The name a segment has in the repository."""
    try:
        known = os.listdir(directory)
    except FileNotFoundError:
        return None
    for entry in known:
        match = STORED.match(entry)
        if match and match.group(1) == name:
            return entry
    return name if name in known and not SEGMENT.match(name) else None


def identity(repository: str) -> str:
    """The system identifier of the repository's cluster. Its file also proves it is mounted."""
    path = os.path.join(repository, "cluster.json")
    try:
        with open(path, encoding="utf-8") as handle:
            return str(json.load(handle)["system_identifier"])
    except (OSError, ValueError, KeyError) as error:
        raise Refused(f"{path} cannot be read: {error}; is the repository mounted?") from error


def push(repository: str, path: str, name: str) -> None:
    """Store one file."""
    own = identity(repository)
    with open(path, "rb") as handle:
        data = handle.read()
    if SEGMENT.match(name):
        owner = str(HEADER.unpack(data[: HEADER.size])[5])
        if owner != own:
            raise Refused(f"{name} is WAL of cluster {owner}, the repository is of {own}")
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    directory = directory_of(repository, name)
    if not os.path.isdir(directory):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        _sync(os.path.dirname(directory))
    known = stored_as(directory, name)
    if known is not None:
        if content(os.path.join(directory, known)) != data:
            raise Refused(f"{name} is in the repository with another content; it stays")
        _sync_file(os.path.join(directory, known))
        _sync(directory)
        return
    final = f"{name}-{digest}.gz" if SEGMENT.match(name) else name
    _store(directory, final, _gzip(data) if final.endswith(".gz") else data)


def _gzip(data: bytes) -> bytes:
    machine = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    return machine.compress(data) + machine.flush()


def _store(directory: str, name: str, data: bytes) -> None:
    """Written beside its name, synced, linked (which never replaces), its directory synced."""
    temporary = os.path.join(directory, f".{name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        os.link(temporary, os.path.join(directory, name))
    finally:
        os.unlink(temporary)
    _sync(directory)


def _sync(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def content(path: str) -> bytes:
    """What a stored file holds; Refused when it is damaged."""
    with open(path, "rb") as handle:
        data = handle.read()
    match = STORED.match(os.path.basename(path))
    if match is None:
        return data
    try:
        machine = zlib.decompressobj(wbits=31)
        data = machine.decompress(data) + machine.flush()
    except zlib.error as error:
        raise Refused(f"{path} is damaged: {error}") from error
    if hashlib.sha1(data, usedforsecurity=False).hexdigest() != match.group(2):
        raise Refused(f"{path} is damaged: its checksum is another one")
    return data


def fetch(repository: str, name: str, path: str) -> bool:
    """Bring one file back; false when there is none."""
    identity(repository)
    directory = directory_of(repository, name)
    known = stored_as(directory, name)
    if known is None:
        return False
    data = content(os.path.join(directory, known))
    temporary = f"{path}.mainstay"
    with open(temporary, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)
    return True


def main(arguments: list[str]) -> int:
    """0 is done, 1 is not there (fetch) or not stored (push), 2 is that it cannot tell."""
    if len(arguments) != 4 or arguments[0] not in ("push", "fetch"):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    work, repository, first, second = arguments
    try:
        if work == "push":
            push(repository, first, second)
            return 0
        return 0 if fetch(repository, first, second) else 1
    except (Refused, OSError, struct.error) as error:
        sys.stderr.write(f"mainstay archive {work}: {error}\n")
        return 1 if work == "push" else 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
