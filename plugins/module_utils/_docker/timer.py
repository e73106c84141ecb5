# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stopping old containers later, without a process of ours that stays behind."""

from __future__ import annotations

import os
import subprocess
from typing import Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


class Timers(Protocol):
    """Timers of this host."""

    def available(self) -> bool:
        """True when a timer can be set here."""

    def set(self, unit: str, seconds: float, command: list[str]) -> None:
        """Run C(command) once, C(seconds) from now, as the transient unit C(unit)."""

    def cancel(self, unit: str) -> None:
        """Forget the timer; one that is gone already is fine."""


class SystemdTimers:
    """Transient timers of systemd: they survive this process and the Engine, not a reboot."""

    def available(self) -> bool:
        """See L(Timers)."""
        return os.path.isdir("/run/systemd/system")

    def set(self, unit: str, seconds: float, command: list[str]) -> None:
        """See L(Timers)."""
        self._run(
            "systemd-run",
            f"--unit={unit}",
            f"--on-active={max(1, int(seconds))}s",
            "--timer-property=AccuracySec=1s",
            "--collect",
            "--description=Stop containers of an earlier release",
            "--",
            *command,
        )

    def cancel(self, unit: str) -> None:
        """See L(Timers)."""
        if self.available():
            subprocess.run(  # pylint: disable=ansible-bad-function
                ["systemctl", "stop", f"{unit}.timer"], check=False, capture_output=True, timeout=60
            )

    @staticmethod
    def _run(*command: str) -> None:
        # No module is at hand here, only the Protocol above.
        # pylint: disable-next=ansible-bad-function
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise MainstayError(
                "the timer that stops old containers could not be set",
                subject=command[1],
                found=done.stderr.strip() or f"exit status {done.returncode}",
                next_step="look at 'systemctl status' on the host, then run again",
            )


def unit_name(platform: str, release_id: str) -> str:
    """One unit for each release that left something warm."""
    return f"mainstay-retire-{platform}-{release_id}".lower()


def stop_command(names: list[str], grace: float) -> list[str]:
    """Docker's own command line: nothing of the collection has to be on the host then."""
    return ["docker", "stop", "--time", str(int(grace)), *names]
