# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports on disk."""

from __future__ import annotations

import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._report.store import (
    outdated,
    report_name,
    save,
)


@pytest.mark.parametrize(
    ("playbook", "name"),
    [
        pytest.param("deploy.yml", "20261121T061500Z-deploy-1a2b3c", id="plain"),
        pytest.param("../../x y/../evil name.yml", "20261121T061500Z-evil-name-1a2b3c", id="odd"),
        pytest.param("<>.yml", "20261121T061500Z-run-1a2b3c", id="nothing left"),
    ],
)
def test_report_name(playbook: str, name: str) -> None:
    assert report_name(1795241700.0, playbook, "1a2b3c") == name


def test_save_writes_both_files_and_the_latest(tmp_path: pathlib.Path) -> None:
    directory = tmp_path / "build" / "reports"
    name = "20261121T061500Z-deploy-1a2b3c"
    path = save(str(directory), name, {"schema": 1}, "<!doctype html>", keep=5)
    assert path == str(directory / f"{name}.html")
    assert json.loads((directory / "latest.json").read_text()) == {"schema": 1}
    assert (directory / "latest.html").read_text() == (directory / f"{name}.html").read_text()


def test_save_keeps_the_newest_and_every_foreign_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "notes.json").write_text("mine")
    for number in range(4):
        save(str(tmp_path), f"2026112{number}T061500Z-deploy-1a2b3c", {}, "", keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "20261122T061500Z-deploy-1a2b3c.html",
        "20261122T061500Z-deploy-1a2b3c.json",
        "20261123T061500Z-deploy-1a2b3c.html",
        "20261123T061500Z-deploy-1a2b3c.json",
        "latest.html",
        "latest.json",
        "notes.json",
    ]


@given(st.lists(st.text(max_size=20)), st.integers(0, 3))
def test_only_reports_are_ever_removed(names: list[str], keep: int) -> None:
    ours = [
        f"2026112{n}T061500Z-site-00000{n}.{kind}" for n in range(5) for kind in ("json", "html")
    ]
    gone = outdated([*names, *ours], keep)
    assert set(gone) <= set(ours)
    assert len(gone) == (0 if keep == 0 else 2 * (5 - keep))
