# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private data directory as AWX lays it out, and ansible-runner on it."""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from evidence import bed

ROOT = pathlib.Path(__file__).resolve().parents[3]

#: What a project update of AWX brings: the checkout, links kept as links.
CHECKOUT = ("ansible.cfg", "collections", "galaxy.yml", "meta", "playbooks", "plugins", "roles")
ENTRY_POINTS = tuple(path.name for path in ROOT.glob("*.yml") if path.name not in CHECKOUT)

IDENT = "4711"


@dataclass
class Job:
    """One private data directory."""

    directory: pathlib.Path

    def run(self, playbook: str, ident: str = IDENT) -> subprocess.CompletedProcess[str]:
        """Run C(playbook) of the project as job C(ident), with the variables AWX sets."""
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
                ident,
            ],
            env={**kept, "PATH": f"{bin_directory}:{kept['PATH']}", "JOB_ID": ident},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=300,
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
    directory = lay_out(tmp_path, {"release_version": "1.1.0"})
    shutil.copy(pathlib.Path(__file__).parent / "plays" / "stats.yml", directory / "project")
    (directory / "inventory" / "hosts").write_text(
        f"app1 ansible_connection=local ansible_python_interpreter={sys.executable}\n"
    )
    return Job(directory)


@pytest.fixture
def demo_job(tmp_path: pathlib.Path) -> Job:
    """A job on the demo platform of the bed, which serves 1.0.0 before it."""
    bed.prepare("1.0.0")
    # AWX hands over what it imported from the inventory: one program that prints hosts and
    # variables, with no group_vars beside it. Keys of the bed are found two directories above it,
    # as in a checkout.
    (tmp_path / "build").symlink_to(ROOT / "build")
    directory = lay_out(tmp_path / IDENT, {"release_version": "1.1.0"})
    program = pathlib.Path(sys.executable).with_name("ansible-inventory")
    exported = subprocess.run(
        [str(program), "-i", bed.INVENTORY, "--list", "--export"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    data = directory / "imported.json"
    data.write_text(exported.stdout)
    hosts = directory / "inventory" / "hosts"
    hosts.write_text(f"#!/bin/sh\nexec cat {shlex.quote(str(data))}\n")
    hosts.chmod(0o700)
    return Job(directory)


def lay_out(directory: pathlib.Path, extra: dict[str, Any]) -> pathlib.Path:
    """A private data directory: the checkout as project/, no inventory yet, C(extra) in env/."""
    project = directory / "project"
    project.mkdir(parents=True)
    for name in (*CHECKOUT, *ENTRY_POINTS):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, symlinks=True)
        else:
            shutil.copy(source, project / name)
    (directory / "inventory").mkdir()
    (directory / "env").mkdir()
    variables = {"awx_job_id": int(IDENT), "awx_user_name": "mira", **extra}
    (directory / "env" / "extravars").write_text(json.dumps(variables))
    return directory
