# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line of a quiet task, and when it is said."""

from __future__ import annotations

import queue

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._report.heartbeat import (
    Heartbeat,
    line,
)
from ansible_collections.mainstay.platform.plugins.module_utils._report.model import Watch


@pytest.mark.parametrize(
    ("watch", "expected"),
    [
        pytest.param(
            Watch("Stage services", "x", 100.0, ("app1", "app3"), ("app2",)),
            "  … 24 s: Stage services — waiting for app1, app3 (app2 done)",
            id="some done",
        ),
        pytest.param(
            Watch("Stage", "x", 120.0, tuple(f"n{i}" for i in range(9)), ()),
            "  … 4 s: Stage — waiting for n0, n1, n2, n3 and 5 more",
            id="many hosts",
        ),
        pytest.param(Watch("Ask", "ansible.builtin.pause", 1.0, ("a",), ()), "", id="prompt"),
        pytest.param(None, "", id="no task"),
    ],
)
def test_line(watch: Watch | None, expected: str) -> None:
    assert line(watch, 124.0) == expected


class Quiet:
    """A heartbeat on a clock that the test moves."""

    def __init__(self, text: str = "still here") -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.heart = Heartbeat(8.0, lambda: text, self.said.append, lambda: self.now)

    def at(self, now: float) -> float:
        """Tick at C(now)."""
        self.now = now
        return self.heart.tick()


def test_it_speaks_after_the_period_and_then_once_a_period() -> None:
    quiet = Quiet()
    assert quiet.at(7.5) == pytest.approx(0.5)
    assert quiet.said == []
    for now in (8.0, 9.0, 16.0):
        quiet.at(now)
    assert quiet.said == ["still here"] * 2


def test_output_of_others_delays_it() -> None:
    quiet = Quiet()
    quiet.now = 6.0
    quiet.heart.touch()
    assert quiet.at(8.0) == pytest.approx(6.0)
    assert quiet.said == []


def test_it_stays_silent_when_nothing_runs() -> None:
    quiet = Quiet(text="")
    quiet.at(100.0)
    assert quiet.said == []


def test_the_thread_speaks_and_ends_when_told() -> None:
    said: queue.Queue[str] = queue.Queue()
    heart = Heartbeat(0.01, lambda: "alive", said.put, iter(range(1_000_000)).__next__)
    heart.start()
    thread = heart._thread
    assert said.get(timeout=30) == "alive"
    heart.stop()
    assert thread is not None
    assert not thread.is_alive()


def test_a_period_of_zero_starts_no_thread() -> None:
    heart = Heartbeat(0, lambda: "x", print, lambda: 0.0)
    heart.start()
    assert heart._thread is None
