# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bed changes nothing about a platform that it is not forced to."""

from __future__ import annotations

from typing import Any

import pytest
from overlay import FORCED, described, forced

CHANGES = [(name, change) for name, spec in FORCED.items() for change in spec["changes"]]


@pytest.mark.parametrize(
    ("name", "change"), CHANGES, ids=[f"{name}-{change['path']}" for name, change in CHANGES]
)
def test_a_change_is_one_and_has_a_reason(name: str, change: dict[str, Any]) -> None:
    place: Any = described(name)
    for part in change["path"].split("."):
        place = place.get(part) if isinstance(place, dict) else None
    assert place != change["value"]
    assert change["because"]


@pytest.mark.parametrize("name", sorted(FORCED))
def test_what_is_not_named_is_as_it_is_written(name: str) -> None:
    written, laid = described(name), forced(name)
    for change in FORCED[name]["changes"]:
        for place in (written, laid):
            head, _dot, last = change["path"].rpartition(".")
            inner = place
            for part in head.split(".") if head else []:
                inner = inner[part]
            inner.pop(last, None)
    assert {key: written[key] for key in laid} == laid
