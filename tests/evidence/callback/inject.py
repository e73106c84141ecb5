# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback for tests only: something bad happens to bed or run at a chosen task."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: inject
type: aggregate
short_description: Cause a fault at a chosen task
description:
  - For tests of what happens when something breaks in the middle of a run.
  - E(MAINSTAY_INJECT) holds C(<moment>|<task>|<command>). The moment is C(before) (no host has run
    the task yet) or C(after) (the first host has); the task is named without its role; the command
    is given to a shell, C(kill) ends the run itself with SIGKILL.
"""


class CallbackModule(CallbackBase):
    """Cause one fault, once."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "inject"

    def __init__(self) -> None:
        super().__init__()
        parts = os.environ.get("MAINSTAY_INJECT", "||").split("|", 2)
        self.moment, self.name, self.command = parts
        self.done = not self.name

    def _at(self, moment: str, task: Any) -> None:
        if self.done or moment != self.moment:
            return
        if str(task.name).rsplit(" : ", 1)[-1] != self.name:
            return
        self.done = True
        if self.command == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        subprocess.run(self.command, shell=True, check=True, stdin=subprocess.DEVNULL)
        self._display.display(f"injected: {self.command}")

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Before any host runs the task."""
        self._at("before", task)

    def v2_runner_on_ok(self, result: Any) -> None:
        """After the first host ran the task."""
        self._at("after", getattr(result, "task", None) or result._task)
