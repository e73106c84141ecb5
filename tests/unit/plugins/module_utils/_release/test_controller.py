# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process that held a lock is still there."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import sys

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._release.controller import (
    git_revision,
    is_gone,
    run_facts,
    started_at,
    this_controller,
)

HERE = this_controller(os.getpid())


def test_living_process_is_not_gone() -> None:
    assert not is_gone(HERE, HERE)


def test_killed_process_is_gone_before_and_after_it_is_reaped() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        holder = this_controller(child.pid)
        assert not is_gone(holder, HERE)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(holder, HERE), "a zombie does no work"
        child.wait()
        assert is_gone(holder, HERE)


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        pytest.param({"started": HERE.started + 1}, True, id="process id given out again"),
        pytest.param({"machine": "other", "started": 1}, False, id="another machine"),
        pytest.param({"boot": "other", "started": 1}, False, id="a clone or an earlier boot"),
        pytest.param({"pid": 0}, False, id="no process known"),
        pytest.param({"started": 0}, False, id="start time could not be read"),
    ],
)
def test_only_what_is_known_to_be_dead_is_gone(change: dict[str, object], gone: bool) -> None:
    assert is_gone(dataclasses.replace(HERE, **change), HERE) is gone  # type: ignore[arg-type]


def test_start_time_does_not_change() -> None:
    assert started_at(os.getpid()) == started_at(os.getpid()) > 0


def test_revision_tells_a_changed_checkout(tmp_path: pathlib.Path) -> None:
    assert git_revision(str(tmp_path)) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    (tmp_path / "play.yml").write_text("[]\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    clean = git_revision(str(tmp_path))
    assert clean is not None
    assert len(clean) == 12
    (tmp_path / "play.yml").write_text("[1]\n")
    assert git_revision(str(tmp_path)) == f"{clean}+changes"


def test_awx_names_its_user_and_job(tmp_path: pathlib.Path) -> None:
    found = run_facts({"awx_job_id": 42, "awx_user_name": "grace"}, str(tmp_path))
    assert (found["who"], found["awx_job_id"]) == ("grace", "42")
