# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate C(command) with real programs."""

from __future__ import annotations

import os
import pathlib
import select

import pytest

from .conftest import Judge


@pytest.mark.parametrize(
    ("script", "outcome", "observed"),
    [
        pytest.param("exit 0", "passed", "exit status 0", id="good"),
        pytest.param("exit 75", "held", "exit status 75", id="it could not decide"),
        pytest.param("exit 1", "failed", "exit status 1", id="bad"),
        pytest.param("kill -9 $$", "failed", "exit status -9", id="killed"),
        pytest.param("read x && exit 1; exit 0", "passed", "exit status 0", id="it gets no input"),
    ],
)
def test_exit_status(judge: Judge, script: str, outcome: str, observed: str) -> None:
    """Seen failing with 75 taken for any other status."""
    judged = judge(kind="command", command=["sh", "-c", script])
    assert (judged.gate["outcome"], judged.gate["observed"]) == (outcome, observed)
    assert judged.failed is (outcome != "passed")


def test_the_last_lines_are_the_evidence(judge: Judge) -> None:
    """Seen failing with standard error lost."""
    judged = judge(kind="command", command=["sh", "-c", "seq 30; echo why >&2; exit 1"])
    assert judged.gate["evidence"] == [*map(str, range(12, 31)), "why"]
    assert judged.message.endswith("| why")


def test_when_the_time_is_over_all_it_started_is_ended(
    judge: Judge, tmp_path: pathlib.Path
) -> None:
    """Seen failing with only the program itself ended: its child went on and kept the output."""
    note = tmp_path / "child"
    script = f"sleep 600 & echo $! > {note}; echo begun; wait"
    judged = judge(kind="command", command=["sh", "-c", script], timeout=2)
    assert judged.gate["outcome"] == "failed"
    assert judged.gate["observed"] == "still running after 2 s"
    assert judged.gate["evidence"] == ["begun"]
    try:
        handle = os.pidfd_open(int(note.read_text()))
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], 30)[0], "the child lives"
    finally:
        os.close(handle)


def test_a_program_that_is_not_there_is_named(judge: Judge) -> None:
    judged = judge(kind="command", command=["/nowhere/acceptance"])
    assert judged.gate["outcome"] == "failed"
    assert "/nowhere/acceptance" in judged.gate["observed"]
