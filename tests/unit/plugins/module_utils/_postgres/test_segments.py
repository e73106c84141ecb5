# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a segment again, and the tail that no repository has."""

from __future__ import annotations

import hashlib
import pathlib

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    segments,
    tail,
    wal,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import Entry
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    ArchivedFile,
    Catalog,
)

SIZE = 1 << 20
OWNER = 7000000000000000001
NAME = wal.join(1, 3, SIZE)


def content(number: int = 3, owner: int = OWNER) -> bytes:
    head = segments._HEADER.pack(0xD110, 2, 1, number * SIZE, 0, owner, SIZE, 8192)
    return head + b"r" * (SIZE - len(head))


SOUND = content()
CHECKSUM = hashlib.sha1(SOUND, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("data", "checksum", "words"),
    [
        pytest.param(SOUND, CHECKSUM, None, id="sound"),
        pytest.param(SOUND[:-1] + b"x", CHECKSUM, "SHA-1", id="one byte"),
        pytest.param(SOUND[:-1], CHECKSUM, f"{SIZE - 1} bytes", id="short"),
        pytest.param(content(owner=5), "", "WAL of cluster 5", id="foreign"),
        pytest.param(content(number=4), "", "WAL from 0/400000 on", id="another segment"),
    ],
)
def test_read_again(data: bytes, checksum: str, words: str | None) -> None:
    item = ArchivedFile(NAME, f"wal/{NAME}", 1, checksum)
    parts = iter([data[:7], data[7:100], data[100:]])
    found = segments.check(item, parts, str(OWNER), SIZE)
    if words is None:
        assert found is None
    else:
        assert found is not None
        assert (found.kind, found.subject) == ("wal_damaged", NAME)
        assert words in found.found


def test_names_in_an_archive() -> None:
    entries = [
        Entry(f"wal/0000000100000000/{NAME}-{CHECKSUM}.gz", 10, 1.0),
        Entry("wal/00000002.history", 10, 2.0),
        Entry(f"wal/0000000100000000/{NAME}.00000028.backup", 10, 2.0),
        Entry(f"wal/0000000100000000/{NAME}.partial-{CHECKSUM}.gz", 10, 2.0),
        Entry(f"wal/0000000100000000/.{NAME}-{CHECKSUM}.gz.77", 10, 2.0),
    ]
    names = [f.name for f in segments.parse_entries(entries)]
    assert names == [NAME, "00000002.history"]


def test_the_tail_is_what_was_written_and_not_archived(tmp_path: pathlib.Path) -> None:
    place = tmp_path / "pg_wal"
    (place / "archive_status").mkdir(parents=True)
    for number in (3, 4, 5):
        (place / wal.join(1, number, SIZE)).write_bytes(content(number))
    # Kept for later use: the name of the future, the content of the past.
    (place / wal.join(1, 6, SIZE)).write_bytes(content(1))
    (place / "00000002.history").write_text("1\t0/300000\tx\n")
    (place / "archive_status" / f"{wal.join(1, 4, SIZE)}.done").touch()
    known = Catalog(archive=(ArchivedFile(NAME, "x", 1),))
    found = [w.name for w in tail.waiting(str(tmp_path), known, SIZE)]
    assert found == [wal.join(1, 4, SIZE), wal.join(1, 5, SIZE), "00000002.history"]
    lost = tail.waiting(str(tmp_path), known, SIZE, finished=True)
    assert [w.name for w in lost] == [wal.join(1, 4, SIZE)]
