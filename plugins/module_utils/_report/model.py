# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened in one run, as dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

#: Version of the JSON document; a reader refuses a higher one.
SCHEMA = 1

#: How a host left a task. C(interrupted) is a task that never reported an end.
STATUSES = ("ok", "changed", "failed", "skipped", "unreachable", "ignored", "interrupted")


@dataclass
class HostResult:
    """One host's part in a task; C(status) stays empty while it runs."""

    started: float
    ended: float = 0.0
    status: str = ""
    message: str = ""

    @property
    def seconds(self) -> float:
        """How long the host took."""
        return max(0.0, self.ended - self.started)


@dataclass
class TaskRun:
    """One task of a play, over all hosts. C(step) is the row of the picture it belongs to."""

    key: str
    name: str
    path: str
    action: str
    step: str
    started: float
    hosts: dict[str, HostResult] = field(default_factory=dict)

    @property
    def ended(self) -> float:
        """When the last host was done; the start when none was."""
        return max([self.started, *(h.ended for h in self.hosts.values())])

    @property
    def waiting(self) -> tuple[str, ...]:
        """Hosts that have not reported yet, in the order they began."""
        return tuple(name for name, host in self.hosts.items() if not host.status)

    @property
    def done(self) -> tuple[str, ...]:
        """Hosts that have reported."""
        return tuple(name for name, host in self.hosts.items() if host.status)


@dataclass
class PlayRun:
    """One play and its tasks in the order they began."""

    name: str
    started: float
    tasks: list[TaskRun] = field(default_factory=list)


@dataclass
class Run:
    """One C(ansible-playbook) run.

    C(release_data) is the C(mainstay) document the release flow leaves in C(set_stats);
    C(host_summary) are Ansible's own counters, empty when the run was cut short.
    """

    playbook: str
    started: float
    controller: str = ""
    who: str = ""
    job_id: str = ""
    check_mode: bool = False
    ended: Optional[float] = None
    plays: list[PlayRun] = field(default_factory=list)
    gates: list[dict[str, Any]] = field(default_factory=list)
    proof: dict[str, Any] = field(default_factory=dict)
    custom_stats: dict[str, Any] = field(default_factory=dict)
    host_summary: dict[str, dict[str, int]] = field(default_factory=dict)
    module_runs: int = 0
    task_results: int = 0
    interrupted: bool = False


@dataclass(frozen=True)
class Watch:
    """What the heartbeat may say right now; replaced as a whole, so any thread may read it."""

    task: str
    action: str
    started: float
    waiting: tuple[str, ...]
    done: tuple[str, ...]
