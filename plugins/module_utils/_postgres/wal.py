# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WAL positions, segment names, timelines, and what is missing between them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DEFAULT_SEGMENT_SIZE = 16 * 1024 * 1024
_SEGMENT = re.compile(r"^[0-9A-F]{24}$")
_HISTORY = re.compile(r"^([0-9A-F]{8})\.history$")
_LSN = re.compile(r"^([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})$")
#: Timeline -> (timeline before, LSN at which it was left), oldest first.
Histories = Mapping[int, tuple[tuple[int, int], ...]]


def parse_lsn(text: str) -> int:
    """C("0/5000090") as a number; ValueError for anything else."""
    match = _LSN.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a position in the WAL such as 0/5000090")
    return (int(match.group(1), 16) << 32) | int(match.group(2), 16)


def format_lsn(position: int) -> str:
    """The opposite of L(parse_lsn)."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def is_segment(name: str) -> bool:
    """Whether C(name) is that of a whole WAL segment."""
    return bool(_SEGMENT.match(name))


def history_timeline(name: str) -> int:
    """The timeline of a history file, 0 for other names."""
    match = _HISTORY.match(name)
    return int(match.group(1), 16) if match else 0


def split(name: str, size: int = DEFAULT_SEGMENT_SIZE) -> tuple[int, int]:
    """Timeline and running number of a segment."""
    per_file = 0x100000000 // size
    return int(name[:8], 16), int(name[8:16], 16) * per_file + int(name[16:24], 16)


def join(timeline: int, number: int, size: int = DEFAULT_SEGMENT_SIZE) -> str:
    """The name of a segment."""
    per_file = 0x100000000 // size
    return f"{timeline:08X}{number // per_file:08X}{number % per_file:08X}"


def number_of(position: int, size: int = DEFAULT_SEGMENT_SIZE) -> int:
    """Running number of the segment that holds C(position)."""
    return position // size


def parse_history(text: str) -> tuple[tuple[int, int], ...]:
    """The lines of a history file: timeline and the LSN at which it was left."""
    found = []
    for line in text.splitlines():
        parts = line.split("#")[0].split()
        if len(parts) >= 2:
            found.append((int(parts[0]), parse_lsn(parts[1])))
    return tuple(found)


@dataclass(frozen=True)
class Gap:
    """Missing segments of one timeline, first and last included."""

    timeline: int
    first: str
    last: str
    count: int

    def __str__(self) -> str:
        return self.first if self.count == 1 else f"{self.first}..{self.last} ({self.count})"


def path_to(timeline: int, histories: Histories) -> list[tuple[int, int]]:
    """The timelines that lead to C(timeline): (timeline, LSN it is left at); -1 means no end."""
    return [*histories.get(timeline, ()), (timeline, -1)]


def left_at(timeline: int, histories: Histories, size: int = DEFAULT_SEGMENT_SIZE) -> int:
    """The last whole segment before C(timeline) begins, by running number; -1 for the first one.

    A recovery along a timeline reads that far, also when no segment of its own is there yet.
    """
    return max((number_of(end, size) - 1 for _step, end in histories.get(timeline, ())), default=-1)


def needed(
    start: str, timeline: int, last: int, histories: Histories, size: int = DEFAULT_SEGMENT_SIZE
) -> list[str]:
    """Segments a recovery reads from C(start) along C(timeline) to the running number C(last).

    The segment in which a timeline was left exists on both; the copy of the newer one suffices.
    """
    _own, number = split(start, size)
    begin = int(start[:8], 16)
    names: list[str] = []
    for step, end in path_to(timeline, histories):
        if step < begin:
            continue
        stop = last if end < 0 else min(last, number_of(end, size) - 1)
        names += [join(step, n, size) for n in range(number, stop + 1)]
        number = max(number, stop + 1)
    return names


def gaps_between(wanted: Iterable[str], have: set[str]) -> list[Gap]:
    """The parts of C(wanted), in order, that are not in C(have), joined to ranges."""
    found: list[Gap] = []
    run: list[str] = []
    for name in [*wanted, ""]:
        if name and name not in have and (not run or run[-1][:8] == name[:8]):
            run.append(name)
            continue
        if run:
            found.append(Gap(int(run[0][:8], 16), run[0], run[-1], len(run)))
        run = [name] if name and name not in have else []
    return found


def continuity(
    starts: Iterable[str],
    archive: Iterable[str],
    histories: Histories,
    size: int = DEFAULT_SEGMENT_SIZE,
    pinned: Iterable[tuple[str, str]] = (),
) -> list[Gap]:
    """What is missing, timeline by timeline.

    C(starts) are the first segments of the backups from which any later moment must be reachable;
    C(pinned) are first and last segments of older backups, which need only their own.
    """
    have = {name for name in archive if is_segment(name)}
    timelines = {int(name[:8], 16) for name in have} | set(histories)
    found: set[Gap] = set()
    for start in starts:
        begin, first = split(start, size)
        for timeline in sorted(timelines | {begin}):
            if timeline != begin and not reaches(begin, first, timeline, histories, size):
                continue
            own = [split(n, size)[1] for n in have if int(n[:8], 16) == timeline]
            last = max([first, *own])
            found.update(gaps_between(needed(start, timeline, last, histories, size), have))
    for first_name, last_name in pinned:
        timeline, number = split(first_name, size)
        wanted = [join(timeline, n, size) for n in range(number, split(last_name, size)[1] + 1)]
        found.update(gaps_between(wanted, have))
    return sorted(_widest(found), key=lambda g: (g.timeline, g.first))


def reaches(begin: int, first: int, timeline: int, histories: Histories, size: int) -> bool:
    """Whether a backup that starts at segment C(first) of C(begin) can be led to C(timeline)."""
    for step, end in histories.get(timeline, ()):
        if step == begin:
            return number_of(end, size) >= first
    return False


def _widest(gaps: set[Gap]) -> list[Gap]:
    """Without gaps that lie within another one."""
    return [
        g
        for g in gaps
        if not any(
            o is not g and o.timeline == g.timeline and o.first <= g.first and g.last <= o.last
            for o in gaps
        )
    ]
