# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of a timer that cannot do it: it ends with a failure, and the figures say so."""

from __future__ import annotations

import importlib.util
import pathlib
from typing import Any

import pytest
from unit.support_description import ROOT

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dump_client

PROGRAM = ROOT / "roles/docker_store_backup/files/store_job.py"


@pytest.mark.parametrize("keys", ["", "none.json"], ids=["alone", "without the file of its keys"])
def test_a_host_without_docker_fails_and_says_so(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, keys: str
) -> None:
    spec = importlib.util.spec_from_file_location("store_job", PROGRAM)
    assert spec is not None and spec.loader is not None
    job: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(job)
    monkeypatch.setattr(dump_client.shutil, "which", lambda _name: None)
    store = {"store": "db", "username": "u", "retention": {}, "directory": str(tmp_path / "dumps")}
    store["repositories"] = ["far"] if keys else []
    platform = {"platform": "p", "timeout": 60, "prove_restore": True, "metrics": str(tmp_path)}
    platform["repositories"] = str(tmp_path / keys)
    failure = job.run(platform, store)
    assert "the docker program is missing" in failure
    figures = (tmp_path / "mainstay_db_dumps.prom").read_text()
    assert 'mainstay_backup_ok{platform="p",store="db",repository="dumps"} 0' in figures
