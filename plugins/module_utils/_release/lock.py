# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease that lets one run at a time change a platform. Pure: the clock is a parameter.

The lock file holds the highest fencing counter ever given out and the lease, if there is one. Times
are ISO 8601 in UTC, so they compare as text.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import encode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class LockHeld(MainstayError):
    """Somebody else is at work; C(lease) says who."""

    def __init__(self, message: MainstayError, lease: Lease) -> None:
        super().__init__(
            message.what,
            subject=message.subject,
            found=message.found,
            expected=message.expected,
            next_step=message.next_step,
        )
        self.lease = lease


@dataclass(frozen=True)
class Controller:
    """The process that holds a lease: machine and boot it runs on, its id and start time.

    C(started) is field 22 of /proc/<pid>/stat (clock ticks since boot), so a process id that was
    given out again is not mistaken for the holder.
    """

    machine: str = ""
    boot: str = ""
    hostname: str = ""
    pid: int = 0
    started: int = 0


@dataclass(frozen=True)
class Lease:
    """Who holds the lock, for what, until when."""

    holder: str
    purpose: str
    release_id: str
    acquired: str
    heartbeat: str
    expires: str
    fence: int
    controller: Controller = field(default_factory=Controller)
    step: str = ""
    taken_over_from: Optional[str] = None


@dataclass(frozen=True)
class LockState:
    """What the lock file holds."""

    fence: int = 0
    lease: Optional[Lease] = None


def stamp(moment: datetime.datetime) -> str:
    """C(moment) as text that sorts by time."""
    return moment.astimezone(datetime.timezone.utc).strftime(_FORMAT)


def parse(text: str) -> datetime.datetime:
    """The moment that L(stamp) wrote."""
    return datetime.datetime.strptime(text, _FORMAT).replace(tzinfo=datetime.timezone.utc)


def later(moment: datetime.datetime, seconds: float) -> str:
    """C(moment) and C(seconds) more, as text."""
    return stamp(moment + datetime.timedelta(seconds=seconds))


def is_live(lease: Optional[Lease], now: datetime.datetime) -> bool:
    """True while the lease has not expired."""
    return lease is not None and lease.expires > stamp(now)


def acquire(
    state: LockState,
    wanted: Lease,
    now: datetime.datetime,
    seconds: float,
    takeover_of: Optional[int] = None,
) -> LockState:
    """The state after C(wanted) got the lock; L(LockHeld) when somebody else has it.

    C(takeover_of) is the fencing counter of a lease whose process the caller knows to be gone.
    The same process may ask again for the same release and keeps its counter; a second process
    with the same release id is a stranger.
    """
    lease = state.lease
    if lease is not None and _identity(lease) == _identity(wanted):
        return LockState(state.fence, _extended(lease, now, seconds))
    if lease is not None and is_live(lease, now) and lease.fence != takeover_of:
        raise LockHeld(_held(lease, now), lease)
    granted = replace(
        wanted,
        acquired=stamp(now),
        heartbeat=stamp(now),
        expires=later(now, seconds),
        fence=state.fence + 1,
        taken_over_from=lease.release_id if lease is not None else None,
    )
    return LockState(granted.fence, granted)


def renew(
    state: LockState, fence: int, now: datetime.datetime, seconds: float, step: str = ""
) -> LockState:
    """The state with the lease of C(fence) extended; refused when another one is held.

    One that has expired but was not taken over goes on: nobody else has changed anything.
    """
    lease = _owned(state, fence)
    extended = _extended(lease, now, seconds)
    return LockState(state.fence, replace(extended, step=step or lease.step))


def prolonged(state: LockState, now: datetime.datetime) -> LockState:
    """The state with its lease extended by the length it was taken for."""
    if state.lease is None:
        return state
    length = parse(state.lease.expires) - parse(state.lease.heartbeat)
    return LockState(state.fence, _extended(state.lease, now, length.total_seconds()))


def first_fence(now: datetime.datetime) -> int:
    """Where the counter starts on a host that has no lock file: minutes since 1970.

    The host may have been built anew while others remember the counters of its predecessor. Those
    rose by one for each run, which is less than one for each minute.
    """
    return int(now.timestamp() // 60)


def release(state: LockState, fence: int) -> LockState:
    """The state without a lease. Releasing one's own lock twice is no error."""
    if state.lease is None and fence == state.fence:
        return state
    _owned(state, fence)
    return LockState(state.fence, None)


def _identity(lease: Lease) -> tuple[str, str, Controller]:
    return lease.holder, lease.release_id, lease.controller


def _owned(state: LockState, fence: int) -> Lease:
    if state.lease is None or state.lease.fence != fence:
        now = f"{state.lease.holder} ({state.lease.purpose})" if state.lease else "nobody"
        raise MainstayError(
            "this run lost its lock",
            subject="lock",
            found=f"held by {now}, counter {state.fence}",
            expected=f"held by this run, counter {fence}",
            next_step="look at status.yml; this run changes nothing any more",
        )
    return state.lease


def _extended(lease: Lease, now: datetime.datetime, seconds: float) -> Lease:
    return replace(lease, heartbeat=stamp(now), expires=later(now, seconds))


def _held(lease: Lease, now: datetime.datetime) -> MainstayError:
    age = int((now - parse(lease.acquired)).total_seconds())
    where = f" on {lease.controller.hostname}" if lease.controller.hostname else ""
    doing = f" (now: {lease.step})" if lease.step else ""
    return MainstayError(
        "another run is at work",
        subject="lock",
        found=f"held by {lease.holder}{where} since {lease.acquired} ({age} s ago): "
        f"{lease.purpose}{doing}",
        expected="no live lock",
        next_step=f"wait for it, or until its lease ends at {lease.expires}; status.yml shows it",
    )


def describe(state: LockState, now: datetime.datetime) -> dict[str, Any]:
    """The fact C(lock): the lease with C(live), or just the counter when nobody holds it."""
    if state.lease is None:
        return {"fence": state.fence, "live": False}
    return {**encode(state.lease), "live": is_live(state.lease, now)}
