# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock's rules applied to where it is kept."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import decode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._release import lock
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Store


def change_lock(ledger: Store, params: Mapping[str, Any], *, check_mode: bool) -> Result:
    """Take, renew or give back the lock; nobody else changes it while it is decided."""
    started = time.monotonic()
    with ledger.guard(check_mode=check_mode):
        now = ledger.now()
        before = ledger.lock_state()
        if check_mode and _only_in_check_mode(before, params):
            before = _taken(before, params, now)
        after = _decide(before, params, now)
        changed = after != before
        if changed and not check_mode:
            if after.fence > before.fence:
                # This host refuses the run before from now on, and not only when it is changed.
                ledger.remember_fence(after.fence)
            ledger.write_lock(after)
    return Result(
        changed=changed,
        actions=[_sentence(before, after, params)] if changed else [],
        duration=time.monotonic() - started,
        facts={"lock": lock.describe(after, now)},
    )


def _decide(
    state: lock.LockState, params: Mapping[str, Any], now: datetime.datetime
) -> lock.LockState:
    if params["state"] == "renewed":
        return lock.renew(state, params["fence"], now, params["ttl"], params["step"])
    if params["state"] == "released":
        return lock.release(state, params["fence"])
    return _taken(state, params, now)


def _only_in_check_mode(state: lock.LockState, params: Mapping[str, Any]) -> bool:
    """True when the counter is the one that an earlier task of a check run was shown."""
    return bool(params["state"] != "acquired" and params["fence"] == state.fence + 1)


def _taken(
    state: lock.LockState, params: Mapping[str, Any], now: datetime.datetime
) -> lock.LockState:
    wanted = lock.Lease(
        holder=params["holder"] or "unknown",
        purpose=params["purpose"],
        release_id=params["release_id"],
        acquired="",
        heartbeat="",
        expires="",
        fence=0,
        controller=decode(lock.Controller, params["controller"]),
    )
    return lock.acquire(state, wanted, now, params["ttl"], params["takeover_of"])


def _sentence(before: lock.LockState, after: lock.LockState, params: Mapping[str, Any]) -> str:
    if params["state"] == "released":
        return f"give the lock back (counter {after.fence})"
    if params["state"] == "renewed":
        return f"renew the lock (counter {after.fence})"
    sentence = (
        f"take the lock for {params['purpose'] or params['release_id']} (counter {after.fence})"
    )
    if after.lease is not None and after.lease.taken_over_from:
        sentence += f", over from {after.lease.taken_over_from}"
    return sentence
