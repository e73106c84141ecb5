# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The closing line counts every test run once and never calls nothing a success."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import summary

PASSED = "<testcase name='a'/>"
FAILED = "<testcase name='b'><failure/></testcase>"
BROKEN = "<testcase name='c'><error/></testcase>"
SKIPPED = "<testcase name='d'><skipped/></testcase>"


def write(path: Path, *cases: str) -> None:
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>", "utf-8")


@pytest.mark.parametrize(
    ("runs", "line", "status"),
    [
        pytest.param([[PASSED, PASSED], [PASSED]], "3 passed, 0 failed, 0 skipped", 0, id="sum"),
        pytest.param([[PASSED], [FAILED]], "1 passed, 1 failed, 0 skipped", 1, id="failure"),
        pytest.param([[PASSED, BROKEN]], "1 passed, 1 failed, 0 skipped", 1, id="error"),
        pytest.param([[SKIPPED]], "0 passed, 0 failed, 1 skipped", 1, id="only skipped"),
        pytest.param([], "0 passed, 0 failed, 0 skipped", 1, id="no run"),
        pytest.param([[]], "0 passed, 0 failed, 0 skipped", 1, id="empty run"),
    ],
)
def test_closing_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    runs: list[list[str]],
    line: str,
    status: int,
) -> None:
    for number, cases in enumerate(runs):
        write(tmp_path / f"run{number}.xml", *cases)
    assert summary.main([str(tmp_path)]) == status
    assert capsys.readouterr().out.splitlines()[-1] == line


def test_a_cut_off_file_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "run.xml").write_text("<testsuites><test", "utf-8")
    assert summary.main([str(tmp_path)]) == 1
