# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One PostgreSQL server: its programs, its data directory, its socket."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, replace
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
    Done,
    Programs,
    failed,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import ControlData

#: Seconds for a query about the server's state, and between two looks at a starting server.
QUERY_LIMIT = 30.0
PAUSE = 0.1
#: Seconds that a server which is being started may have no process yet.
GRACE = 3.0
VERSIONS = "/usr/lib/postgresql"


@dataclass(frozen=True)
class Place:
    """Where a cluster is and how it is reached."""

    data_directory: str
    socket_directory: str
    port: int
    username: str
    bin_directory: str = ""
    config_file: str = ""
    service: str = ""


class Server:
    """Commands of one cluster. Every failure is a MainstayError."""

    def __init__(self, place: Place, programs: Programs) -> None:
        self.place = place
        self.programs = programs

    def at(self, **changes: object) -> Server:
        """The same cluster in another place."""
        return Server(replace(self.place, **changes), self.programs)  # type: ignore[arg-type]

    def program(self, name: str) -> str:
        """The path of a program of the server's version."""
        directory = self.place.bin_directory or _newest_bin(self.version())
        return os.path.join(directory, name)

    def version(self) -> str:
        """Major version of the data directory, empty without one."""
        try:
            with open(os.path.join(self.place.data_directory, "PG_VERSION"), encoding="ascii") as f:
                return f.read().strip()
        except OSError:
            return ""

    def program_version(self) -> str:
        """Major version of the programs."""
        done = self.programs.run([self.program("postgres"), "--version"], QUERY_LIMIT)
        match = re.search(r"(\d+)", done.out)
        return match.group(1) if match else ""

    def control(self) -> Optional[ControlData]:
        """C(pg_controldata) of the data directory, or nothing when there is no cluster."""
        path = os.path.join(self.place.data_directory, "global", "pg_control")
        if not os.path.exists(path):
            return None
        argv = [self.program("pg_controldata"), "-D", self.place.data_directory]
        done = self.programs.run(argv, QUERY_LIMIT)
        if done.code:
            raise failed(argv, done, f"{path} cannot be read")
        return parse_control(done.out)

    def running(self) -> bool:
        """Whether a server runs in the data directory."""
        if not os.path.exists(os.path.join(self.place.data_directory, "postmaster.pid")):
            return False
        argv = [self.program("pg_ctl"), "status", "-D", self.place.data_directory]
        return self.programs.run(argv, QUERY_LIMIT).code == 0

    def start(
        self, limit: float, log: str, config_file: str = "", within: tuple[str, ...] = ()
    ) -> None:
        """Start the server and return at once; a program's status 0 proves nothing yet.

        C(within) is a program that runs another one in surroundings of its own.
        """
        if self.place.service and not config_file:
            argv = ["systemctl", "start", self.place.service]
        else:
            options = ""
            chosen = config_file or self.place.config_file
            if chosen:
                options = f"-c config_file={chosen}"
            argv = [*within, self.program("pg_ctl"), "start", "-W", "-s"]
            argv += ["-D", self.place.data_directory]
            argv += ["-l", log, "-o", options]
        done = self.programs.run(argv, limit, survives=True)
        if done.code:
            raise failed(argv, done, "the server does not start", f"read {log}")

    def stop(self, limit: float, mode: str = "fast") -> None:
        """Stop the server; it is an error when it still runs after C(limit) seconds."""
        if self.place.service and self._unit_active():
            argv = ["systemctl", "stop", self.place.service]
        else:
            argv = [self.program("pg_ctl"), "stop", "-D", self.place.data_directory, "-m", mode]
            argv += ["-w", "-t", str(int(limit)), "-s"]
        done = self.programs.run(argv, limit + 10)
        if self.running():
            raise failed(argv, done, "the server does not stop", "look at its open sessions")

    def _unit_active(self) -> bool:
        argv = ["systemctl", "is-active", "--quiet", self.place.service]
        return self.programs.run(argv, QUERY_LIMIT).code == 0

    def query(self, sql: str, database: str = "postgres", limit: float = QUERY_LIMIT) -> str:
        """The result as text, columns apart by tabulators. The text is not in any argument."""
        argv, environment = self._psql(database, limit)
        done = self.programs.run(argv, limit + 15, data=sql.encode(), environment=environment)
        if done.code:
            raise failed(argv, done, "the query failed", "see whether the server accepts queries")
        return done.out.strip("\n")

    def ask(self, sql: str, limit: float = 5.0) -> Optional[str]:
        """The same, but nothing when the server does not answer (yet)."""
        argv, environment = self._psql("postgres", limit)
        done: Done = self.programs.run(argv, limit + 10, data=sql.encode(), environment=environment)
        return None if done.code else done.out.strip("\n")

    def _psql(self, database: str, limit: float) -> tuple[list[str], dict[str, str]]:
        argv = ["psql", "-X", "-A", "-t", "-q", "-F", "\t", "-v", "ON_ERROR_STOP=1"]
        argv += ["-h", self.place.socket_directory, "-p", str(self.place.port)]
        argv += ["-U", self.place.username, "-d", database, "-w", "-f", "-"]
        milliseconds = int(limit * 1000)
        options = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
        return argv, {"PGCONNECT_TIMEOUT": "5", "PGOPTIONS": options}

    def wait_open(self, limit: float) -> None:
        """Until the server answers queries; an error at once when it ends instead."""
        end, ended = time.monotonic() + limit, Ended(self)
        while self.ask("select 1") != "1":
            if ended():
                raise MainstayError(
                    "the server ended while it was starting", subject=self.place.data_directory
                )
            if time.monotonic() > end:
                raise MainstayError(
                    "the server does not answer",
                    subject=self.place.data_directory,
                    found=f"no answer through {self.place.socket_directory} after {limit:.0f} s",
                    expected="an answer to a query",
                    next_step="read the server's log",
                )
            time.sleep(PAUSE)  # the server tells nobody that it is ready

    def settings(self, names: tuple[str, ...], config_file: str) -> dict[str, int]:
        """Settings as the server would start with them; what it cannot tell is left out."""
        found: dict[str, int] = {}
        for name in names:
            # Not the data directory: it may be gone, and the file says where it is.
            argv = [self.program("postgres"), "-D", os.path.dirname(config_file), "-C", name]
            argv += ["-c", f"config_file={config_file}"]
            done = self.programs.run(argv, QUERY_LIMIT)
            if done.code == 0 and done.out.strip().isdigit():
                found[name] = int(done.out.strip())
        return found


class Ended:
    """Whether a server that was started has ended, and is not just about to begin."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._seen = time.monotonic()

    def __call__(self) -> bool:
        """Look once more."""
        now = time.monotonic()
        if self.server.running():
            self._seen = now
        return now - self._seen > GRACE


def _newest_bin(version: str) -> str:
    """The programs of C(version), or the newest ones there are."""
    try:
        known = sorted((v for v in os.listdir(VERSIONS) if v.isdigit()), key=int)
    except OSError:
        known = []
    if version in known or not known:
        return os.path.join(VERSIONS, version or "0", "bin")
    if version:
        raise MainstayError(
            "the server's programs of this version are missing",
            subject=f"PostgreSQL {version}",
            found=f"versions {', '.join(known)} below {VERSIONS}",
            expected=f"version {version}",
            next_step=f"install PostgreSQL {version}, or set bin_directory",
        )
    return os.path.join(VERSIONS, known[-1], "bin")


_CONTROL = {
    "max_connections setting": "max_connections",
    "max_worker_processes setting": "max_worker_processes",
    "max_wal_senders setting": "max_wal_senders",
    "max_prepared_xacts setting": "max_prepared_transactions",
    "max_locks_per_xact setting": "max_locks_per_transaction",
}


def _full_xid(text: str) -> int:
    """C(0:745), an epoch and a transaction id, as one number."""
    epoch, _colon, number = text.partition(":")
    known = epoch.isdigit() and number.isdigit()
    return (int(epoch) << 32) + int(number) if known else 0


def parse_control(text: str) -> ControlData:
    """The output of C(pg_controldata) in the language C."""
    values = {}
    for line in text.splitlines():
        name, _colon, value = line.partition(":")
        values[name.strip()] = value.strip()
    settings = {
        ours: int(values[theirs])
        for theirs, ours in _CONTROL.items()
        if values.get(theirs, "").isdigit()
    }
    try:
        return ControlData(
            system_identifier=values["Database system identifier"],
            state=values["Database cluster state"],
            timeline=int(values["Latest checkpoint's TimeLineID"]),
            segment_size=int(values["Bytes per WAL segment"]),
            checksums=values.get("Data page checksum version", "0") != "0",
            settings=settings,
            catalog_version=values.get("Catalog version number", ""),
            next_xid=_full_xid(values.get("Latest checkpoint's NextXID", "")),
        )
    except (KeyError, ValueError) as error:
        raise MainstayError(
            "the control data cannot be read", subject="pg_controldata", found=str(error)
        ) from error
