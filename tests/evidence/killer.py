# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback for tests only: ends the run with SIGKILL when a task starts or has its first result."""

from __future__ import annotations

import os
import signal

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: killer
type: aggregate
short_description: End the run with SIGKILL at a chosen task
description:
  - For tests of what an interrupted run leaves behind.
  - E(MAINSTAY_KILL) holds C(before:<task>) or C(after:<task>), the task named without its role.
"""


class CallbackModule(CallbackBase):
    """Kill this process (and only this one) at the chosen point."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "killer"

    def __init__(self) -> None:
        super().__init__()
        self.moment, _colon, self.name = os.environ.get("MAINSTAY_KILL", "").partition(":")

    def _named(self, task: object) -> bool:
        name = str(getattr(task, "name", "")).rsplit(" : ", 1)[-1]
        return bool(self.name) and name == self.name

    def v2_playbook_on_task_start(self, task: object, is_conditional: bool) -> None:
        """Before any host runs the task."""
        if self.moment == "before" and self._named(task):
            os.kill(os.getpid(), signal.SIGKILL)

    def v2_runner_on_ok(self, result: object) -> None:
        """After the first host ran the task."""
        if self.moment == "after" and self._named(getattr(result, "task", None)):
            os.kill(os.getpid(), signal.SIGKILL)
