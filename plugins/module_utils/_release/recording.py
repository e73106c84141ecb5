# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry's rules applied to the files of the ledger, and questions asked of it."""

from __future__ import annotations

import datetime
import functools
import re
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._release import entry, lock
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Store


def record(ledger: Store, params: Mapping[str, Any], *, check_mode: bool) -> Result:
    """Open, extend or close one entry; older ones beyond C(keep) are removed when one is opened."""
    started = time.monotonic()
    ledger.check_fence(params["fence"], remember=not check_mode)
    with ledger.guard(check_mode=check_mode):
        now = lock.stamp(ledger.now())

        def change(found: dict[str, Any] | None) -> dict[str, Any]:
            if found is None and check_mode and params["state"] != "started":
                # The task before this one only said that it would open the record.
                found = entry.opened(
                    params["platform"], params["release_id"], params["fence"], now, {}
                )
            return _next(found, params, now)

        before, after = ledger.amend(params["release_id"], change, check_mode=check_mode)
        removed = _prune(ledger, params, after, check_mode)
        left = _close_interrupted(ledger, params, after, now, check_mode)
        unlocked = _unlock(ledger, params, check_mode)
    actions = [_sentence(params, after)] if after != before else []
    actions += [f"close the record of {item['id']}, which was interrupted" for item in left]
    actions += [f"remove the old record {name}" for name in removed]
    actions += [f"give the lock back (counter {params['fence']})"] if unlocked else []
    return Result(
        changed=after != before or unlocked,
        actions=actions,
        duration=time.monotonic() - started,
        facts={"entry": after},
    )


def _close_interrupted(
    ledger: Store, params: Mapping[str, Any], new: dict[str, Any], now: str, check_mode: bool
) -> list[dict[str, Any]]:
    """Close what killed operations left open when another one is opened; these entries."""
    if params["state"] != "started":
        return []
    why = {"outcome": "failed", "reason": f"interrupted; {new['kind']} {new['id']} came after it"}
    known = ledger.entries()[0]
    left = [entry.closed(item, now, why) for item in entry.abandoned_by(known, new)]
    for item in left:
        ledger.amend(item["id"], functools.partial(_replaced, item), check_mode=check_mode)
    return left


def _replaced(after: dict[str, Any], _before: dict[str, Any] | None) -> dict[str, Any]:
    return after


def _prune(
    ledger: Store, params: Mapping[str, Any], opened: dict[str, Any], check_mode: bool
) -> list[str]:
    """Remove what is too old when a record is opened; the ids of it."""
    if params["state"] != "started":
        return []
    others = [e for e in ledger.entries()[0] if e["id"] != opened["id"]]
    removed = entry.prunable([opened, *others], params["keep"])
    for name in [] if check_mode else removed:
        ledger.remove(name)
    return removed


def _unlock(ledger: Store, params: Mapping[str, Any], check_mode: bool) -> bool:
    """Give the lock back after the entry is closed: nobody finds it free and the entry open."""
    if not params.get("unlock"):
        return False
    if check_mode:  # the task that took it changed nothing either
        return True
    held = ledger.lock_state()
    free = lock.release(held, params["fence"])
    if free != held:
        ledger.write_lock(free)
    return free != held


def _next(before: dict[str, Any] | None, params: Mapping[str, Any], now: str) -> dict[str, Any]:
    release_id, part = params["release_id"], dict(params["entry"])
    if params["state"] == "started":
        if before is not None:
            raise MainstayError(
                "the release already has a record",
                subject=f"release {release_id}",
                found=f"{before['kind']}, {before['outcome']}, started {before['started']}",
                expected="a new release id",
            )
        return entry.opened(params["platform"], release_id, params["fence"], now, part)
    if before is None:
        raise MainstayError(
            "the release has no record",
            subject=f"release {release_id}",
            found="nothing",
            expected="an entry opened with state=started",
        )
    if params["state"] == "running":
        return entry.still_open(before, part)
    return entry.closed(before, now, part)


def _sentence(params: Mapping[str, Any], after: dict[str, Any]) -> str:
    verb = {"started": "open", "running": "extend", "finished": "close"}[params["state"]]
    return f"{verb} the record of {after['id']}: {after['kind']}, {after['outcome']}"


def ask(ledger: Store, params: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of release_info: releases, current, interrupted, lock, warnings."""
    entries, warnings = ledger.entries()
    state, now, broken = lock.LockState(), ledger.now(), False
    try:
        state = ledger.lock_state()
    except MainstayError as error:
        # Reading goes on for whoever is on call; only taking the lock is refused.
        broken = True
        warnings.append(f"lock file passed over: {str(error).splitlines()[0]}")
    live = state.lease.release_id if lock.is_live(state.lease, now) and state.lease else None
    return {
        "releases": select(entries, params),
        "current": entry.current_of(entries),
        "interrupted": None if broken else entry.interrupted_of(entries, live),
        "open": entry.interrupted_of(entries, None),
        "lock": lock.describe(state, now),
        "ledger_warnings": warnings,
    }


def moment(name: str, text: str) -> str:
    """A time of the user (ISO 8601, UTC when it names no zone) in the ledger's own spelling."""
    try:
        found = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
    except ValueError as error:
        raise MainstayError(
            "not a time",
            subject=name,
            found=text,
            expected="ISO 8601, such as 2026-11-21T06:00:00+00:00",
        ) from error
    return lock.stamp(found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc))


def select(entries: list[dict[str, Any]], params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries that match, newest first."""
    bounds = {k: moment(k, params[k]) for k in ("since", "until") if params.get(k)}
    params = {**params, **bounds}
    tests = {
        "release_id": lambda e, v: e["id"] == v,
        "outcome": lambda e, v: e.get("outcome") in v,
        "kind": lambda e, v: e.get("kind") in v,
        "since": lambda e, v: str(e.get("started")) >= v,
        "until": lambda e, v: str(e.get("started")) <= v,
    }
    found = [
        e
        for e in entries
        if all(test(e, params[key]) for key, test in tests.items() if params.get(key))
    ]
    return found[: params["limit"]] if params.get("limit") else found
