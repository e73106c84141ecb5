# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program of the collection's own modules for a host without Ansible."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from ansible_collections.mainstay.platform.plugins.lookup import host_program

ROOT = pathlib.Path(host_program.__file__).resolve().parents[2]
START = ROOT / "roles/postgres_backup/files/postgres_job.py"


def test_the_same_code_gives_the_same_bytes(tmp_path: pathlib.Path) -> None:
    files = host_program.pack(START, ["_platform", "_postgres"])
    host_program.write(files, tmp_path / "one.pyz")
    host_program.write(dict(reversed(files.items())), tmp_path / "two.pyz")
    assert (tmp_path / "one.pyz").read_bytes() == (tmp_path / "two.pyz").read_bytes()


def test_the_program_runs_alone(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "job.pyz"
    host_program.write(host_program.pack(START, ["_platform", "_postgres"]), target)
    done = subprocess.run(
        [sys.executable, "-I", str(target)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "full, incr, verify or drill" in done.stderr
