# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams to and from commands in a container; a shell stands for the docker program."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_client import CliClient
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


@pytest.fixture
def client(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> CliClient:
    """C(docker exec -i <container> command …) runs the command here."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$1 $2 $3" = "exec -i db" ] || exit 99\nshift 3\nexec "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return CliClient()


def test_output_goes_into_a_file_that_only_its_owner_reads(
    client: CliClient, tmp_path: pathlib.Path
) -> None:
    target = tmp_path / "dump"
    done = client.run("db", ["sh", "-c", "printf data; echo words >&2"], 30, target=str(target))
    assert (done.code, done.out, done.err) == (0, "", "words\n")
    assert target.read_bytes() == b"data"
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        client.run("db", ["true"], 30, target=str(target))


def test_input_comes_from_bytes_or_from_a_file(client: CliClient, tmp_path: pathlib.Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"from a file")
    assert client.run("db", ["cat"], 30, source=str(source)).out == "from a file"
    assert client.run("db", ["cat"], 30, data=b"bytes").out == "bytes"
    assert client.run("db", ["sh", "-c", "exit 3"], 30).code == 3


def test_what_does_not_end_is_an_error_that_names_the_container(client: CliClient) -> None:
    with pytest.raises(MainstayError, match="db: sleep: a command in the container did not end"):
        client.run("db", ["sleep", "60"], 0.2)


def test_a_host_without_the_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MainstayError, match="docker program is missing"):
        CliClient()
