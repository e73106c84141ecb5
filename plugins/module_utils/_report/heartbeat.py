# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that says that a quiet task is alive, and the thread that decides when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._report.model import Watch

#: Host names written out in a line; the others are counted.
NAMES_SHOWN = 4


def some(names: Sequence[str]) -> str:
    """The first names, and how many there are beside them."""
    shown = ", ".join(names[:NAMES_SHOWN])
    left = len(names) - NAMES_SHOWN
    return f"{shown} and {left} more" if left > 0 else shown


def line(watch: Optional[Watch], now: float) -> str:
    """What is waited for, or nothing when no task runs or the task asks a question itself."""
    if watch is None or watch.action.rsplit(".", 1)[-1] == "pause":
        return ""
    done = f" ({some(watch.done)} done)" if watch.done else ""
    elapsed = round(now - watch.started)
    return f"  … {elapsed} s: {watch.task} — waiting for {some(watch.waiting)}{done}"


class Heartbeat:
    """Calls C(emit) with a line each time nothing was shown for C(period) seconds.

    C(look) returns the line of the moment or an empty one. Nothing here takes a lock: the process
    forks a worker for each task, and a lock held by this thread would stay locked in the worker.
    """

    def __init__(
        self,
        period: float,
        look: Callable[[], str],
        emit: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._period = period
        self._look = look
        self._emit = emit
        self._clock = clock
        self._last = clock()
        self._stopped = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def start(self) -> None:
        """Begin; a period of 0 means never."""
        if self._period > 0 and self._thread is None:
            self._thread = threading.Thread(
                target=self._loop, name="mainstay-heartbeat", daemon=True
            )
            self._thread.start()

    def touch(self) -> None:
        """Something was shown: the quiet time begins anew."""
        self._last = self._clock()

    def stop(self) -> None:
        """End before the interpreter does: a daemon thread that prints at exit breaks it."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=2)
            self._thread = None

    def tick(self) -> float:
        """Speak when it is time; the seconds until it may be time again."""
        left = self._last + self._period - self._clock()
        if left > 0:
            return left
        text = self._look()
        self.touch()
        if text:
            self._emit(text)
        return self._period

    def _loop(self) -> None:
        pause = self._period
        while not self._stopped.wait(pause):
            pause = self.tick()
