# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of C(ansible-playbook) on this machine, each with a directory of its own."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PLAYS = pathlib.Path(__file__).resolve().parent / "plays"

#: Three hosts on this machine, and one where nothing listens.
INVENTORY = f"""\
[local]
app1
app2
app3
[local:vars]
ansible_connection=local
ansible_python_interpreter={sys.executable}
[lost]
app4 ansible_host=127.0.0.1 ansible_port=1
"""


@dataclass
class Finished:
    """A run: its exit status, all it printed, and where its reports are."""

    status: int
    output: str
    reports: pathlib.Path

    @property
    def report(self) -> dict[str, Any]:
        """The JSON document."""
        found: dict[str, Any] = json.loads((self.reports / "latest.json").read_text())
        return found

    @property
    def page(self) -> str:
        """The HTML page."""
        return (self.reports / "latest.html").read_text()


Runner = Callable[..., Finished]


def playbook_program() -> str:
    """C(ansible-playbook) of the environment that runs the tests."""
    return str(pathlib.Path(sys.executable).parent / "ansible-playbook")


def environment(directory: pathlib.Path, **more: str) -> dict[str, str]:
    """The checkout's configuration, reports in C(directory)."""
    foreign = ("ANSIBLE_", "AWX_", "MAINSTAY_", "PYTHONUNBUFFERED")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    return {
        **kept,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_SSH_RETRIES": "0",
        "MAINSTAY_REPORT_DIR": str(directory / "reports"),
        **more,
    }


@pytest.fixture
def inventory(tmp_path: pathlib.Path) -> pathlib.Path:
    """The hosts of these tests."""
    path = tmp_path / "hosts"
    path.write_text(INVENTORY)
    return path


@pytest.fixture
def run(tmp_path: pathlib.Path, inventory: pathlib.Path) -> Runner:
    """Run a playbook of C(plays/) with options and extra environment."""

    def runner(playbook: str, *options: str, **more: str) -> Finished:
        done = subprocess.run(
            [playbook_program(), "-i", str(inventory), str(PLAYS / playbook), *options],
            env=environment(tmp_path, **more),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        reports = pathlib.Path(more.get("MAINSTAY_REPORT_DIR", str(tmp_path / "reports")))
        return Finished(done.returncode, done.stdout, reports)

    return runner
