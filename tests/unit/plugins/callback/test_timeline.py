# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callback decides itself; whole runs are in tests/integration/report."""

from __future__ import annotations

import types

import pytest

from ansible_collections.mainstay.platform.plugins.callback.timeline import (
    CallbackModule,
    closing_lines,
    numbered_parent,
    report_directory,
    shown_path,
)
from ansible_collections.mainstay.platform.plugins.module_utils._report.heartbeat import Heartbeat


@pytest.mark.parametrize(
    ("option", "environment", "expected"),
    [
        pytest.param(None, {}, "build/reports", id="default"),
        pytest.param("out", {}, "out", id="option"),
        pytest.param(
            None,
            {"AWX_ISOLATED_DATA_DIR": "/run/7"},
            "/run/7/reports",
            id="AWX",
        ),
        pytest.param("out", {"AWX_ISOLATED_DATA_DIR": "/run/7"}, "out", id="option wins"),
    ],
)
def test_report_directory(option: str | None, environment: dict[str, str], expected: str) -> None:
    assert report_directory(option, environment) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/srv/project/roles/x.yml:3", "roles/x.yml:3", id="inside"),
        pytest.param(
            "/usr/share/ansible_collections/acme/base/roles/x.yml:3",
            "acme/base/roles/x.yml:3",
            id="collection",
        ),
        pytest.param("/home/mira/other/main.yml:3", "main.yml:3", id="elsewhere"),
        pytest.param("", "", id="none"),
    ],
)
def test_shown_path(path: str, expected: str) -> None:
    assert shown_path(path, "/srv/project") == expected


def test_numbered_parent_is_the_outermost_one() -> None:
    block = types.SimpleNamespace(name="4/6 Switch", _parent=None)
    inner = types.SimpleNamespace(name="4/6 Smoke checks", _parent=block)
    task = types.SimpleNamespace(
        name="Ask", _parent=types.SimpleNamespace(name=None, _parent=inner)
    )
    assert numbered_parent(task) == "4/6 Switch"
    assert numbered_parent(types.SimpleNamespace(name="4/6 Own", _parent=None)) == ""


class Screen:
    """The part of Ansible's display that the callback uses."""

    verbosity = 0

    def __init__(self) -> None:
        self.shown: list[str] = []

    def display(self, text: str) -> None:
        """Keep a line."""
        self.shown.append(text)


def test_whatever_is_shown_counts_as_a_sign_of_life() -> None:
    screen, now = Screen(), [0.0]
    callback = CallbackModule(display=screen)
    heart = Heartbeat(8.0, lambda: "alive", screen.shown.append, lambda: now[0])
    callback._watch_display(heart)
    now[0] = 7.0
    screen.display("gate: 3 of 20 requests")
    now[0] = 8.0
    heart.tick()
    assert screen.shown == ["gate: 3 of 20 requests"]


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        pytest.param("rolled_back", True, id="a release that came back"),
        pytest.param("refused", True, id="a refusal"),
        pytest.param("deployed", False, id="said already"),
        pytest.param("ok", False, id="no release"),
    ],
)
def test_a_run_that_did_not_go_through_says_so_last(outcome: str, shown: bool) -> None:
    report = {"outcome": outcome, "summary": ["api still serves 1.0.0"], "next": ["status.yml"]}
    lines = closing_lines(report)
    assert ("api still serves 1.0.0" in lines) is shown
    assert ("  status.yml" in lines) is shown
