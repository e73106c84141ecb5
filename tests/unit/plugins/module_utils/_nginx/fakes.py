# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An edge in memory, below the client's Protocol, and a clock that only moves when asked to."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._nginx.status import Status
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    AbsentError,
    MainstayError,
)


@dataclass
class FakeClock:
    """Sleeping moves the time, and lets the world do C(on_sleep)."""

    now: float = 100.0
    on_sleep: Optional[Callable[[], None]] = None

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float, /) -> None:
        """Time passes."""
        self.now += seconds
        if self.on_sleep:
            self.on_sleep()


@dataclass
class FakeEdge:
    """Two workers that take a new document over when C(advance) is called."""

    platform: str = "shop-production"
    upstreams: dict[str, Any] = field(default_factory=dict)
    maintenance: bool = False
    generation: int = 1
    mark: int = 1
    seen: list[int] = field(default_factory=lambda: [1, 1])
    open: dict[str, int] = field(default_factory=dict)
    stuck: bool = False
    failure: Optional[MainstayError] = None
    before_put: Optional[Callable[[], None]] = None
    puts: int = 0
    dead: bool = False

    def status(self, since: Optional[int] = None) -> Status:
        """See the Protocol."""
        if self.dead:
            raise AbsentError("Nginx does not run")
        return Status(
            generation=self.generation,
            mark=self.mark,
            upstreams=copy.deepcopy(self.upstreams),
            maintenance=self.maintenance,
            platform=self.platform,
            nginx="1.26.3",
            workers=tuple(
                {"pid": 10 + i, "seen": seen, "open": dict(self.open) if i == 0 else {}}
                for i, seen in enumerate(self.seen)
            ),
        )

    def put_upstreams(self, document: dict[str, Any]) -> int:
        """See the Protocol."""
        if self.before_put:
            self.before_put()
        if self.failure:
            raise self.failure
        self.upstreams = copy.deepcopy(document)
        self.mark = self.generation + 1
        return self._next()

    def put_maintenance(self, on: bool) -> int:
        """See the Protocol."""
        if self.before_put:
            self.before_put()
        if self.failure:
            raise self.failure
        self.maintenance = on
        return self._next()

    def advance(self) -> None:
        """The first worker that is behind catches up."""
        if self.stuck:
            return
        for index, seen in enumerate(self.seen):
            if seen < self.generation:
                self.seen[index] = self.generation
                return

    def _next(self) -> int:
        self.puts += 1
        self.generation += 1
        return self.generation
