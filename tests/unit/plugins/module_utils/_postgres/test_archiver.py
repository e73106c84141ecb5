# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive command: durable, never replacing, never mistaking a lost mount for the end."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import archiver

NAME = "000000010000000000000003"
OWN = 7000000000000000001


def segment(content: bytes = b"x", owner: int = OWN) -> bytes:
    head = archiver.HEADER.pack(0xD110, 2, 1, 3 << 24, 0, owner)
    return head + content * 1000


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> pathlib.Path:
    place = tmp_path / "repo"
    (place / "wal").mkdir(parents=True)
    (place / "cluster.json").write_text(json.dumps({"system_identifier": str(OWN)}))
    return place


def push(repository: pathlib.Path, data: bytes, name: str = NAME) -> int:
    path = repository.parent / "source"
    path.write_bytes(data)
    return archiver.main(["push", str(repository), str(path), name])


def fetch(repository: pathlib.Path, name: str = NAME) -> tuple[int, bytes]:
    path = repository.parent / "target"
    code = archiver.main(["fetch", str(repository), name, str(path)])
    return code, path.read_bytes() if path.exists() else b""


def stored(repository: pathlib.Path) -> list[pathlib.Path]:
    return [p for p in (repository / "wal").rglob("*") if p.is_file()]


def test_there_and_back(repository: pathlib.Path) -> None:
    assert push(repository, segment()) == 0
    assert fetch(repository) == (0, segment())
    assert len(stored(repository)) == 1


def test_the_same_again_is_fine(repository: pathlib.Path) -> None:
    assert [push(repository, segment()), push(repository, segment())] == [0, 0]
    assert len(stored(repository)) == 1


@pytest.mark.parametrize("name", [NAME, "00000002.history"])
def test_another_content_is_refused_and_the_first_stays(
    repository: pathlib.Path, name: str
) -> None:
    assert push(repository, segment(b"a"), name) == 0
    assert push(repository, segment(b"b"), name) == 1
    assert fetch(repository, name) == (0, segment(b"a"))


def test_wal_of_another_cluster_is_refused(repository: pathlib.Path) -> None:
    assert push(repository, segment(owner=5)) == 1
    assert stored(repository) == []


def test_what_is_not_there_is_one_and_a_lost_mount_is_two(repository: pathlib.Path) -> None:
    assert fetch(repository)[0] == 1
    (repository / "cluster.json").unlink()
    assert fetch(repository)[0] == 2


def test_a_flipped_bit_is_never_given_out(repository: pathlib.Path) -> None:
    push(repository, segment())
    (path,) = stored(repository)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    assert fetch(repository) == (2, b"")


def test_synced_before_it_has_its_name(
    repository: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of the calls: file synced, linked, directory synced."""
    calls: list[str] = []
    fsync, link = os.fsync, os.link

    def note_fsync(descriptor: int) -> None:
        calls.append("dir" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    def note_link(source: str, target: str) -> None:
        calls.append("link")
        link(source, target)

    monkeypatch.setattr(archiver.os, "fsync", note_fsync)
    monkeypatch.setattr(archiver.os, "link", note_link)
    assert push(repository, segment()) == 0
    assert calls == ["dir", "file", "link", "dir"]


def test_a_full_disk_leaves_nothing(
    repository: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (repository / "wal" / NAME[:16]).mkdir()
    monkeypatch.setattr(archiver.os, "fsync", full)
    assert push(repository, segment()) == 1
    assert stored(repository) == []
