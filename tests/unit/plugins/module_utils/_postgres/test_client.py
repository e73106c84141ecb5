# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs: a time-out that is kept, children that do not survive, nothing of the environment."""

from __future__ import annotations

import os
import pathlib
import pwd
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
    Deadline,
    Done,
    OwnedPrograms,
)

ME = pwd.getpwuid(os.geteuid()).pw_name
ROOT = pathlib.Path(__file__).resolve().parents[5]


def test_output_and_status() -> None:
    seen: list[str] = []
    done = OwnedPrograms(ME).run(
        ["/bin/sh", "-c", "cat; printf '10%%\\r50%%\\n' >&2; exit 3"],
        10,
        data=b"given\n",
        listener=seen.append,
    )
    assert (done.code, done.out) == (3, "given\n")
    assert {"10%", "50%", "given"} <= set(seen)


def test_a_program_over_its_time_is_killed_with_its_children(tmp_path: pathlib.Path) -> None:
    mark = tmp_path / "pid"
    began = time.monotonic()
    with pytest.raises(MainstayError, match="did not end in time"):
        OwnedPrograms(ME).run(["/bin/sh", "-c", f"sleep 100 & echo $! > {mark}; wait"], 0.5)
    assert time.monotonic() - began < 10
    assert gone(int(mark.read_text()))


def gone(pid: int) -> bool:
    """Whether a process ends within some seconds."""
    for _try in range(100):
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_what_we_started_ends_when_we_are_killed(tmp_path: pathlib.Path) -> None:
    """Otherwise an orphan would go on writing into the directory of the next run."""
    mark = tmp_path / "pid"
    text = f"""
    from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
        OwnedPrograms,
    )
    OwnedPrograms({ME!r}).run(["/bin/sh", "-c", "echo $$ > {mark}; exec sleep 100"], 100)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
    )
    for _try in range(200):
        if mark.exists() and mark.read_text().strip():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert gone(int(mark.read_text()))


def test_variables_of_the_caller_lead_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "production")
    assert "PGHOST" not in OwnedPrograms(ME).run(["env"], 10).out


def test_a_program_that_is_missing() -> None:
    with pytest.raises(MainstayError, match="cannot be started"):
        OwnedPrograms(ME).run(["/nothing/there"], 10)


def test_a_task_over_its_time() -> None:
    deadline = Deadline(0.0)
    with pytest.raises(MainstayError, match="over its time"):
        deadline.left()


@pytest.mark.parametrize("name", ["repo1-s3-key-secret", "repo1-s3-key", "repo2-cipher-pass"])
def test_evidence_quotes_no_secret(name: str) -> None:
    found = Done(31, "", f"ERROR: [031]: key/value '{name} = hidden' outside of section\n")
    assert found.evidence() == (f"ERROR: [031]: key/value '{name} = ***' outside of section",)
