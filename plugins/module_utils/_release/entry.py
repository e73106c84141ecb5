# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry of the ledger: its fixed shape, and how parts are added to it. Pure.

The shape is fixed so that nothing arbitrary (a secret above all) can land in the ledger.
"""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

#: Operations on a store; what one of them left open is none of a release's business.
OPERATIONS = ("restore", "undo", "failover", "rejoin", "backup", "drill")
#: A switch of the maintenance page: no release either, and nothing that a release could heal.
MAINTENANCE = "maintenance"
KINDS = ("deploy", "rollback", MAINTENANCE, *OPERATIONS)
#: C(running) is the only outcome an open entry has.
OUTCOMES = (
    *("running", "deployed", "rolled_back", "held", "refused"),
    *("restored", "undone", "switched", "rejoined", "backed_up", "drilled"),
    *("incomplete", "failed"),
)
#: Lists to which a later part appends; every other list is replaced.
APPENDED = ("steps", "gates", "notes")
#: Keys that the ledger itself sets; nobody hands them in.
OWNED = ("id", "platform", "started", "ended", "fence", "approvals")
#: Every key an entry may have, and the value it starts with.
SHAPE: dict[str, Any] = {
    "id": "",
    "platform": "",
    "kind": "deploy",
    "outcome": "running",
    "committed": False,
    "started": "",
    "ended": None,
    "who": "",
    "controller": "",
    "awx_job_id": None,
    "git_revision": None,
    "strategy": "",
    "services": {},
    "previous": None,
    "reversible": True,
    "description": {},
    "upstreams_before": {},
    "upstreams_after": {},
    "steps": [],
    "gates": [],
    "approvals": [],
    "notes": [],
    "proof": {},
    "operation": {},
    "reason": "",
    "fence": 0,
}


def opened(
    platform: str, release_id: str, fence: int, now: str, part: dict[str, Any]
) -> dict[str, Any]:
    """A new entry with C(part) in it."""
    start = {
        **{key: _copy(value) for key, value in SHAPE.items()},
        "id": release_id,
        "platform": platform,
        "fence": fence,
        "started": now,
    }
    return still_open(start, part)


def still_open(entry: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """C(entry) with C(part) over it, without an outcome yet; one that was closed stays as it is."""
    if entry.get("ended"):
        raise _finished(entry, "no more parts")
    if part.get("outcome", "running") != "running":
        raise MainstayError(
            "an outcome closes the entry",
            subject=f"release {entry['id']}",
            found=f"outcome {part['outcome']} in an entry that stays open",
            expected="state=finished",
        )
    return merged(entry, part)


def merged(entry: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """C(entry) with C(part) over it: dictionaries merge, named lists grow, the rest is replaced."""
    _check(part)
    found = dict(entry)
    for key, value in part.items():
        if value is None and SHAPE[key] is not None:
            continue
        if key in APPENDED:
            found[key] = [*(entry.get(key) or []), *value]
        elif key in ("services", "proof") and isinstance(value, dict):
            found[key] = {**(entry.get(key) or {}), **value}
        else:
            found[key] = value
    return found


def closed(entry: dict[str, Any], now: str, part: dict[str, Any]) -> dict[str, Any]:
    """C(entry) with its outcome and end; the outcome must not be C(running).

    An entry that has its outcome keeps it: what was reported once is not rewritten.
    """
    if entry.get("ended") and part.get("outcome", entry["outcome"]) != entry["outcome"]:
        raise _finished(entry, f"outcome {entry['outcome']}")
    found = {**merged(entry, part), "ended": entry.get("ended") or now}
    if found["outcome"] not in OUTCOMES[1:]:
        raise MainstayError(
            "a finished entry needs an outcome",
            subject=f"release {entry['id']}",
            found=str(found["outcome"]),
            expected=", ".join(OUTCOMES[1:]),
        )
    return found


def _finished(entry: dict[str, Any], expected: str) -> MainstayError:
    return MainstayError(
        "the record was closed already",
        subject=f"release {entry['id']}",
        found=f"{entry['outcome']}, ended {entry['ended']}",
        expected=expected,
        next_step="start a new run; it gets a record of its own",
    )


def _check(part: dict[str, Any]) -> None:
    _check_keys(part)
    for key, value in part.items():
        kind = type(SHAPE[key])
        if kind in (dict, list, bool) and value is not None and not isinstance(value, kind):
            raise MainstayError(
                "not what this key of the ledger holds",
                subject=f"entry.{key}",
                found=type(value).__name__,
                expected=kind.__name__,
            )


def _check_keys(part: dict[str, Any]) -> None:
    owned = sorted(set(part) & set(OWNED))
    if owned:
        raise MainstayError(
            "the ledger sets this key itself",
            subject="entry",
            found=", ".join(owned),
            expected="the module's own options",
        )
    unknown = sorted(set(part) - set(SHAPE))
    if unknown:
        raise MainstayError(
            "the ledger has no such key",
            subject="entry",
            found=", ".join(unknown),
            expected=", ".join(SHAPE),
        )
    for key, allowed in (("kind", KINDS), ("outcome", OUTCOMES)):
        if key in part and part[key] not in allowed:
            raise MainstayError(
                f"no such {key}",
                subject=f"entry.{key}",
                found=str(part[key]),
                expected=", ".join(allowed),
            )


def newest_first(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """C(entries) in the order in which their runs got the lock.

    The counter of the lock only grows; a clock may be set back, and then a time says nothing.
    """
    return sorted(
        entries,
        key=lambda e: (int(e.get("fence") or 0), str(e.get("started")), str(e["id"])),
        reverse=True,
    )


def abandoned_by(entries: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """Entries of operations that a killed run left open, to be closed when C(new) is opened.

    A restore holds the lock from its first change to its end, so one that is still open when the
    next run has the lock is nobody's any more; so is a switch of the maintenance page, for any run.
    Backups and drills go on without the lock.
    """
    alone = ("backup", "drill")
    if new["kind"] in alone:
        return []
    over = [MAINTENANCE]
    if new["kind"] in OPERATIONS:
        over += [kind for kind in OPERATIONS if kind not in alone]
    return [
        e
        for e in entries
        if e["id"] != new["id"] and e.get("outcome") == "running" and e.get("kind") in over
    ]


def prunable(entries: list[dict[str, Any]], keep: int) -> list[str]:
    """Ids of the oldest entries beyond C(keep) (at least one) that nothing needs any more.

    C(entries) are newest first. What serves, the one before it, what kept entries refer to and
    what is still open stay.
    """
    first = max(1, keep)
    serving = [e for e in entries if e.get("committed") and e.get("outcome") == "deployed"]
    kept = [*entries[:first], *serving[:2]]
    needed = {str(e["id"]) for e in kept} | {str(e.get("previous")) for e in kept}
    needed |= {str(s.get("origin")) for e in kept for s in (e.get("services") or {}).values()}
    return [
        str(e["id"])
        for e in entries[first:]
        if e["id"] not in needed and e.get("outcome") != "running"
    ]


def _copy(value: Any) -> Any:
    return type(value)(value) if isinstance(value, (dict, list)) else value


def current_of(entries: list[dict[str, Any]]) -> Optional[dict[str, Any]]:
    """The entry that describes what serves now: the newest committed one that was deployed.

    C(entries) are newest first.
    """
    return next((e for e in entries if e.get("committed") and e.get("outcome") == "deployed"), None)


def interrupted_of(
    entries: list[dict[str, Any]], live_release: Optional[str]
) -> Optional[dict[str, Any]]:
    """The newest entry still open although no live lock belongs to it.

    One that is older than what serves now was healed by the release that serves; taking it up
    again would undo that release.
    """
    for found in entries:
        if found.get("kind") in (MAINTENANCE, *OPERATIONS):
            continue
        if found.get("outcome") == "running" and found["id"] != live_release:
            return found
        if found.get("committed") and found.get("outcome") == "deployed":
            return None
    return None
