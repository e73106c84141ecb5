# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs of life: a run that works keeps its lock, for as long as its description may take."""

from __future__ import annotations

import datetime
import pathlib
from dataclasses import replace

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    CanaryStep,
    CommandGate,
    Gates,
    Migration,
    Platform,
    ReleasePolicy,
    Service,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.fence import check_fence
from ansible_collections.mainstay.platform.plugins.module_utils._release.heartbeat import (
    MARGIN,
    lease_seconds,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Ledger
from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import (
    Lease,
    LockState,
    acquire,
    parse,
    prolonged,
)

NOW = datetime.datetime(2026, 11, 21, 6, 0, tzinfo=datetime.timezone.utc)
TTL = 900.0


def taken(fence: int = 6) -> LockState:
    wanted = Lease("ada", "deploy r1", "r1", "", "", "", 0)
    return acquire(LockState(fence), wanted, NOW, TTL)


@pytest.fixture
def ledger(tmp_path: pathlib.Path) -> Ledger:
    found = Ledger("demo-test", str(tmp_path))
    found.write_lock(taken())
    return found


def expiry(ledger: Ledger) -> datetime.datetime:
    lease = ledger.lock_state().lease
    assert lease is not None
    return parse(lease.expires)


def test_a_lease_goes_on_for_the_length_it_was_taken_for() -> None:
    """Seen failing with the heartbeat left where it was: every sign of life made it longer."""
    moment, state = NOW, taken()
    for _beat in range(3):
        moment += datetime.timedelta(seconds=700)
        state = prolonged(state, moment)
    assert state.lease is not None
    assert parse(state.lease.expires) == moment + datetime.timedelta(seconds=TTL)
    assert prolonged(LockState(3), NOW) == LockState(3)


def test_a_change_on_the_lock_host_is_a_sign_of_life(ledger: Ledger) -> None:
    """Seen failing without C(beat): the lease of a long canary ended in its middle."""
    before = expiry(ledger)
    check_fence(ledger.directory, 7)
    assert expiry(ledger) > before


@pytest.mark.parametrize(
    ("fence", "remember"),
    [
        pytest.param(7, False, id="check mode"),
        pytest.param(8, True, id="the counter of somebody else"),
    ],
)
def test_no_sign_of_life(ledger: Ledger, fence: int, remember: bool) -> None:
    """Seen failing without the comparison of counters: a stranger kept the lease alive."""
    before = expiry(ledger)
    check_fence(ledger.directory, fence, remember=remember)
    assert expiry(ledger) == before


def test_hosts_without_the_lock_get_no_lock_file(tmp_path: pathlib.Path) -> None:
    """Seen failing without the look for the file: C(ledger.lock) appeared on every host."""
    check_fence(str(tmp_path / "demo-test"), 7)
    assert sorted(p.name for p in (tmp_path / "demo-test").iterdir()) == [
        "fence.json",
        "fence.json.lock",
    ]


def test_a_broken_lock_file_does_not_stop_the_work(ledger: Ledger) -> None:
    """Seen failing without the suppression: a switch ended in its middle."""
    pathlib.Path(ledger.lock_path).write_text("{torn")
    check_fence(ledger.directory, 7)


PLAIN = Platform("demo", "test", "demo.test")
SLOW = Service("api", "r/api", "1", migration=Migration(("m",), timeout=1200.0))


def policy(**more: object) -> Platform:
    return replace(PLAIN, release=ReleasePolicy(**more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("platform", "least"),
    [
        pytest.param(replace(PLAIN, services=(SLOW,)), 300.0 + 1200.0, id="a slow migration"),
        pytest.param(policy(stage_timeout=1800.0), 1800.0, id="slow images"),
        pytest.param(policy(canary=(CanaryStep(10.0, 3600.0),)), 3660.0, id="an hour of canary"),
        pytest.param(
            policy(gates=Gates(commands=(CommandGate("a", ("a",), 900.0),) * 2)),
            1800.0,
            id="slow commands",
        ),
        pytest.param(policy(drain=7200.0), 7200.0, id="a long drain"),
    ],
)
def test_the_lease_covers_the_longest_silence(platform: Platform, least: float) -> None:
    """Seen failing with a fixed lease of 900 seconds."""
    assert lease_seconds(platform, 900.0) >= least + MARGIN


def test_the_lease_is_never_shorter_than_asked() -> None:
    assert lease_seconds(PLAIN, 900.0) == 900.0
