# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the test cluster that decide what is ended and what is built."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "testbed"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "testbed" / "kubernetes"))

from cluster import binary, control, images, node, processes, settings


@pytest.fixture(autouse=True)
def state(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Pids and logs in a directory of the test."""
    monkeypatch.setattr(processes, "STATE", tmp_path)
    monkeypatch.setattr(processes, "PIDS", tmp_path / "pids")
    monkeypatch.setattr(processes, "LOGS", tmp_path / "logs")
    return tmp_path


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is not ours."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_what_was_started_is_ended() -> None:
    processes.start("sleeper", ["sleep", "60"])
    pid = processes.running("sleeper")
    assert pid is not None
    assert processes.stop("sleeper")
    assert processes.running("sleeper") is None
    assert not processes.stop("sleeper"), "a second time there is nothing to end"


def test_a_number_that_went_to_another_process_is_left_alone(
    state: pathlib.Path, stranger: subprocess.Popen[bytes]
) -> None:
    """A number may have gone to somebody else: the command line decides."""
    processes.start("sleeper", ["sleep", "61"])
    own = processes.running("sleeper")
    file = state / "pids" / "sleeper"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n", encoding="utf-8")
    assert not processes.stop("sleeper")
    assert stranger.poll() is None
    file.write_text("\n".join([str(own), *lines[1:]]) + "\n", encoding="utf-8")
    assert processes.stop("sleeper")


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(processes.BedError, match="no-such-program is not installed"):
        processes.start("x", ["no-such-program"])


def test_everything_listens_on_its_own_address() -> None:
    for command in control.commands().values():
        words = " ".join(command)
        assert "0.0.0.0" not in words
        assert settings.ADDRESS in words or "--kubeconfig" in words
    assert node._kubelet()["address"] == settings.ADDRESS


def test_the_binary_is_built_again_only_for_another_source(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("go.mod", "go.sum", "main.go"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(binary, "SOURCE", tmp_path)
    monkeypatch.setattr(binary, "run", lambda command: "go1.26")
    first = binary.digest()
    assert binary.digest() == first
    (tmp_path / "go.sum").write_text("other", encoding="utf-8")
    assert binary.digest() != first


def test_an_archive_of_images_has_a_name_for_each(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json
    import tarfile

    seen: list[list[dict[str, object]]] = []

    def imported(command: list[str]) -> str:
        with tarfile.open(command[-1]) as archive:
            listed = archive.extractfile("manifest.json")
            assert listed is not None
            seen.append(json.loads(listed.read()))
            assert {"layer.tar", "manifest.json"} < set(archive.getnames())
        return ""

    monkeypatch.setattr(images, "STATE", tmp_path)
    monkeypatch.setattr(images, "run", imported)
    images.load({"a:1": {"User": "1"}, "a:2": {"User": "2"}}, b"tar")
    assert [entry["RepoTags"] for entry in seen[0]] == [["a:1"], ["a:2"]]
    assert not (tmp_path / "images.tar").exists()
