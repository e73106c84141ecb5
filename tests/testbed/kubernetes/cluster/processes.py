# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs in the background that only we started and only we end."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
from collections.abc import Sequence
from typing import Optional

from bed.shell import BedError, await_that

from .settings import STATE

PIDS = STATE / "pids"
LOGS = STATE / "logs"


def _command_of(pid: int) -> list[str]:
    try:
        raw = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return raw.decode(errors="replace").split("\0")[:-1]


def running(name: str) -> Optional[int]:
    """Process id of the program, when the process is the one that we started."""
    try:
        first, *command = (PIDS / name).read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ValueError):
        return None
    # The number may have gone to another process: the command line must be the one we gave.
    return int(first) if _command_of(int(first)) == command else None


def start(name: str, command: Sequence[str], environment: Optional[dict[str, str]] = None) -> None:
    """Start in the background, with its output in logs/NAME.log."""
    PIDS.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    program = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if program is None:
        raise BedError(f"{command[0]} is not installed.")
    with (LOGS / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
            cwd=STATE,
        )
    # Right after it was started a process has no command line yet.
    await_that(f"the start of {name}", lambda: bool(_command_of(process.pid)), 5)
    lines = [str(process.pid), program, *command[1:]]
    (PIDS / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def stop(name: str, grace: float = 20.0) -> bool:
    """End it, by force when it does not end by itself; True when it ran."""
    pid = running(name)
    if pid is not None:
        _end(name, pid, grace)
    (PIDS / name).unlink(missing_ok=True)
    return pid is not None


def _end(name: str, pid: int, grace: float) -> None:
    def gone() -> bool:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return running(name) is None

    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        try:
            await_that(f"the end of {name}", gone, seconds)
            return
        except BedError:
            if number == signal.SIGKILL:
                raise


def tail(name: str, lines: int = 6) -> str:
    """The last words of a program, for an error."""
    try:
        text = (LOGS / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
