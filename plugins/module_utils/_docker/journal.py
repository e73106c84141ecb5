# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each release did on this host, written ahead of every step.

The journal holds specs with their placeholders, never a secret value. It is enough to recreate any
container of a retained release from the local image, and to put right what a killed run left.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import ServiceSpec
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    STATE_ROOT,
    read_json,
    write_json,
)

STAGING, STAGED, MIGRATED = "staging", "staged", "migrated"
SWITCHING, SWITCHED = "switching", "switched"
FINISHING, FINISHED = "finishing", "finished"
REVERTING, REVERTED = "reverting", "reverted"
DONE = (FINISHED, REVERTED)

#: Instants at which a test may kill the run, in the order of a release.
POINTS = (
    "journal-staging",
    "network",
    "secrets",
    "pulled",
    "created",
    "started",
    "healthy",
    "journal-staged",
    "migration-created",
    "migration-ended",
    "journal-switching",
    "worker-stopped",
    "worker-started",
    "journal-switched",
    "journal-finishing",
    "timer-set",
    "retired",
    "journal-finished",
    "journal-reverting",
    "reverted-one",
    "journal-reverted",
)


@dataclass
class Record:
    """One release on this host.

    C(created) are containers this release made, C(started) those of earlier releases it woke,
    C(stopped) those it stopped; all by name. C(number) counts the releases this host has met,
    whatever its clock or that of the controller said; journals from before it have 0.
    """

    phase: str = STAGING
    services: dict[str, ServiceSpec] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    migrations: dict[str, dict[str, Any]] = field(default_factory=dict)
    address: str = ""
    number: int = 0

    @property
    def unfinished(self) -> bool:
        """True while neither C(finished) nor C(reverted) has been reached."""
        return self.phase not in DONE


@dataclass
class Retirement:
    """Containers that keep running until C(due) (seconds since the epoch), then are stopped."""

    unit: str
    due: float
    containers: list[str] = field(default_factory=list)


#: Releases remembered in the order they served; more than any O(retain) asks for.
HISTORY = 50


@dataclass
class Journal:
    """All that this host remembers about the platform.

    C(repositories) are the image repositories it ever used, so that pruning knows what is its own.
    C(history) holds by service the releases that served, the latest first: going back asks for the
    one that served last, which need not be the one that was made last.
    """

    version: int = 1
    releases: dict[str, Record] = field(default_factory=dict)
    serving: dict[str, str] = field(default_factory=dict)
    retiring: list[Retirement] = field(default_factory=list)
    last_port: int = 0
    repositories: list[str] = field(default_factory=list)
    history: dict[str, list[str]] = field(default_factory=dict)

    def serve(self, keep: dict[str, str]) -> None:
        """From now on C(keep) (release by service) serves."""
        for serving in (self.serving, keep):
            for service, origin in serving.items():
                earlier = [o for o in self.history.get(service, []) if o != origin]
                self.history[service] = [origin, *earlier][:HISTORY]
        self.serving = dict(keep)

    def open(self, release: str) -> Record:
        """The record of a release, a new one when this host has not met it."""
        if release not in self.releases:
            last = max((record.number for record in self.releases.values()), default=0)
            self.releases[release] = Record(number=last + 1)
        return self.releases[release]

    def by_age(self) -> list[str]:
        """Releases in the order in which this host met them, the oldest first."""
        return sorted(self.releases, key=lambda r: (self.releases[r].number, r))

    def can_serve(self) -> dict[str, list[str]]:
        """Services by release that this host can bring back."""
        return {
            release: sorted(record.services)
            for release, record in sorted(self.releases.items())
            if record.phase != REVERTED and record.services
        }

    def unfinished(self) -> list[str]:
        """Releases that were neither finished nor reverted, oldest first."""
        return [release for release in self.by_age() if self.releases[release].unfinished]

    def summary(self) -> dict[str, Any]:
        """The part that other tasks read."""
        open_ones = self.unfinished()
        latest = next(reversed(open_ones or self.by_age()), None)
        return {
            "release_id": latest,
            "phase": self.releases[latest].phase if latest else None,
            "unfinished": bool(open_ones),
            "serving": dict(self.serving),
            "releases": sorted(self.releases),
            "can_serve": self.can_serve(),
        }

    def spec_of(self, origin: str, service: str) -> Optional[ServiceSpec]:
        """The spec a container of C(origin) was made from, when it is still remembered."""
        record = self.releases.get(origin)
        return record.services.get(service) if record else None


def directory_of(state_root: str, platform: str) -> str:
    """The platform's state on this host."""
    return os.path.join(state_root, platform)


def path_of(directory: str) -> str:
    """The journal's file."""
    return os.path.join(directory, "journal.json")


def load(directory: str) -> Journal:
    """The journal, or an empty one."""
    data = read_json(path_of(directory))
    return Journal() if data is None else decode(Journal, data)


def save(directory: str, journal: Journal) -> None:
    """Replace the journal; durable when this returns."""
    write_json(path_of(directory), encode(journal))


def kill_switch(state_root: str, wanted: Optional[str]) -> Any:
    """A function of a point's name that ends this process there without any clean-up.

    It exists so that tests can prove that a run may be killed anywhere. With the real state
    directory it does nothing.
    """
    if not wanted or state_root == STATE_ROOT:
        return lambda point: None
    return lambda point: os.kill(os.getpid(), signal.SIGKILL) if point == wanted else None
