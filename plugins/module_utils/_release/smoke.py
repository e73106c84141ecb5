# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Smoke checks: one request each, and what its answer must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Smoke
from ansible_collections.mainstay.platform.plugins.module_utils._release.web import (
    Answer,
    Target,
    ask,
    connection,
    reason,
)

#: Checks that are in the air at the same time.
PARALLEL = 8
#: Bytes of a wrong answer that are shown.
SHOWN = 200

Asker = Callable[[Target, Smoke, Mapping[str, str]], Answer]


@dataclass(frozen=True)
class Verdict:
    """What one check found; C(reason) is empty when it passed."""

    path: str
    host: str
    status: int
    seconds: float
    passed: bool
    reason: str = ""
    body_start: str = ""


def judge(check: Smoke, host: str, answer: Answer) -> Verdict:
    """Hold an answer against what the check wants: status, then body, then time."""
    problem = ""
    text = answer.body.decode("utf-8", "replace")
    if answer.error:
        problem = f"no answer: {answer.error}"
    elif answer.status != check.status:
        problem = f"status {answer.status}, expected {check.status}"
    elif check.contains is not None and check.contains not in text:
        problem = f"the body does not contain {check.contains!r}"
    elif answer.seconds > check.max_seconds:
        problem = f"took {answer.seconds:.2f} s, allowed are {check.max_seconds:g} s"
    return Verdict(
        check.path,
        host,
        answer.status,
        round(answer.seconds, 4),
        not problem,
        problem,
        text[:SHOWN] if problem else "",
    )


def over_http(target: Target, check: Smoke, headers: Mapping[str, str]) -> Answer:
    """One request on a connection of its own."""
    try:
        link = connection(target)
    except (OSError, ValueError) as error:  # the file of the authority, above all
        return Answer(0, 0.0, b"", f"{target.ca or target.address}: {reason(error)}")
    try:
        sent = {name: str(value) for name, value in headers.items()}
        return ask(link, target, check.method, check.path, sent)
    finally:
        link.close()


def run_checks(
    target: Target,
    checks: list[Smoke],
    headers: Optional[Mapping[str, str]] = None,
    asker: Asker = over_http,
) -> list[Verdict]:
    """All checks, some at a time, in the order given. A check may name a host of its own."""

    def one(check: Smoke) -> Verdict:
        place = replace(target, host=check.host or target.host)
        return judge(check, place.host, asker(place, check, headers or {}))

    if not checks:
        return []
    with ThreadPoolExecutor(max_workers=min(PARALLEL, len(checks))) as pool:
        return list(pool.map(one, checks))


def sentences(verdicts: list[Verdict]) -> list[str]:
    """One line for each check that failed."""
    return [
        f"{v.host}{v.path}: {v.reason}" + (f" | {v.body_start.strip()}" if v.body_start else "")
        for v in verdicts
        if not v.passed
    ]


def as_data(verdicts: list[Verdict]) -> list[dict[str, Any]]:
    """The verdicts as plain data."""
    return [vars(v) for v in verdicts]
