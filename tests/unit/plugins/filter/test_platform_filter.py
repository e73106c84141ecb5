# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter says what describe() says."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.filter.platform import (
    FilterModule,
    platform_problems,
)

SOUND: dict[str, Any] = yaml.safe_load(
    (pathlib.Path(__file__).parents[1] / "module_utils/_platform/descriptions.yml").read_text()
)


def test_nothing_to_say() -> None:
    assert platform_problems(SOUND) == []
    assert set(FilterModule().filters()) == {"platform_problems"}


def test_problems_as_data() -> None:
    found = platform_problems(SOUND, run={"release_strategy": "canari"})
    assert [(p["path"], p["severity"], p["hint"]) for p in found] == [
        ("release_strategy", "error", "did you mean canary?")
    ]


def test_something_else_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="found list"):
        platform_problems([])  # type: ignore[arg-type]
