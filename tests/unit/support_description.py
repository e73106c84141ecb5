# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describe an inventory as a user's run would: through ansible itself, on the controller alone."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any, Optional

ROOT = pathlib.Path(__file__).resolve().parents[2]
ANSIBLE = pathlib.Path(sys.executable).parent / "ansible"


def environment(home: pathlib.Path, extra: Optional[dict[str, str]] = None) -> dict[str, str]:
    """A clean environment: no configuration of this machine, no colours."""
    return {
        **{key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ},
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_LOCAL_TEMP": str(home / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
        **(extra or {}),
    }


def run(
    inventory: pathlib.Path,
    home: pathlib.Path,
    *arguments: str,
    env: Optional[dict[str, str]] = None,
) -> subprocess.CompletedProcess[str]:
    """C(ansible -m mainstay.platform.platform) on the first edge or cluster host."""
    return subprocess.run(
        [
            str(ANSIBLE),
            "all[0]",
            "-i",
            str(inventory),
            "-m",
            "mainstay.platform.platform",
            *arguments,
        ],
        cwd=home,
        env=environment(home, env),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The result that was printed after C(host | SUCCESS =>)."""
    _head, _arrow, text = done.stdout.partition("=> ")
    assert text, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(text)
    return document
