# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run programs, with errors that say what was run and what it answered."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Callable, Optional


class BedError(Exception):
    """Something the bed needs is missing or failed; the text says what to do."""


def run(
    command: Sequence[str],
    stdin: Optional[str] = None,
    environment: Optional[Mapping[str, str]] = None,
    directory: Optional[pathlib.Path] = None,
    timeout: float = 900,
) -> str:
    """Run to the end and return standard output; raise BedError with the last words otherwise."""
    try:
        done = subprocess.run(
            list(command),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=directory,
            env={**os.environ, **(environment or {})},
            check=False,
        )
    except FileNotFoundError as error:
        raise BedError(f"{command[0]} is not installed.") from error
    except subprocess.TimeoutExpired as error:
        raise BedError(f"{' '.join(command)} did not end within {timeout:.0f} s.") from error
    if done.returncode != 0:
        words = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise BedError(f"{' '.join(command)} ended with {done.returncode}:\n{words}")
    return done.stdout


def succeeds(command: Sequence[str]) -> bool:
    """Whether the command ends with 0."""
    try:
        run(command)
    except BedError:
        return False
    return True


def docker(*arguments: str, stdin: Optional[str] = None) -> str:
    """Run the docker client."""
    return run(["docker", *arguments], stdin=stdin).strip()


def inside(container: str, script: str) -> str:
    """Run a shell script as root inside a running container."""
    return docker("exec", "-i", container, "sh", "-eu", stdin=script)


# Program -> Debian package of what the bed is made with.
PROGRAMS = {
    "docker": "docker.io",
    "go": "golang-go",
    "mkfs.ext4": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "openssl": "openssl",
    "ssh-keygen": "openssh-client",
}


def require(programs: Mapping[str, str]) -> None:
    """BedError that names every program that is not here, with its package."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    missing = [
        f"{program} (package {package})"
        for program, package in programs.items()
        if shutil.which(program, path=path) is None
    ]
    if missing:
        raise BedError(f"The bed needs programs that are not installed: {', '.join(missing)}.")


def await_that(what: str, holds: Callable[[], bool], timeout: float) -> None:
    """Wait until the predicate holds; BedError names what was awaited and for how long."""
    end = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > end:
            raise BedError(f"Waited {timeout:.0f} s in vain for: {what}.")
        time.sleep(0.1)
