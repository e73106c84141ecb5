# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a process, also on kernels without handles of processes, and starts that fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release import daemon
from ansible_collections.mainstay.platform.plugins.module_utils._release.controller import (
    started_at,
)

#: Says that it is ready, then waits; the second one does not let itself be asked.
WAITING = "import signal; print('ready', flush=True); signal.pause()"
DEAF = "import signal; signal.signal(15, signal.SIG_IGN); " + WAITING


@pytest.fixture(params=["kernel with handles", "kernel without"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to wait."""

    def refuse(_pid: int, _flags: int = 0) -> int:
        raise OSError(38, "Function not implemented")

    if request.param == "kernel without":
        monkeypatch.setattr(os, "pidfd_open", refuse)


def begun(program: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", program], stdout=-1, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.fixture
def waiting() -> Iterator[subprocess.Popen[str]]:
    yield from begun(WAITING)


@pytest.fixture
def deaf() -> Iterator[subprocess.Popen[str]]:
    yield from begun(DEAF)


@pytest.mark.usefixtures("kernel")
def test_a_process_ends_when_asked(waiting: subprocess.Popen[str]) -> None:
    """Seen failing without the second way to wait (an exception on old kernels)."""
    daemon.end(waiting.pid, started_at(waiting.pid), 30)
    assert waiting.wait(30) == -signal.SIGTERM


@pytest.mark.usefixtures("kernel")
def test_a_process_that_does_not_listen_is_killed(deaf: subprocess.Popen[str]) -> None:
    """Seen failing with the request alone."""
    daemon.end(deaf.pid, started_at(deaf.pid), 0.1)
    assert deaf.wait(30) == -signal.SIGKILL


@pytest.mark.usefixtures("kernel")
def test_a_process_id_that_was_given_out_again_is_left_alone(
    waiting: subprocess.Popen[str],
) -> None:
    """Seen failing without the comparison of start times: a stranger was ended."""
    daemon.end(waiting.pid, started_at(waiting.pid) - 1, 30)
    assert waiting.poll() is None


def test_a_start_that_fails_is_told() -> None:
    """Seen failing with the exception left in the child: the module answered twice, or never."""

    def broken(_pid: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(MainstayError, match="prober did not start") as failed:
        daemon.launch(lambda: None, broken, "prober")
    assert "No space left on device" in failed.value.found
