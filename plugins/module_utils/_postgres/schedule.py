# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Five cron fields as calendar expressions of systemd. Pure."""

from __future__ import annotations

import re

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
#: Field -> lowest and highest value (crontab(5)); 7 is Sunday too.
_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
_PART = re.compile(r"^(\*|[0-9]+)(?:-([0-9]+))?(?:/([0-9]+))?$")


def calendar(cron: str) -> list[str]:
    """Values for C(OnCalendar=), in UTC; none for an empty schedule.

    Cron starts a job when either the day of the month or the day of the week fits, systemd when
    both do: then there are two expressions.
    """
    if not cron.strip():
        return []
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        raise _wrong(cron, f"{len(fields)} fields", "five: minute hour day month weekday")
    sets = [_values(cron, text, *limits) for text, limits in zip(fields, _FIELDS)]
    minutes, hours, days, months, weekdays = sets
    time = f"{_list(hours, 24)}:{_list(minutes, 60)}:00 UTC"
    month = _list({int(m) for m in months}, 12)
    named = ",".join(_DAYS[d] for d in sorted({d % 7 for d in weekdays}))
    free_day, free_weekday = fields[2] == "*", fields[4] == "*"
    plain = f"*-{month}-{_list(days, 31)} {time}"
    if free_weekday:
        return [plain]
    by_weekday = f"{named} *-{month}-* {time}"
    return [by_weekday] if free_day else [plain, by_weekday]


def _values(cron: str, text: str, name: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.match(part)
        if match is None:
            raise _wrong(cron, f"{name} {part}", "numbers, ranges, lists, * and /step")
        first, last, step = match.groups()
        start = low if first == "*" else int(first)
        end = int(last) if last else (high if first == "*" or step else start)
        if not (low <= start <= end <= high) or step == "0":
            raise _wrong(cron, f"{name} {part}", f"{low} to {high}")
        found |= set(range(start, end + 1, int(step or 1)))
    return found


def _list(values: set[int], count: int) -> str:
    if len(values) == count:
        return "*"
    return ",".join(f"{value:02d}" for value in sorted(values))


def _wrong(cron: str, found: str, expected: str) -> MainstayError:
    return MainstayError(
        "this is no schedule",
        subject=cron,
        found=found,
        expected=expected,
        next_step="write five cron fields, such as 0 2 * * *",
    )
