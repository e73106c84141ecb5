# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run may be killed at any instant; the next call of any state puts the host right."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from release_host import SECRET, Host, spec

OLD, NEW, NEXT = "20261121T060000Z-0000aa", "20261121T070000Z-0000bb", "20261121T080000Z-0000cc"
USES = [{"secret": "token", "file": "token"}, {"secret": "token", "env": "TOKEN"}]
MIGRATION = {"command": ["migrate"]}
STEPS = {
    "staged": "journal-staging network secrets pulled created started healthy journal-staged",
    "migrated": "migration-created migration-ended",
    "switched": "journal-switching worker-stopped worker-started journal-switched",
    "finished": "journal-finishing retired journal-finished",
    "reverted": "journal-reverting reverted-one journal-reverted",
}
POINTS = [(state, point) for state, points in STEPS.items() for point in points.split()]
WAYS = ("same", "reverted", "next")
#: The points at which a host has half of something, of every state.
SHORT = {
    *("created", "journal-staged", "migration-created", "worker-stopped", "journal-switched"),
    *("retired", "reverted-one", "journal-reverted"),
}
#: Every point with one way on; every point with every way when MAINSTAY_FULL is set.
CASES = [
    pytest.param(
        *(state, point, way),
        id=f"{state}-{point}-{way}",
        marks=[] if point in SHORT else [pytest.mark.long],
    )
    for number, (state, point) in enumerate(POINTS)
    for index, way in enumerate(WAYS)
    if os.environ.get("MAINSTAY_FULL") or index == number % len(WAYS)
]


class Release:
    """Two services' worth of release: what every step is called with."""

    def __init__(self, host: Host, images: str, release_id: str, version: str) -> None:
        self.host, self.id = host, release_id
        self.services = [
            spec(images, version=version, secrets=USES, migration=MIGRATION),
            spec(images, "jobs", version, port=None, replicas=1),
        ]

    def step(
        self, state: str, keep: dict[str, str], kill_at: str = "", **more: Any
    ) -> dict[str, Any]:
        """One state of this release."""
        arguments = {} if state in ("finished", "reverted") else {"services": self.services}
        return self.host.call(
            state,
            self.id,
            kill_at=kill_at,
            keep=keep,
            secrets={"token": SECRET},
            **arguments,
            **more,
        )

    def all(self, before: dict[str, str]) -> dict[str, str]:
        """The whole way; what serves afterwards."""
        after = {"api": self.id, "jobs": self.id}
        for state in ("staged", "migrated", "switched"):
            answer = self.step(state, before)
            assert "failed" not in answer, answer
        assert "failed" not in self.step("finished", after)
        return after


@pytest.mark.parametrize(("state", "point", "way"), CASES)
def test_kill_converges(host: Host, images: str, state: str, point: str, way: str) -> None:
    before = Release(host, images, OLD, "1.0.0").all({})
    new = Release(host, images, NEW, "1.1.0")
    after = {"api": NEW, "jobs": NEW}
    order = ["staged", "migrated", "switched"]
    for step in order[: order.index(state)] if state in order else order:
        assert "failed" not in new.step(step, before)
    keep = after if state == "finished" else before
    assert new.step(state, keep, kill_at=point) == {"killed": True}

    if way == "same":
        if state in order:
            for step in order[order.index(state) :]:
                assert "failed" not in new.step(step, before)
            keep = after
            state = "finished"
        assert "failed" not in new.step(state, keep)
    elif way == "reverted":
        keep = before
        assert "failed" not in new.step("reverted", keep)
    else:
        keep = Release(host, images, NEXT, "1.0.0").all(keep)
    _only(host, keep)


def _only(host: Host, keep: dict[str, str]) -> None:
    """Exactly the kept version runs; nothing half-made, no journal left open, no secret shown."""
    running = {n for n, s in host.containers().items() if s == "running"}
    suffix = {name: origin[-6:] for name, origin in keep.items()}
    wanted = {f"api-1-{suffix['api']}", f"api-2-{suffix['api']}", f"jobs-1-{suffix['jobs']}"}
    assert running == wanted
    assert set(host.containers().values()) <= {"running", "exited"}
    observed = host.info()
    assert not observed["journal"]["unfinished"]
    assert observed["journal"]["serving"] == keep
    assert observed["unhealthy"] == []
    assert SECRET not in json.dumps(observed)
    assert SECRET not in (host.root / "mse-integration" / "journal.json").read_text()
