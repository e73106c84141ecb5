# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names of helpers are refused."""

from __future__ import annotations

from lint import helpers


def test_two_helpers_of_one_name_are_told_with_both_paths() -> None:
    found = helpers.problems(
        ["tests/integration/b/drive.py", "tests/unit/drive.py", "plugins/drive.py", "README.md"]
    )
    assert found == [
        "drive.py: tests/integration/b/drive.py, tests/unit/drive.py: give each a name of its own"
    ]


def test_files_that_pytest_names_itself_may_be_called_alike() -> None:
    names = ("conftest.py", "__init__.py", "test_plan.py")
    assert helpers.problems(f"tests/unit/{at}/{name}" for at in "ab" for name in names) == []
