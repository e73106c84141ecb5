# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger, seen from the controller: JMESPath, and locks whose process is gone."""

from __future__ import annotations

from typing import Any, Optional

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import decode
from ansible_collections.mainstay.platform.plugins.module_utils._release.controller import (
    is_gone,
    main_process,
    this_controller,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import Controller

MODULE = "mainstay.platform.release_info"


class ActionModule(ActionBase):
    """Run the module, judge the lock from here, evaluate the query."""

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """The module's facts, with C(interrupted) judged and C(answer) when asked for."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        result.update(self._execute_module(module_name=MODULE, task_vars=variables))
        if "releases" not in result:
            return result
        self._judge_lock(result)
        query = self._task.args.get("query")
        if query:
            result["answer"] = _evaluate(query, result["releases"])
        return result

    def _judge_lock(self, result: dict[str, Any]) -> None:
        """A lock whose process on this machine is gone is no live lock."""
        held = result["lock"]
        if not held.get("live"):
            return
        if is_gone(decode(Controller, held["controller"]), this_controller(main_process())):
            held["live"] = False
            result["interrupted"] = result["open"]


def _evaluate(query: str, releases: list[dict[str, Any]]) -> Any:
    try:
        import jmespath
        from jmespath.exceptions import JMESPathError
    except ImportError as error:
        raise AnsibleError("query needs the Python library jmespath on the controller") from error
    try:
        return jmespath.search(query, releases)
    except JMESPathError as error:
        raise AnsibleError(f"query is not a JMESPath expression: {query!r}: {error}") from error
