# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of evidence: each is run, measured, held against its goal, printed and written as JSON."""

from __future__ import annotations

import json
import pathlib
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured: C(figure) in words or a number, its unit, and whether the goal holds."""

    figure: str
    unit: str
    holds: bool


@dataclass(frozen=True)
class Row:
    """One line of the table and the function that measures it.

    C(run) gets the number of repetitions the caller can afford (1 in the short form).
    """

    id: str
    what: str
    goal: str
    command: str
    run: Callable[[int], Figure]
    repeats: int = 1


@dataclass(frozen=True)
class Outcome:
    """A measured row, as it is written to the JSON file."""

    id: str
    what: str
    figure: str
    unit: str
    goal: str
    holds: bool
    seconds: float
    command: str


def measure(row: Row, repeats: int) -> Outcome:
    """Run C(row); a row that breaks does not hold, and says why."""
    started = time.monotonic()
    try:
        figure = row.run(repeats)
    except Exception as error:  # a broken row must not hide the others
        traceback.print_exc()
        figure = Figure(f"broke: {type(error).__name__}: {error}"[:300], "", False)
    seconds = round(time.monotonic() - started, 1)
    return Outcome(
        row.id, row.what, figure.figure, figure.unit, row.goal, figure.holds, seconds, row.command
    )


def run_rows(rows: list[Row], part: str, target: pathlib.Path, short: bool) -> int:
    """Measure C(rows), print each as it ends, write all to C(target); 0 when every row holds."""
    outcomes: list[Outcome] = []
    for row in rows:
        repeats = 1 if short else row.repeats
        print(f"-- {row.id}: {row.what} (x{repeats})", flush=True)
        outcome = measure(row, repeats)
        print(f"   {'holds' if outcome.holds else 'DOES NOT HOLD'}: {outcome.figure}", flush=True)
        outcomes.append(outcome)
        _write(target, outcomes)
    print(table(outcomes))
    passed = sum(o.holds for o in outcomes)
    print(f"evidence {part}: {passed} passed, {len(outcomes) - passed} failed -> {target}")
    return 0 if outcomes and passed == len(outcomes) else 1


def _write(target: pathlib.Path, outcomes: list[Outcome]) -> None:
    """Merge C(outcomes) into what earlier, partial runs wrote."""
    target.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(target.read_text()) if target.exists() else []
    fresh = {o.id: asdict(o) for o in outcomes}
    merged = [fresh.pop(old["id"], old) for old in known] + list(fresh.values())
    target.write_text(json.dumps(merged, indent=2) + "\n")


def table(outcomes: list[Outcome]) -> str:
    """The rows as aligned text: what, figure, goal, holds."""
    cells = [("what", "figure", "goal", "holds")]
    cells += [
        (o.what, f"{o.figure} {o.unit}".strip(), o.goal, "yes" if o.holds else "NO")
        for o in outcomes
    ]
    widths = [min(70, max(len(row[i]) for row in cells)) for i in range(4)]
    lines = [
        "  ".join(cell[: widths[i]].ljust(widths[i]) for i, cell in enumerate(row)) for row in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def choose(rows: list[Row], names: list[str]) -> list[Row]:
    """The rows called C(names), all when there are none; an unknown name ends the program."""
    if not names:
        return rows
    known = {row.id: row for row in rows}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no such row: {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names]
