# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private data directory as AWX lays it out, and ansible-runner on it."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]

#: What a project update of AWX brings: the checkout, links kept as links.
CHECKOUT = ("ansible.cfg", "collections", "galaxy.yml", "meta", "playbooks", "plugins", "roles")

IDENT = "4711"


@dataclass
class Job:
    """One private data directory."""

    directory: pathlib.Path

    def run(self, playbook: str) -> subprocess.CompletedProcess[str]:
        """Run C(playbook) of the project, with the variables AWX sets."""
        foreign = ("ANSIBLE_", "AWX_", "MAINSTAY_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        bin_directory = str(pathlib.Path(sys.executable).parent)
        return subprocess.run(
            [
                f"{bin_directory}/ansible-runner",
                "run",
                str(self.directory),
                "--playbook",
                playbook,
                "--ident",
                IDENT,
            ],
            env={**kept, "PATH": f"{bin_directory}:{kept['PATH']}", "JOB_ID": IDENT},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    @property
    def artifacts(self) -> pathlib.Path:
        """What stays of the job."""
        return self.directory / "artifacts" / IDENT

    def events(self) -> list[dict[str, Any]]:
        """The events AWX stores, in order."""
        files = (self.artifacts / "job_events").glob("*.json")
        found = [json.loads(path.read_text()) for path in files]
        return sorted(found, key=lambda event: int(event["counter"]))


@pytest.fixture
def job(tmp_path: pathlib.Path) -> Job:
    """project/, inventory/ and env/ with one local host."""
    project = tmp_path / "project"
    project.mkdir()
    for name in CHECKOUT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, symlinks=True)
        elif source.exists():
            shutil.copy(source, project / name)
    shutil.copy(pathlib.Path(__file__).parent / "plays" / "stats.yml", project / "stats.yml")
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "hosts").write_text(
        f"app1 ansible_connection=local ansible_python_interpreter={sys.executable}\n"
    )
    (tmp_path / "env").mkdir()
    extra = {"awx_job_id": int(IDENT), "awx_user_name": "mira", "release_version": "1.1.0"}
    (tmp_path / "env" / "extravars").write_text(json.dumps(extra))
    return Job(tmp_path)
