# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all filter plugins share: the platform from plain data, and errors as Ansible knows them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import decode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform

Filter = Callable[..., Any]


def as_filter(function: Filter) -> Filter:
    """C(function) with its MainstayError turned into a filter error."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except MainstayError as error:
            raise AnsibleFilterError(str(error)) from error

    return wrapped


def as_filters(functions: Mapping[str, Filter]) -> dict[str, Filter]:
    """What C(FilterModule.filters) returns: L(as_filter) of each function, by the filter's name."""
    return {name: as_filter(function) for name, function in functions.items()}


def described(platform: Any) -> Platform:
    """The platform of the fact C(release_platform)."""
    return decode(Platform, platform)
