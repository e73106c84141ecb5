# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a WAL archive: finding them, and reading what is in them."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import wal
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import (
    Entry,
    Unreachable,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    CRITICAL,
    ArchivedFile,
    Catalog,
    Finding,
)

_STORED = re.compile(r"^([0-9A-F]{24})-([0-9a-f]{40})(?:\.[a-z0-9]+)?$")
#: XLogLongPageHeaderData of PostgreSQL (src/include/access/xlog_internal.h): magic, info, timeline,
#: address of the page, remaining length, padding, system identifier, segment size, block size.
_HEADER = struct.Struct("<HHIQI4xQII")


def parse_entries(entries: Iterable[Entry]) -> list[ArchivedFile]:
    """Segments and history files; what else an archive holds is left out."""
    found = []
    for entry in entries:
        name = entry.path.rpartition("/")[2]
        match = _STORED.match(name)
        if match:
            item = ArchivedFile(
                match.group(1), entry.path, entry.size, match.group(2), entry.modified
            )
            found.append(item)
        elif wal.history_timeline(name):
            found.append(ArchivedFile(name, entry.path, entry.size, "", entry.modified))
    return found


def with_archive(catalog: Catalog, entries: Iterable[Entry], read: Callable[[str], str]) -> Catalog:
    """The catalog with the files of the archive and the histories in it."""
    files = parse_entries(entries)
    histories = {
        wal.history_timeline(f.name): wal.parse_history(read(f.path))
        for f in files
        if wal.history_timeline(f.name)
    }
    return replace(catalog, archive=tuple(files), histories=histories)


def find(name: str, entries: Iterable[Entry]) -> Optional[ArchivedFile]:
    """The segment called C(name)."""
    return next((f for f in parse_entries(entries) if f.name == name), None)


def check(
    item: ArchivedFile, blocks: Iterator[bytes], identifier: str, size: int
) -> Optional[Finding]:
    """Read a segment again: its checksum, its length, and whose it says it is."""
    digest = hashlib.sha1(usedforsecurity=False)
    length, head = 0, b""
    try:
        for part in blocks:
            digest.update(part)
            length += len(part)
            head = head if len(head) >= _HEADER.size else (head + part)[: _HEADER.size]
    except Unreachable:
        raise
    except MainstayError as error:
        return _damaged(item, f"{error.what} ({error.found})", "a file that can be read")
    if not wal.is_segment(item.name):
        return None
    if length != size:
        return _damaged(item, f"{length} bytes", f"{size} bytes")
    if item.checksum and digest.hexdigest() != item.checksum:
        return _damaged(item, f"SHA-1 {digest.hexdigest()}", f"SHA-1 {item.checksum}")
    return _check_header(item, head, identifier, size)


def _check_header(item: ArchivedFile, head: bytes, identifier: str, size: int) -> Optional[Finding]:
    _magic, _info, _timeline, address, _rest, owner, _size, _block = _HEADER.unpack(head)
    if identifier and str(owner) != identifier:
        return _damaged(item, f"WAL of cluster {owner}", f"cluster {identifier}")
    expected = wal.split(item.name, size)[1] * size
    if address != expected:
        return _damaged(
            item, f"WAL from {wal.format_lsn(address)} on", f"from {wal.format_lsn(expected)} on"
        )
    return None


def _damaged(item: ArchivedFile, found: str, expected: str) -> Finding:
    return Finding(
        CRITICAL,
        "wal_damaged",
        item.name,
        f"{item.path}: {found}",
        expected,
        "take a full backup now; moments behind this segment cannot be restored",
    )
