# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logical dumps: one directory by database, the cluster's roles beside them, all with checksums.

C(<root>/logical/<label>/{globals.sql,<database>/...,dump.json}); without C(dump.json) it is none.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    read_json,
    sync_directory,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import labels
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
    Deadline,
    OwnedPrograms,
    failed,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import BLOCK
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.server import Server
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    CRITICAL,
    Finding,
)

_SAFE = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$")
LIST = "select datname from pg_database where datallowconn and not datistemplate order by 1"


class Dumps:
    """Dumps of one cluster below C(root)."""

    def __init__(self, root: str, server: Server, programs: OwnedPrograms) -> None:
        self.root = os.path.join(root, "logical")
        self.server = server
        self.programs = programs

    def databases(self, wanted: Sequence[str]) -> list[str]:
        """The databases to dump; unknown ones are refused together."""
        known = self.server.query(LIST).splitlines()
        unknown = [name for name in wanted if name not in known]
        unsafe = [name for name in (wanted or known) if not _SAFE.match(name)]
        if unknown or unsafe:
            raise MainstayError(
                "databases cannot be dumped",
                subject=", ".join([*unknown, *unsafe]),
                found=f"databases {', '.join(known)}",
                expected="names of databases, of letters, digits, _ . -",
            )
        return list(wanted) or known

    def take(self, databases: Sequence[str], jobs: int, deadline: Deadline) -> dict[str, Any]:
        """Dump, list, read, and only then give it its name."""
        started = datetime.now(timezone.utc)
        for name in labels.leftovers(os.listdir(self.root) if os.path.isdir(self.root) else []):
            # The caller holds the lock of the store's dumps: nobody works on these any more.
            shutil.rmtree(os.path.join(self.root, name))
        label = labels.claim(self.root, started, "L", self.programs.own)
        partial = os.path.join(self.root, f".{label}")
        for path in (os.path.dirname(self.root), self.root):
            self.programs.own(path)
        try:
            entries = self._dump(partial, databases, jobs, deadline)
        except MainstayError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        stopped = datetime.now(timezone.utc)
        document = {
            "label": label,
            "started": started.timestamp(),
            "stopped": stopped.timestamp(),
            "databases": entries,
            "files": {path: digest(os.path.join(partial, path)) for path in _files(partial)},
            "size": sum(os.path.getsize(os.path.join(partial, p)) for p in _files(partial)),
        }
        write_json(os.path.join(partial, "dump.json"), document)
        os.rename(partial, os.path.join(self.root, label))
        sync_directory(self.root)
        return document

    def _dump(
        self, partial: str, databases: Sequence[str], jobs: int, deadline: Deadline
    ) -> dict[str, int]:
        place = self.server.place
        where = ["-h", place.socket_directory, "-p", str(place.port), "-U", place.username, "-w"]
        path = os.path.join(partial, "globals.sql")
        argv = [self.server.program("pg_dumpall"), *where, "--globals-only", "-f", path]
        self._must(argv, deadline, "the roles cannot be dumped")
        found = {}
        for name in databases:
            target = os.path.join(partial, name)
            argv = [self.server.program("pg_dump"), *where, "-F", "directory", "-j", str(jobs)]
            argv += ["--lock-wait-timeout=60s", "-f", target, "-d", name]
            self._must(argv, deadline, f"the database {name} cannot be dumped")
            found[name] = self.entries(target, deadline)
        return found

    def entries(self, target: str, deadline: Deadline) -> int:
        """Number of entries in the table of contents of a dump; an error when it cannot be read."""
        argv = [self.server.program("pg_restore"), "-l", target]
        out = self._must(argv, deadline, "the dump cannot be listed")
        return sum(1 for line in out.splitlines() if line and not line.startswith(";"))

    def _must(self, argv: list[str], deadline: Deadline, what: str) -> str:
        done = self.programs.run(argv, deadline.left())
        if done.code:
            raise failed(argv, done, what)
        return done.out

    def restore(self, label: str, database: str, target: str, jobs: int, deadline: Deadline) -> int:
        """Restore one database of a dump into a new database; the number of its tables."""
        if target in self.server.query("select datname from pg_database").splitlines():
            raise MainstayError(
                "the database is there already",
                subject=target,
                expected="a name that is free",
                next_step="choose another name; nothing is overwritten",
            )
        place = self.server.place
        self.server.query(f'create database "{target}" template template0', limit=120.0)
        argv = [self.server.program("pg_restore"), "-h", place.socket_directory]
        argv += ["-p", str(place.port), "-U", place.username, "-w", "--exit-on-error"]
        argv += ["-j", str(jobs), "-d", target, os.path.join(self.root, label, database)]
        self._must(argv, deadline, f"the dump of {database} cannot be restored")
        sql = "select count(*) from pg_class where relkind in ('r', 'p') and oid >= 16384"
        return int(self.server.query(sql, database=target))

    def prove(self, label: str, database: str, jobs: int, deadline: Deadline) -> int:
        """Restore one database of a dump under a name of its own, count its tables, drop it."""
        target = f"mainstay_check_{label.lower().replace('-', '_')}"
        try:
            return self.restore(label, database, target, jobs, deadline)
        finally:
            self.server.query(f'drop database if exists "{target}"', limit=120.0)

    def verify(self, label: str) -> list[Finding]:
        """Read every file of a dump again."""
        home = os.path.join(self.root, label)
        document = read_json(os.path.join(home, "dump.json"))
        if not isinstance(document, dict):
            return [Finding(CRITICAL, "backup_damaged", label, "no dump.json", "a whole dump")]
        found = []
        for path, wanted in document["files"].items():
            full = os.path.join(home, path)
            seen = digest(full) if os.path.exists(full) else "no such file"
            if seen != wanted:
                found.append(Finding(CRITICAL, "backup_damaged", f"{label}/{path}", seen, wanted))
        return found


def _files(directory: str) -> list[str]:
    found = []
    for where, _names, files in os.walk(directory):
        found += [os.path.relpath(os.path.join(where, name), directory) for name in files]
    return sorted(found)


def digest(path: str) -> str:
    """SHA-256 of a file."""
    machine = hashlib.sha256()
    with open(path, "rb") as handle:
        while True:
            part = handle.read(BLOCK)
            if not part:
                return machine.hexdigest()
            machine.update(part)
