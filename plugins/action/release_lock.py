# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock, seen from the controller: knows its own process and whether the holder's is gone."""

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.controller import (
    is_gone,
    main_process,
    run_facts,
    this_controller,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import Controller

MODULE = "mainstay.platform.release_lock"


class ActionModule(ActionBase):
    """Run the module with this controller's identity; take over from a process that is gone."""

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """One run of the module, or two when the lock is left over from a killed run."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        here = this_controller(main_process())
        run = run_facts(variables, self._loader.get_basedir())
        arguments = {**self._task.args, "controller": encode(here)}
        arguments.setdefault("holder", run["who"])
        answer = self._execute_module(
            module_name=MODULE, module_args=arguments, task_vars=variables
        )
        holder = answer.get("held_controller")
        if holder and is_gone(decode(Controller, holder), here):
            arguments["takeover_of"] = answer["held_fence"]
            answer = self._execute_module(
                module_name=MODULE, module_args=arguments, task_vars=variables
            )
        result.update(answer)
        result["run"] = run
        return result
