# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations, sizes, CPU and rates as people write them, as numbers. Pure.

Results: seconds, bytes, cores, requests a second. The schema has checked the form before; a value
it would refuse raises C(ValueError) here.
"""

from __future__ import annotations

import re
from typing import Union

Written = Union[int, float, str]

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
#: Binary and decimal multiples as Kubernetes writes them.
_BYTES = {
    "": 1,
    "Ki": 1024,
    "Mi": 1024**2,
    "Gi": 1024**3,
    "Ti": 1024**4,
    "k": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "T": 1000**4,
}
_NUMBER = re.compile(r"^([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)$")


def _split(value: Written, units: dict[str, float] | dict[str, int]) -> tuple[float, str]:
    if isinstance(value, (int, float)):
        return float(value), ""
    match = _NUMBER.match(value)
    if match is None or match.group(2) not in units:
        raise ValueError(f"{value!r} is not a number with one of the units {', '.join(units)}")
    return float(match.group(1)), match.group(2)


def seconds(value: Written) -> float:
    """C("5m") is 300.0; a bare number is seconds."""
    number, unit = _split(value, _SECONDS)
    return round(number * _SECONDS[unit], 6)


def size(value: Written) -> int:
    """C("512Mi") is 536870912; a bare number is bytes."""
    number, unit = _split(value, _BYTES)
    return round(number * _BYTES[unit])


def cores(value: Written) -> float:
    """C("250m") is 0.25."""
    number, unit = _split(value, {"m": 0.001, "": 1.0})
    return round(number * (0.001 if unit == "m" else 1.0), 6)


def rate(value: str) -> float:
    """C("100r/m") is 1.666667 requests a second."""
    match = re.match(r"^([1-9][0-9]*)r/([sm])$", value)
    if match is None:
        raise ValueError(f"{value!r} is not a rate such as 10r/s or 100r/m")
    return round(int(match.group(1)) / (1.0 if match.group(2) == "s" else 60.0), 6)


def percent(value: Written) -> float:
    """C("10%") and C(10) are 10.0."""
    return float(str(value).rstrip("%"))
