# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of settings asks of the server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import settings


def row(name: str, setting: str, unit: str = "", context: str = "sighup") -> dict[str, Any]:
    return {"name": name, "setting": setting, "unit": unit or None, "context": context}


@pytest.mark.parametrize(
    ("wanted", "now", "unit", "same"),
    [
        ("4GB", "524288", "8kB", True),
        ("4GB", "524287", "8kB", False),
        ("64MB", "65536", "kB", True),
        ("60s", "60", "s", True),
        ("1min", "60", "s", True),
        ("1s", "1000", "ms", True),
        ("15min", "900", "s", True),
        ("0.9", "0.9", "", True),
        ("1.1", "1.10", "", True),
        ("on", "on", "", True),
        ("true", "on", "", True),
        ("off", "on", "", False),
        ("lz4", "pglz", "", False),
        ("ANY 1 (db2)", "ANY 1 (db2)", "", True),
        ("pg_stat_statements,auto_explain", "pg_stat_statements, auto_explain", "", True),
        ("4GB", "4096", "", False),
        ("1GB", "1024", "MB", True),
    ],
    ids=str,
)
def test_two_ways_to_write_a_value(wanted: str, now: str, unit: str, same: bool) -> None:
    assert settings.same(wanted, now, unit) is same


def test_a_restart_is_asked_for_only_by_a_setting_that_needs_it() -> None:
    rows = [
        row("shared_buffers", "16384", "8kB", "postmaster"),
        row("work_mem", "4096", "kB", "user"),
    ]
    plan = settings.plan({"shared_buffers": "128MB", "work_mem": "8MB"}, rows)
    assert (plan["needs"], plan["changed"]) == ("reload", ["work_mem"])
    plan = settings.plan({"shared_buffers": "256MB", "work_mem": "4MB"}, rows)
    assert (plan["needs"], plan["restart"]) == ("restart", ["shared_buffers"])
    assert plan["sentences"] == ["shared_buffers: 16384 x 8kB -> 256MB (restarts the server)"]
    assert settings.plan({"work_mem": "4MB"}, rows)["needs"] == "nothing"


def test_without_a_server_nothing_restarts() -> None:
    assert settings.plan({"shared_buffers": "1GB"}, [])["needs"] == "nothing"


def test_a_misspelt_setting_is_refused_and_one_of_a_library_is_not() -> None:
    rows = [row("work_mem", "4096", "kB")]
    with pytest.raises(MainstayError, match="wrok_mem"):
        settings.plan({"wrok_mem": "8MB"}, rows)
    assert settings.plan({"pg_stat_statements.track": "all"}, rows)["changed"] == []


def test_values_are_quoted() -> None:
    text = settings.render({"log_line_prefix": "%m 'x' \\", "jit": False})
    assert text == "jit = 'off'\nlog_line_prefix = '%m ''x'' \\\\'\n"


@pytest.mark.parametrize("name", ["work mem", "Work_mem", "a;b", "x = '1'\ny"])
def test_names_that_would_be_something_else_are_refused(name: str) -> None:
    with pytest.raises(MainstayError):
        settings.render({name: "1"})


def test_a_value_of_two_lines_is_refused() -> None:
    with pytest.raises(MainstayError):
        settings.render({"work_mem": "1MB\nfsync = off"})
