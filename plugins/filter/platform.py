# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on descriptions: thin wrappers around the pure validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional

from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.module_utils._platform.describe import describe
from ansible_collections.mainstay.platform.plugins.plugin_utils.filters import (
    as_filters,
)


def platform_problems(
    variables: Mapping[str, Any],
    run: Optional[Mapping[str, Any]] = None,
    groups: Optional[Mapping[str, list[str]]] = None,
) -> list[dict[str, str]]:
    """What is wrong with a description, warnings included; empty when nothing is."""
    if not isinstance(variables, Mapping):
        raise AnsibleFilterError(
            f"platform_problems: found {type(variables).__name__}, expected a dictionary"
        )
    _platform, problems = describe(dict(variables), dict(run or {}), dict(groups or {}))
    return [problem.as_dict() for problem in problems]


class FilterModule:
    """Filters of the description."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return as_filters({"platform_problems": platform_problems})
