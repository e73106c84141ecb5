# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has taken over from a primary that comes back."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import guard

CONTROL = """pg_control version number:            1300
Database system identifier:           7
Latest checkpoint's TimeLineID:       2
Latest checkpoint's PrevTimeLineID:   2
"""


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (("7", 3, False), "db2 writes on timeline 3"),
        (("7", 3, True), ""),
        (("7", 2, False), ""),
        (("7", 1, False), ""),
        (("8", 3, False), ""),
        (None, ""),
    ],
    ids=["took over", "replica", "same timeline", "older", "another cluster", "no answer"],
)
def test_only_a_later_primary_of_the_same_cluster_counts(
    answer: guard.Answer | None, found: str
) -> None:
    assert guard.superseded("7", 2, ["db2"], lambda peer: answer) == found


def test_one_that_does_not_answer_hides_nobody() -> None:
    answers: dict[str, guard.Answer | None] = {"db2": None, "db3": ("7", 3, False)}
    assert guard.superseded("7", 2, answers, answers.get).startswith("db3 writes")


def test_right_after_a_promotion_the_history_file_tells_the_timeline(
    tmp_path: pathlib.Path,
) -> None:
    assert guard.own(str(tmp_path), CONTROL) == ("7", 2)
    (tmp_path / "pg_wal").mkdir()
    (tmp_path / "pg_wal" / "00000003.history").touch()
    assert guard.own(str(tmp_path), CONTROL) == ("7", 3)


def test_what_recovers_writes_nothing(tmp_path: pathlib.Path) -> None:
    assert not guard.is_replica(str(tmp_path))
    (tmp_path / "standby.signal").touch()
    assert guard.is_replica(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7|3|0/5000090|\noff\n", ("7", 3, False)),
        ("7|3|0/5000090|\non\n", ("7", 3, True)),
        ("", None),
        ("7|3|0/5000090|\n", None),
    ],
)
def test_answers(text: str, found: guard.Answer | None) -> None:
    assert guard.parse(text) == found


def test_addresses() -> None:
    assert guard.addresses_of("db2=10.0.0.2,db3=10.0.0.3") == {"db2": "10.0.0.2", "db3": "10.0.0.3"}
    assert guard.addresses_of("") == {}
