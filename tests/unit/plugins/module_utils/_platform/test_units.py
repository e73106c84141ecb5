# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units as people write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform import units

CASES: list[tuple[Callable[[Any], Any], Any, Any]] = [
    (units.seconds, "30s", 30.0),
    (units.seconds, "500ms", 0.5),
    (units.seconds, "5m", 300.0),
    (units.seconds, "1.5h", 5400.0),
    (units.seconds, "365d", 31536000.0),
    (units.seconds, "45", 45.0),
    (units.seconds, 1e-7, 0.0),
    (units.size, "512Mi", 536870912),
    (units.size, "50Gi", 53687091200),
    (units.size, "10k", 10000),
    (units.size, 4096, 4096),
    (units.cores, "250m", 0.25),
    (units.cores, "1.5", 1.5),
    (units.cores, 2, 2.0),
    (units.rate, "30r/s", 30.0),
    (units.rate, "100r/m", 1.666667),
    (units.percent, "10%", 10.0),
    (units.percent, 50, 50.0),
]


@pytest.mark.parametrize(("read", "text", "number"), CASES)
def test_reads(read: Callable[[Any], Any], text: Any, number: Any) -> None:
    assert read(text) == number


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (units.seconds, "5 m"),
        (units.seconds, "5M"),
        (units.size, "5mi"),
        (units.cores, "1k"),
        (units.rate, "10/s"),
        (units.rate, "0r/s"),
    ],
)
def test_refuses(read: Callable[[Any], Any], text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read(text)
