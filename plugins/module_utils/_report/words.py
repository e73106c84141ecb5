# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a report says things: durations, times, values, outcomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: Outcome -> (heading, colour family). An unknown outcome is shown as it is, in neutral.
OUTCOMES = {
    "ok": ("Finished", "good"),
    "deployed": ("Deployed", "good"),
    "unchanged": ("Nothing to change", "good"),
    "planned": ("Planned, nothing changed", "plain"),
    "rolled_back": ("Rolled back", "bad"),
    "failed": ("Failed", "bad"),
    "unreachable": ("Hosts unreachable", "bad"),
    "held": ("Held", "warn"),
    "refused": ("Refused, nothing changed", "warn"),
    "interrupted": ("Interrupted", "warn"),
}

VALUE_LIMIT = 300


def heading(outcome: str) -> tuple[str, str]:
    """Words and colour family of an outcome."""
    return OUTCOMES.get(outcome, (outcome.replace("_", " ").capitalize() or "Unknown", "plain"))


def seconds(value: Any) -> str:
    """A duration with the precision a reader can use: 0.24 s, 12.3 s, 3 min 05 s, 1 h 02 min."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return ""
    if value < 1:
        return f"{value:.2f} s"
    if value < 59.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def latency(value: Any) -> str:
    """The time of one answer, given in seconds: C(4.1 ms) below a second."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 1:
        return f"{1000 * value:.1f} ms"
    return seconds(value)


def moment(stamp: str) -> str:
    """C(2026-11-21T06:15:00.250Z) as C(2026-11-21 06:15:00 UTC)."""
    day, _letter, time = stamp.partition("T")
    return f"{day} {time[:8]} UTC" if time else stamp


def plain(value: Any) -> str:
    """A value of a gate in one line: numbers rounded, mappings as C(name value)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        text = ", ".join(f"{_spoken(key)} {plain(item)}" for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        text = ", ".join(plain(item) for item in value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= VALUE_LIMIT else text[:VALUE_LIMIT] + " …"


def _spoken(key: Any) -> str:
    return str(key).replace("_", " ")


def count(value: Any) -> str:
    """A count with thin spaces between thousands."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,.0f}".replace(",", "\u2009")
    return plain(value)


def times(number: int, noun: str) -> str:
    """C(1 task), C(2 tasks)."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
