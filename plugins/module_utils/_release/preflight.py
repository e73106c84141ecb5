# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold before a release may change anything; all problems in one list. Pure."""

from __future__ import annotations

from typing import Any


def problems(
    observed: dict[str, dict[str, Any]],
    fleet: list[str],
    play_hosts: list[str],
    limit: str = "",
    fact: str = "host",
) -> list[str]:
    """Sentences that name a host and what is wrong with it; empty when the run may go on.

    C(observed) holds the registered result of the first contact by host (a good one holds C(fact)),
    C(fleet) all hosts a release concerns, C(play_hosts) those that this run was started for.
    """
    found: list[str] = []
    split = [host for host in fleet if host not in play_hosts]
    if split:
        found.append(
            f"--limit {limit or '(set)'} leaves out {', '.join(split)}: a release concerns the"
            " whole fleet, two versions would stay behind. Run without --limit."
        )
    for host in fleet:
        if host in split:
            continue
        result = observed.get(host)
        if result is None:
            found.append(f"{host}: gave no answer. Look at the connection and run again.")
        elif result.get("unreachable"):
            found.append(f"{host}: unreachable: {_first_line(result)}")
        elif fact not in result:
            found.append(f"{host}: {_text(result)}")
    return found


def _first_line(result: dict[str, Any]) -> str:
    lines = _text(result).splitlines()
    return lines[0] if lines else "no reason given"


def _text(result: dict[str, Any]) -> str:
    return str(result.get("msg") or "failed without a message").strip()
