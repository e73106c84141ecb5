# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dumps of one store in Docker and its server: what is there, and whether it is whole."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dump_plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_away import (
    Repository,
    repositories,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_client import (
    Ended,
    Running,
    StoreClient,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_plan import (
    DOCUMENT,
    Dump,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    read_json,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import Deadline
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.logical import digest

Params = Mapping[str, Any]
#: Lines of a program's last words that go into an error.
EVIDENCE = 8
#: Longest answer of a catalogue query, in seconds.
QUERY = 60.0
#: Seconds that are left for putting things right when the time of the work itself is over.
ENDING = 900.0
#: Every database, whether it lets anybody in or not.
EVERY = "select datname from pg_database order by 1"


@dataclass
class Place:
    """The dumps of one store on this host, and its server."""

    client: StoreClient
    container: Running
    directory: str
    platform: str
    store: str
    username: str
    deadline: Deadline
    repositories: list[Repository] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)

    def exec(self, argv: Sequence[str], what: str, limit: float = 1e9, **streams: Any) -> Ended:
        """A command in the container; anything but status 0 is an error with its last words."""
        ended = self.client.run(self.container.name, argv, self.deadline.left(limit), **streams)
        if ended.code:
            lines = [line for line in (ended.out + "\n" + ended.err).splitlines() if line.strip()]
            raise MainstayError(
                what,
                subject=f"{argv[0]} in {self.container.name}",
                found=f"exit status {ended.code}",
                expected="exit status 0",
                evidence=tuple(line[:300] for line in lines[-EVIDENCE:]),
            )
        return ended

    def sql(self, text: str, database: str = "postgres", limit: float = QUERY) -> list[list[str]]:
        """Rows of statements, which go in by standard input: command lines are open to all."""
        argv = ["psql", "-X", "-A", "-t", "-q", "-w", "-F", "\t", "-v", "ON_ERROR_STOP=1"]
        argv += ["-U", self.username, "-d", database]
        done = self.exec(argv, "the server refused a statement", limit, data=text.encode())
        return [line.split("\t") for line in done.out.splitlines() if line]

    def names(self, statement: str) -> list[str]:
        """The first column of a query."""
        return [row[0] for row in self.sql(statement)]

    def version(self) -> str:
        """The server's version, such as 17.5."""
        return self.sql("show server_version")[0][0].split()[0]

    def dumps(self) -> list[Dump]:
        """The dumps that are there, in the order they were taken."""
        found = read_dumps(self.directory)
        strangers = [d for d in found if (d.platform, d.store) != (self.platform, self.store)]
        if strangers:
            raise MainstayError(
                "the directory holds dumps of another store",
                subject=self.directory,
                found=f"{strangers[0].platform}, {strangers[0].store}",
                expected=f"{self.platform}, {self.store}",
                next_step="give this store a directory of its own; nothing was changed",
            )
        return found

    def last_chance(self) -> None:
        """Time for putting things right, and never less than the work itself has left."""
        with contextlib.suppress(MainstayError):
            if self.deadline.left() >= ENDING:
                return
        self.deadline = Deadline(ENDING)

    def result(self, began: float, changed: bool, **facts: Any) -> Result:
        """What a module says at its end."""
        after = "".join(f"{action}\n" for action in self.actions)
        return Result(
            changed=changed,
            actions=self.actions,
            diff={"before": "", "after": after if changed else ""},
            duration=time.monotonic() - began,
            facts=facts,
        )

    def path(self, *parts: str) -> str:
        """A path below the directory of the dumps."""
        return os.path.join(self.directory, *parts)


def read_dumps(directory: str) -> list[Dump]:
    found = []
    with contextlib.suppress(FileNotFoundError):
        for label in os.listdir(directory):
            path = os.path.join(directory, label, DOCUMENT)
            if dump_plan.LABEL.match(label) and os.path.exists(path):
                found.append(dump_plan.read(read_json(path), path))
    return sorted(found, key=lambda dump: dump.sequence)


def open_place(params: Params, client: StoreClient) -> Place:
    """The place of the arguments; the store must run on this host."""
    container = client.store(params["platform"], params["store"])
    if container is None:
        raise MainstayError(
            "the store does not run in Docker on this host",
            subject=f"store {params['store']} of {params['platform']}",
            found="no running container of it",
            expected="a container that deploy.yml started",
            next_step="look at status.yml; nothing was changed",
        )
    return Place(
        client=client,
        container=container,
        directory=params["directory"],
        platform=params["platform"],
        store=params["store"],
        username=params["username"],
        deadline=Deadline(float(params["timeout"])),
        repositories=repositories(params["repositories"], params["platform"], params["store"]),
    )


def listed(place: Place, path: str) -> tuple[int, int]:
    done = place.exec(["pg_restore", "--list"], f"{path} cannot be listed", source=path)
    return dump_plan.tables_in(done.out)


def findings_of(place: Place, dump: Dump) -> list[str]:
    """What is wrong with a dump; every file is read."""
    found = []
    for name, wanted in dump.files.items():
        path = place.path(dump.label, name)
        if not os.path.exists(path):
            found.append(f"{name}: no such file")
        elif digest(path) != wanted:
            found.append(f"{name}: SHA-256 is not {wanted[:16]}…")
    if not found:
        for name, database in dump.databases.items():
            path = place.path(dump.label, f"{name}.dump")
            if listed(place, path) != (database.entries, database.tables):
                found.append(f"{name}.dump: another table of contents")
    return found


def verify(place: Place, dump: Dump) -> tuple[Dump, list[str]]:
    findings = findings_of(place, dump)
    read = replace(dump, verified=time.time(), whole=not findings)
    write_json(place.path(dump.label, DOCUMENT), read.as_dict())
    return read, findings


def must_be_whole(place: Place, dump: Dump) -> Dump:
    read, findings = verify(place, dump)
    if findings:
        raise damaged(dump, findings)
    place.actions.append(f"read {dump.label} again: it is whole")
    return read


def damaged(dump: Dump, findings: Sequence[str]) -> MainstayError:
    return MainstayError(
        "the dump is damaged",
        subject=f"{dump.store}, {dump.label}",
        found="; ".join(findings),
        expected="the files that were written",
        next_step="take a new one; what is not whole lets nothing else expire",
    )
