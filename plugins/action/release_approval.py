# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An approval, seen from the controller: waits in sight of whoever watches, knows who answers."""

from __future__ import annotations

import time
from typing import Any, Optional

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import encode
from ansible_collections.mainstay.platform.plugins.module_utils._release import (
    approval,
    approving,
    gates,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.controller import (
    run_facts,
    user_groups,
)

MODULE = "mainstay.platform.release_approval"
display = Display()


class ActionModule(ActionBase):
    """Wait for an answer, or give one."""

    _supports_check_mode = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """The module's facts; with a wait, the verdict that the answer is."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        if self._task.args.get("state", "awaited") == "answered":
            result.update(self._answered(variables))
        elif self._task.check_mode:
            result.update(changed=False, skipped=True, msg="would wait for an approval")
        else:
            result.update(self._awaited(variables))
        return result

    def _answered(self, variables: dict[str, Any]) -> dict[str, Any]:
        who = run_facts(variables, self._loader.get_basedir())["who"]
        return self._module({"by": who, "groups": user_groups(who)}, variables)

    def _awaited(self, variables: dict[str, Any]) -> dict[str, Any]:
        given = self._task.args
        name, timeout = str(given.get("name") or ""), float(given.get("timeout", 1800))
        who = approval.who_may(given.get("approvers") or [])
        started = time.monotonic()

        def ask(state: str) -> dict[str, Any]:
            look = approving.LOOK if state == "awaited" else 0
            return self._module({"state": state, "look": look}, variables)

        def say(left: float) -> None:
            display.display(
                f"  approval {name} … waits for {who}, {left:.0f} s left; type:"
                f" {given.get('command') or 'approve.yml'}"
            )

        patient = approving.patient(ask, AnsibleConnectionFailure)
        found = approving.await_answer(patient, timeout, say)
        if "approval" not in found:
            return found
        judgement = approval.judge(found["approval"], timeout)
        verdict = gates.GateResult(
            name=name,
            kind="approval",
            seconds=round(time.monotonic() - started, 3),
            **{key: getattr(judgement, key) for key in gates.Judgement.__dataclass_fields__},
        )
        found.update(changed=False, gate=encode(verdict))
        if verdict.outcome != gates.PASSED:
            found.update(failed=True, msg=verdict.message())
        return found

    def _module(self, more: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args={**self._task.args, **more}, task_vars=variables
        )
        return found
