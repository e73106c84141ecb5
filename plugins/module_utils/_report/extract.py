# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task result may contribute to a report: never arguments, never anything hidden.

Results arrive as plain dictionaries. Only four things are ever taken from one: C(msg) of a failure,
and the values of C(gate), C(proof) and C(ansible_stats), which modules leave to be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Characters of a failure's message that are kept; enough for 20 log lines of 100 characters.
MESSAGE_LIMIT = 2000

HIDDEN = "hidden, because no_log is set for this task"

#: Actions that only work on the controller; they count as no module run when hidden by no_log.
CONTROLLER_ACTIONS = frozenset(
    {
        "add_host",
        "assert",
        "debug",
        "fail",
        "group_by",
        "import_role",
        "import_tasks",
        "include_role",
        "include_tasks",
        "include_vars",
        "meta",
        "pause",
        "set_fact",
        "set_stats",
    }
)


@dataclass(frozen=True)
class Extract:
    """The part of a result that a report may show."""

    message: str = ""
    gates: tuple[dict[str, Any], ...] = ()
    proofs: tuple[dict[str, Any], ...] = ()
    stats: tuple[dict[str, Any], ...] = ()
    module_runs: int = 0


def is_hidden(result: Mapping[str, Any]) -> bool:
    """True when Ansible removed the content of C(result), or asks that it not be shown."""
    return bool(result.get("_ansible_no_log")) or "censored" in result


def extract(
    result: Mapping[str, Any], *, action: str, failed: bool, no_log: bool = False
) -> Extract:
    """What C(result) contributes; C(no_log) is the keyword of its task."""
    parts = _parts(result)
    if no_log or is_hidden(result):
        ran = 0 if _short(action) in CONTROLLER_ACTIONS or result.get("skipped") else len(parts)
        return Extract(message=HIDDEN if failed else "", module_runs=ran)
    shown = [part for part in parts if not is_hidden(part)]
    return Extract(
        message=_message(result, parts) if failed else "",
        gates=_nouns(shown, "gate"),
        proofs=_nouns(shown, "proof"),
        stats=_nouns(shown, "ansible_stats"),
        module_runs=sum(1 for part in parts if "invocation" in part or is_hidden(part)),
    )


def _short(action: str) -> str:
    return action.rsplit(".", 1)[-1]


def _parts(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items of a loop, or the result itself."""
    items = result.get("results")
    if isinstance(items, list) and all(isinstance(item, Mapping) for item in items):
        return list(items)
    return [result]


def _nouns(parts: list[Mapping[str, Any]], noun: str) -> tuple[dict[str, Any], ...]:
    return tuple(dict(part[noun]) for part in parts if isinstance(part.get(noun), Mapping))


def _message(result: Mapping[str, Any], parts: list[Mapping[str, Any]]) -> str:
    """The messages of the failed items, or the one of the result."""
    lines: list[str] = []
    if parts and parts[0] is not result:
        bad = [part for part in parts if part.get("failed") or part.get("unreachable")]
        lines = [HIDDEN if is_hidden(part) else _text(part.get("msg")) for part in bad]
    text = "\n".join(line for line in lines if line) or _text(result.get("msg"))
    if len(text) > MESSAGE_LIMIT:
        text = text[:MESSAGE_LIMIT] + " …"
    return text


def _text(value: Any) -> str:
    """C(msg) as text: a module may leave a list of lines."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return "\n".join(str(item) for item in value)
    return str(value).strip()
