# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that outlives the module that starts it, and its end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.controller import (
    started_at,
)

#: Seconds between two looks at a process on a kernel that has no handles of processes.
PAUSE = 0.05


def launch(work: Callable[[], None], ready: Callable[[int], None], name: str) -> int:
    """Do C(work) in a process of its own session; returns its id once C(ready(id)) is done in it.

    The process is nobody's child (a grandchild whose parent ends at once), so nobody has to reap it
    and the end of the connection does not end it.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            os.setsid()
            if os.fork() == 0:
                _work(work, ready, writer)
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as line:
        answer = line.read()
    if not answer.isdigit():
        raise MainstayError(f"{name} did not start", subject=name, found=answer or "no sign of it")
    return int(answer)


def _work(work: Callable[[], None], ready: Callable[[int], None], writer: int) -> None:
    """Let go of the module's streams, or Ansible would wait for them; say our id; work."""
    # Blocked, not handled: C(wait_for_stop) takes the signal when the program is ready for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.closerange(3, writer)
        os.closerange(writer + 1, 1024)
        os.chdir("/")
        ready(os.getpid())
    except Exception as error:
        os.write(writer, f"{type(error).__name__}: {error}".encode())
        return
    os.write(writer, str(os.getpid()).encode())
    os.close(writer)
    work()


def wait_for_stop(seconds: float) -> bool:
    """Wait in the launched process; true as soon as somebody asked it to end."""
    return signal.sigtimedwait({signal.SIGTERM}, seconds) is not None


def end(pid: int, started: int, seconds: float) -> None:
    """Ask the process C(pid) that began at C(started) to end, wait for it, kill it in the end."""
    with contextlib.ExitStack() as stack:
        handle = _handle(pid)
        if handle is not None:
            stack.callback(os.close, handle)
        if started_at(pid) != started:  # looked at with the handle open: it cannot change any more
            return
        try:
            os.kill(pid, signal.SIGTERM)
            if not _gone(pid, started, handle, seconds):
                os.kill(pid, signal.SIGKILL)
                _gone(pid, started, handle, seconds)
        except ProcessLookupError:
            return


def _handle(pid: int) -> Optional[int]:
    """A descriptor that becomes readable when the process ends.

    Nothing before Linux 5.3, under some seccomp profiles, and in a Python built without the call.
    """
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _gone(pid: int, started: int, handle: Optional[int], seconds: float) -> bool:
    if handle is not None:
        return bool(select.select([handle], [], [], seconds)[0])
    deadline = time.monotonic() + seconds
    while started_at(pid) == started:
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True
