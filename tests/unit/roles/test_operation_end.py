# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ending that fails is said: each one's result is looked at, behind all of them."""

from __future__ import annotations

import pathlib
from typing import Any

import yaml

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import operation

ROOT = pathlib.Path(__file__).resolve().parents[3]
BASE = {"kind": "restore", "platform": "p", "store": "s", "host": "h", "begun": True, "done": True}
SUMMARY = "Sum up, with the endings that failed"


def tasks() -> list[dict[str, Any]]:
    path = ROOT / "roles/release/tasks/operation_end.yml"
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text())
    return found


def names() -> list[str]:
    return [task["name"] for task in tasks()]


def test_every_ending_goes_on_and_is_looked_at() -> None:
    endings = tasks()[: names().index(SUMMARY)]
    assert {task["register"] for task in endings} == set(operation.ENDINGS)
    for task in endings:
        assert task["ignore_errors"] is True, task["name"]
        assert task["ignore_unreachable"] is True, task["name"]


def test_nothing_is_changed_behind_the_summary() -> None:
    behind = tasks()[names().index(SUMMARY) :]
    modules = {key for task in behind for key in task if key.startswith(("ansible.", "mainstay."))}
    assert modules == {f"ansible.builtin.{m}" for m in ("set_fact", "set_stats", "debug", "fail")}


def test_the_run_fails_whenever_something_failed() -> None:
    assert tasks()[-1]["when"] == "release_report.operation.reason | length > 0"
    failed = {"step": "a", "reason": "b"}
    for words in ({"failed": failed}, {"unclosed": [failed]}):
        run = operation.from_words({**BASE, **words})
        assert operation.report(run)["operation"]["reason"]
