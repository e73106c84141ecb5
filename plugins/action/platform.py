# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read, check and normalise the description of the platform, on the controller alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import encode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.describe import describe
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    Problem,
    errors_of,
    message,
    warnings_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.run import read_run
from ansible_collections.mainstay.platform.plugins.module_utils._platform.schema import (
    run_variables,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform

PREFIX = "platform_"
ARGUMENTS = {"stage": {"type": "str"}, "check_groups": {"type": "bool", "default": True}}
#: Stands for a value that could not be resolved; the problem has been noted.
_UNREADABLE = object()


class ActionModule(ActionBase):
    """C(mainstay.platform.platform): no connection, no facts, nothing changed."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """Return the platform, or fail with all problems in one message."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _checked, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            result.update(self._described(task_vars or {}, arguments))
        except MainstayError as error:
            raise AnsibleActionFail(str(error)) from error
        return result

    def _described(self, task_vars: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        unreadable: list[Problem] = []
        variables = self._resolved(task_vars, _ours(task_vars), unreadable)
        if arguments.get("stage"):
            variables["platform_stage"] = str(arguments["stage"])
        wanted = self._resolved(task_vars, run_variables(), unreadable)
        groups = _plain(task_vars.get("groups") or {}) if arguments["check_groups"] else {}
        platform, problems = describe(
            variables, wanted, groups, list(load_extra_vars(self._loader)), unreadable
        )
        if platform is None:
            return _refused(problems)
        return _accepted(platform, wanted, problems)

    def _resolved(
        self, task_vars: dict[str, Any], names: list[str], unreadable: list[Problem]
    ) -> dict[str, Any]:
        found = {
            name: self._resolve(task_vars[name], name, unreadable)
            for name in names
            if name in task_vars
        }
        return {name: value for name, value in found.items() if value is not _UNREADABLE}

    def _resolve(self, value: Any, path: str, unreadable: list[Problem]) -> Any:
        """C(value) with every template in it resolved one by one, so that a failure has a path."""
        if isinstance(value, Mapping):
            items = {
                str(key): self._resolve(inner, f"{path}.{key}", unreadable)
                for key, inner in value.items()
            }
            return {key: inner for key, inner in items.items() if inner is not _UNREADABLE}
        if isinstance(value, (list, tuple)):
            inners = [self._resolve(v, f"{path}[{i}]", unreadable) for i, v in enumerate(value)]
            return [inner for inner in inners if inner is not _UNREADABLE]
        try:
            return _plain(self._templar.template(value))
        except AnsibleError as error:
            unreadable.append(_unresolved(path, error))
            return _UNREADABLE


def _ours(task_vars: dict[str, Any]) -> list[str]:
    return [name for name in task_vars if name.startswith(PREFIX)]


def _plain(value: Any) -> Any:
    """C(value) as plain data: without the marks Ansible puts on strings, numbers and containers."""
    if isinstance(value, Mapping):
        return {str.__str__(str(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def _unresolved(path: str, error: AnsibleError) -> Problem:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return Problem(
        path,
        "cannot be resolved",
        lines[0] if lines else type(error).__name__,
        "a value, a vault string that can be decrypted, or a lookup that succeeds",
        "is the environment variable set, the file there, the vault password given?",
    )


def _refused(problems: list[Problem]) -> dict[str, Any]:
    return {
        "failed": True,
        "msg": message(errors_of(problems)),
        "problems": [problem.as_dict() for problem in problems],
        "warnings": list(_sentences(problems)),
    }


def _accepted(
    platform: Platform, wanted: dict[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    return {
        "changed": False,
        "platform": encode(platform),
        "platform_id": platform.id,
        "run": encode(read_run(wanted)[0]),
        "problems": [problem.as_dict() for problem in problems],
        "warnings": list(_sentences(problems)),
    }


def _sentences(problems: list[Problem]) -> Iterator[str]:
    for problem in warnings_of(problems):
        yield problem.sentence()
