# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the Go programs are counted as they ended, and a broken build is never a success."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tools import programs, summary


def event(action: str, test: str = "", **more: object) -> str:
    """One line of the output of go test -json."""
    named = {"Test": test} if test else {}
    return json.dumps({"Action": action, "Package": "bed/sample", **named, **more})


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([event("run", "TestA"), event("pass", "TestA")], {"TestA": "passed"}, id="ok"),
        pytest.param([event("fail", "TestA"), event("fail")], {"TestA": "failed"}, id="failure"),
        pytest.param([event("skip", "TestA"), event("pass")], {"TestA": "skipped"}, id="skipped"),
        pytest.param(
            [event("pass", "TestA/one"), event("pass", "TestA/two"), event("pass", "TestA")],
            {"TestA/one": "passed", "TestA/two": "passed"},
            id="parts",
        ),
        pytest.param(
            [event("pass", "TestA/one"), event("fail", "TestA/two"), event("fail", "TestA")],
            {"TestA/one": "passed", "TestA/two": "failed"},
            id="a part failed",
        ),
        pytest.param(
            [event("pass", "TestA/one"), event("fail", "TestA")],
            {"TestA/one": "passed", "TestA": "failed"},
            id="the whole failed after its parts",
        ),
        pytest.param(
            [event("pass", "TestA"), event("pass", "TestAB")],
            {"TestA": "passed", "TestAB": "passed"},
            id="a longer name is no part",
        ),
        pytest.param(["FAIL\tbed/sample [build failed]"], {}, id="plain text"),
    ],
)
def test_cases(lines: list[str], expected: dict[str, str]) -> None:
    assert {case.name: case.outcome for case in programs.cases(lines)} == expected


def test_a_failure_carries_what_the_test_printed() -> None:
    lines = [
        event("output", "TestA", Output="got 1, "),
        event("output", "TestA", Output="want 2\n"),
        event("fail", "TestA", Elapsed=0.5),
    ]
    assert programs.cases(lines) == [
        programs.Case("bed/sample", "TestA", "failed", 0.5, "got 1, want 2\n")
    ]


def test_a_program_that_does_not_build_is_a_failure(tmp_path: Path) -> None:
    passed = programs.cases([event("pass", "TestA")])
    found = programs.verdict("test", 1, "undefined: x", passed)
    assert [(case.name, case.outcome) for case in found] == [
        ("TestA", "passed"),
        ("test", "failed"),
    ]
    programs.junit(found).write(tmp_path / "unit.xml", encoding="unicode")
    assert summary.read(tmp_path / "unit.xml") == summary.Counts(passed=1, failed=1)


def test_a_failed_test_is_counted_once() -> None:
    failed = programs.cases([event("fail", "TestA"), event("fail")])
    assert programs.verdict("test", 1, "", failed) == failed
