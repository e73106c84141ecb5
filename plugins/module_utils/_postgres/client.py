# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running programs as the owner of the cluster, with a time-out of ours on each."""

from __future__ import annotations

import ctypes
import os
import pwd
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

#: Called with each line that a program writes.
Listener = Callable[[str], None]
_PR_SET_PDEATHSIG = 1
#: Lines of output that go into an error.
EVIDENCE = 12
#: A program that cannot read its configuration quotes the line, and the line may hold a key.
_SECRET = re.compile(r"(?i)([a-z0-9-]*(?:secret|pass|s3-key|token)[a-z0-9-]*\s*=\s*)[^\s'\"]+")


def mask(text: str) -> str:
    """C(text) without the values of options that hold a secret."""
    return _SECRET.sub(r"\1***", text)


@dataclass(frozen=True)
class Done:
    """How a program ended, and what it wrote."""

    code: int
    out: str
    err: str

    def evidence(self) -> tuple[str, ...]:
        """The last lines of what it wrote."""
        lines = [line for line in (self.out + "\n" + self.err).splitlines() if line.strip()]
        return tuple(mask(line)[:300] for line in lines[-EVIDENCE:])


class Programs(Protocol):
    """Running a program; a fake of this is all that a test needs to stand in for."""

    def run(
        self,
        argv: Sequence[str],
        timeout: float,
        *,
        data: bytes = b"",
        environment: Optional[Mapping[str, str]] = None,
        listener: Optional[Listener] = None,
        survives: bool = False,
    ) -> Done:
        """Run C(argv) to its end; a program that is over its time is killed with its children."""

    def raw(self, argv: Sequence[str], timeout: float) -> bytes:
        """Standard output of a program as it is; anything but status 0 is an error."""


class OwnedPrograms:
    """L(Programs), as the user that owns the cluster when this process is root."""

    def __init__(self, os_user: str) -> None:
        self.os_user = os_user
        self._identity: Optional[tuple[int, int]] = None
        try:
            entry = pwd.getpwnam(os_user)
        except KeyError as error:
            raise MainstayError(
                "there is no such user on this host",
                subject=os_user,
                expected="the user that owns the cluster",
                next_step="install PostgreSQL, or name its user in os_user",
            ) from error
        if os.geteuid() == 0 and entry.pw_uid != 0:
            self._identity = (entry.pw_uid, entry.pw_gid)

    def own(self, path: str) -> None:
        """Give C(path) to the owner of the cluster."""
        if self._identity:
            os.chown(path, *self._identity, follow_symlinks=False)

    def run(
        self,
        argv: Sequence[str],
        timeout: float,
        *,
        data: bytes = b"",
        environment: Optional[Mapping[str, str]] = None,
        listener: Optional[Listener] = None,
        survives: bool = False,
    ) -> Done:
        """See L(Programs)."""
        process = self._start(argv, environment, survives)
        out: list[bytes] = []
        err: list[bytes] = []
        readers = [
            threading.Thread(target=_drain, args=(process.stdout, out, listener), daemon=True),
            threading.Thread(target=_drain, args=(process.stderr, err, listener), daemon=True),
        ]
        for reader in readers:
            reader.start()
        _feed(process, data)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise _late(argv, timeout, b"".join(out + err)) from None
        for reader in readers:
            # A server that was started keeps its streams open: its starter has ended all the same.
            reader.join(2.0 if survives else 30.0)
        text = [b"".join(part).decode("utf-8", "replace") for part in (out, err)]
        return Done(process.returncode, text[0], text[1])

    def raw(self, argv: Sequence[str], timeout: float) -> bytes:
        """See L(Programs)."""
        process = self._start(argv, None, False)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise _late(argv, timeout, b"") from None
        if process.returncode:
            done = Done(process.returncode, "", err.decode("utf-8", "replace"))
            raise failed(argv, done, "a program failed")
        return out

    def _start(
        self, argv: Sequence[str], environment: Optional[Mapping[str, str]], survives: bool
    ) -> subprocess.Popen[bytes]:
        uid, gid = self._identity or (None, None)
        if argv[0] in ("systemctl", "unshare"):
            # Units are root's: the owner of the cluster may not start them. What makes a network of
            # its own gives the rights up itself.
            uid, gid = None, None
        try:
            # pylint: disable-next=ansible-bad-function
            return subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env={**_environment(), **(environment or {})},
                user=uid,
                group=gid,
                extra_groups=None if uid is None else _groups(self.os_user, gid),
                start_new_session=True,
                # What we started must not go on working when we are killed.
                preexec_fn=None if survives else _die_with_parent,  # noqa: PLW1509
            )
        except OSError as error:
            raise MainstayError(
                "the program cannot be started",
                subject=argv[0],
                found=error.strerror or str(error),
                expected="an installed program",
                next_step="apply the roles postgres and postgres_backup to this host",
            ) from error


def _environment() -> dict[str, str]:
    """Nothing of the caller's: PG* variables would lead programs to another server."""
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


def _groups(user: str, gid: Optional[int]) -> list[int]:
    return os.getgrouplist(user, gid or 0)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _drain(stream: IO[bytes], parts: list[bytes], listener: Optional[Listener]) -> None:
    """Read to the end; progress bars end their lines with a carriage return."""
    rest = b""
    while True:
        part = os.read(stream.fileno(), 65536)
        if not part:
            return
        parts.append(part)
        if listener is None:
            continue
        *lines, rest = (rest + part).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            listener(line.decode("utf-8", "replace"))


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    if process.stdin is None:
        return
    try:
        process.stdin.write(data)
        process.stdin.close()
    except BrokenPipeError:
        return  # it ended before it read; its status tells why


def _kill(process: subprocess.Popen[bytes]) -> None:
    for sign, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _late(argv: Sequence[str], timeout: float, output: bytes) -> MainstayError:
    done = Done(-1, output.decode("utf-8", "replace"), "")
    return MainstayError(
        "the program did not end in time and was killed",
        subject=_name(argv),
        found=f"still running after {timeout:.0f} s",
        expected="an end before that",
        next_step="see whether a disk, the network or the object storage hangs",
        evidence=done.evidence(),
    )


def _name(argv: Sequence[str]) -> str:
    return os.path.basename(argv[0])


def failed(argv: Sequence[str], done: Done, what: str, next_step: str = "") -> MainstayError:
    """The error for a program that ended with a status other than 0."""
    return MainstayError(
        what,
        subject=_name(argv),
        found=f"exit status {done.code}",
        expected="exit status 0",
        next_step=next_step or "the lines above are the program's own words",
        evidence=done.evidence(),
    )


class Deadline:
    """The time that is left for a task."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self.seconds = seconds

    def left(self, most: float = 1e9) -> float:
        """Seconds left, at most C(most); an error when none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise MainstayError(
                "the task is over its time",
                found=f"not done after {self.seconds:.0f} s",
                expected="an end before that",
                next_step="run it again with a longer timeout: it goes on where it stopped",
            )
        return min(left, most)
