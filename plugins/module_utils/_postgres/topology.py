# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is the primary, who becomes it, and what stands against that. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

Observed = Mapping[str, Any]


def slot_name(host: str) -> str:
    """Name of the replication slot of a host: slots know no dashes and dots."""
    return re.sub(r"[^a-z0-9_]", "_", host.lower())[:63]


def lsn(text: Optional[str]) -> int:
    """C(0/5000090) as a number; 0 when there is none."""
    high, _slash, low = (text or "0/0").partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def reaches(have: Optional[str], need: Optional[str]) -> bool:
    """Whether WAL up to the place C(have) holds the place C(need); nothing holds an unknown one."""
    return bool(have and need) and lsn(have) >= lsn(need)


def primary(observed: Mapping[str, Observed], hosts: Sequence[str]) -> str:
    """The host whose server writes; of a new cluster the first host.

    MainstayError when two servers write: nobody here may choose which data is the right one.
    """
    writing = [h for h in hosts if _runs(observed.get(h)) and not observed[h]["in_recovery"]]
    if len(writing) > 1:
        raise MainstayError(
            "two servers write",
            subject=", ".join(writing),
            found="no recovery on each of them",
            expected="one primary",
            next_step="stop the one that clients must not use, and let failover.yml rejoin it",
        )
    if writing:
        return writing[0]
    # Nobody runs: what was a primary when it stopped still is one.
    stopped = [
        h
        for h in hosts
        if (observed.get(h) or {}).get("exists") and not observed[h].get("standby", False)
    ]
    existing = [h for h in hosts if (observed.get(h) or {}).get("exists")]
    if existing and len(stopped) != 1:
        raise MainstayError(
            "the primary cannot be told",
            subject=", ".join(hosts),
            found=f"no server writes; as primaries stopped: {', '.join(stopped) or 'none'}",
            expected="one",
            next_step="run failover.yml, or start the primary",
        )
    return stopped[0] if stopped else hosts[0]


def operated(observed: Mapping[str, Observed], hosts: Sequence[str], wanted: str = "") -> str:
    """The host that a restore, a backup or a drill is about.

    The wanted one, or the primary; when nobody can tell who that is, the only host that has the
    configuration of the cluster and is no replica: its data is gone.
    """
    if wanted and wanted not in hosts:
        raise MainstayError(
            "the host does not carry the store",
            subject=wanted,
            expected=", ".join(hosts),
            next_step="name one of these as restore_host",
        )
    if wanted:
        return wanted
    try:
        return primary(observed, hosts)
    except MainstayError as error:
        left = [h for h in hosts if h in observed and not observed[h].get("standby", False)]
        if len(left) == 1 and observed[left[0]].get("configured"):
            return left[0]
        raise MainstayError(
            error.what,
            subject=error.subject,
            found=error.found,
            expected=error.expected,
            next_step="name the host with -e restore_host=<name>",
        ) from error


def candidate(
    observed: Mapping[str, Observed], hosts: Sequence[str], old: str, wanted: str = ""
) -> str:
    """The replica that becomes the primary: the one that has the most, or the wanted one."""
    standing = [
        h for h in hosts if h != old and _runs(observed.get(h)) and observed[h]["in_recovery"]
    ]
    if wanted and wanted not in standing:
        raise MainstayError(
            "the wanted host is no replica that runs",
            subject=wanted,
            expected=", ".join(standing) or "a replica that runs",
            next_step="leave ops_primary out, or name one of these",
        )
    if not standing:
        raise MainstayError(
            "no replica runs",
            subject=", ".join(hosts),
            next_step="start a replica, or restore with restore.yml",
        )
    best = max(standing, key=lambda h: (lsn(observed[h].get("received")), -hosts.index(h)))
    if wanted and lsn(observed[wanted].get("received")) < lsn(observed[best].get("received")):
        raise MainstayError(
            "the wanted host has less than another replica",
            subject=wanted,
            found=str(observed[wanted].get("received")),
            expected=f"{observed[best].get('received')}, as {best} has",
            next_step=f"choose {best}, or wait until {wanted} has caught up",
        )
    return wanted or best


def switch_problems(
    observed: Mapping[str, Observed], old: str, new: str, most_bytes: int
) -> list[str]:
    """What stands against a planned switchover from C(old) to C(new)."""
    before, after = observed.get(old) or {}, observed.get(new) or {}
    found = []
    if before.get("system_identifier") != after.get("system_identifier"):
        found.append(f"{new} is no copy of {old}: their system identifiers are not the same")
    behind = lsn(before.get("lsn")) - lsn(after.get("received"))
    if behind > most_bytes:
        found.append(f"{new} is {behind} bytes behind, more than {most_bytes}")
    streams = [row.get("application_name") for row in before.get("replication") or []]
    if before.get("running") and slot_name(new) not in streams and new not in streams:
        found.append(f"{new} does not stream from {old}")
    return found


def failover(
    observed: Mapping[str, Observed],
    hosts: Sequence[str],
    wanted: str = "",
    fenced: bool = False,
    synchronous: bool = False,
    most_bytes: int = 16 * 1024**2,
) -> dict[str, Any]:
    """C({planned, old, new, problems, lost}): planned while the primary writes, unplanned without.

    C(fenced) says that somebody has seen to it that hosts which cannot be reached are off.
    """
    writing = [h for h in hosts if _runs(observed.get(h)) and not observed[h]["in_recovery"]]
    away = [h for h in hosts if h not in observed]
    if writing:
        old = primary(observed, hosts)
        new = candidate(observed, hosts, old, wanted)
        problems = switch_problems(observed, old, new, most_bytes)
        problems += [f"{host} cannot be reached" for host in away]
        lost = {"text": "nothing: the new primary had all that the old one wrote", "seconds": 0.0}
        return {"planned": True, "old": old, "new": new, "problems": problems, "lost": lost}
    gone = away or [h for h in hosts if not observed[h].get("standby", False)]
    old = gone[0] if gone else ""
    problems = [
        f"{host} cannot be reached, so it may still write: see to it that it is off, then add "
        "-e ops_fenced=true"
        for host in away
        if not fenced
    ]
    new = candidate(observed, hosts, old, wanted)
    return {
        "planned": False,
        "old": old,
        "new": new,
        "problems": problems,
        "away": away,
        "lost": _lost(observed[new], synchronous),
    }


def _lost(new: Observed, synchronous: bool) -> dict[str, Any]:
    """What nobody has any more when C(new) is promoted without the old primary."""
    where = f"{new.get('received')}"
    if new.get("replayed_at"):
        where += f" (last commit at {new['replayed_at']})"
    if synchronous:
        return {"text": f"nothing that was acknowledged; it had received {where}", "seconds": 0.0}
    return {
        "text": f"what the old primary committed and had not sent yet, after {where}",
        "seconds": -1.0,
    }


def rejoin(observed: Mapping[str, Observed], hosts: Sequence[str], wanted: str) -> dict[str, Any]:
    """C({planned, old, new, problems}) of a former primary that is to follow the one of today.

    Its data is wound back to where both histories part, so only a copy of the same cluster may be,
    and never the one that has gone further.
    """
    writing = [
        h
        for h in hosts
        if h != wanted and _runs(observed.get(h)) and not observed[h]["in_recovery"]
    ]
    new = writing[0] if len(writing) == 1 else ""
    old = observed.get(wanted) or {}
    problems = []
    if wanted not in hosts:
        problems.append(f"{wanted or 'nobody'} carries no part of the store: {', '.join(hosts)} do")
    elif wanted not in observed:
        problems.append(f"{wanted} cannot be reached")
    if not new:
        found = ", ".join(writing) or "none"
        problems.append(f"the primary that {wanted} is to follow cannot be told: {found} write")
    if new and old.get("exists"):
        problems += _strangers(wanted, old, new, observed[new])
    return {"planned": False, "old": wanted, "new": new, "problems": problems}


def _strangers(wanted: str, old: Observed, new: str, primary_seen: Observed) -> list[str]:
    mine, theirs = old.get("system_identifier"), primary_seen.get("system_identifier")
    if mine != theirs:
        words = f"{wanted} holds another cluster: {mine}, and {new} is {theirs}; its data is "
        return [f"{words}nobody's to wind back, move it aside when nobody needs it"]
    if int(old.get("timeline") or 0) > int(primary_seen.get("timeline") or 0):
        here, there = old.get("timeline"), primary_seen.get("timeline")
        words = f"{wanted} is on timeline {here}, ahead of {new} on {there}"
        return [f"{words}: it is the newer primary"]
    return []


def _runs(host: Optional[Observed]) -> bool:
    return bool(host and host.get("running"))
