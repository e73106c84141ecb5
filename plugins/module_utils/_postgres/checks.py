# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a recovered cluster: queries, indexes, pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import Deadline
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.server import Server

#: Seconds that one query of the caller may take.
QUERY_LIMIT = 600.0


def problems_of(checks: Sequence[Any]) -> list[str]:
    """What is wrong with the checks as they were given, in sentences."""
    found = []
    for number, item in enumerate(checks, 1):
        missing = [key for key in ("database", "query", "expect") if key not in item]
        unknown = sorted(set(item) - {"database", "query", "expect", "name"})
        if missing:
            found.append(f"check {number} has no {', '.join(missing)}")
        if unknown:
            found.append(f"check {number} has unknown keys {', '.join(unknown)}")
    return found


def require_sound(checks: Sequence[Any]) -> None:
    """Refuse checks that could not be run."""
    found = problems_of(checks)
    if found:
        raise MainstayError(
            "the checks are not valid",
            found="; ".join(found),
            expected="database, query and expect in each",
        )


def run_queries(server: Server, checks: Sequence[Any]) -> list[dict[str, Any]]:
    """Each query of the caller; its text and what it found, never more than 200 signs."""
    results = []
    for item in checks:
        name = str(item.get("name") or item["query"])[:200]
        expected = str(item["expect"])
        try:
            found = server.query(str(item["query"]), str(item["database"]), QUERY_LIMIT)
        except MainstayError as error:
            found = f"{error.what}: {'; '.join(error.evidence[-2:])}"
        results.append({"check": name, "ok": found == expected, "found": found[:200]})
    return results


def writable(server: Server) -> bool:
    """Whether the server takes a transaction that writes."""
    return server.query("select pg_current_xact_id() is not null, pg_is_in_recovery()") == "t\tf"


def amcheck(server: Server, jobs: int, deadline: Deadline) -> dict[str, Any]:
    """Tables against their indexes, with pg_amcheck in every database."""
    place = server.place
    argv = [server.program("pg_amcheck"), "-h", place.socket_directory, "-p", str(place.port)]
    argv += ["-U", place.username, "-w", "--all", "--install-missing", "-j", str(jobs)]
    argv += ["--no-strict-names"]
    done = server.programs.run(argv, deadline.left())
    found = "" if done.code == 0 else "; ".join(done.evidence())[:500]
    return {"check": "amcheck", "ok": done.code == 0, "found": found}


def checksums(server: Server, deadline: Deadline) -> dict[str, Any]:
    """The checksum of every page of a stopped cluster."""
    argv = [server.program("pg_checksums"), "--check", "-D", server.place.data_directory]
    done = server.programs.run(argv, deadline.left())
    found = "" if done.code == 0 else "; ".join(done.evidence())[:500]
    return {"check": "checksums", "ok": done.code == 0, "found": found}
