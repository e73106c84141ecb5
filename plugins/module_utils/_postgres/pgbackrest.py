# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine on pgBackRest, 2.45 and newer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    manifest,
    protecting,
    protection,
    segments,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.backrest_access import (
    Access,
    bucket_of,
    encrypted,
    local_directory,
    spooled_error,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
    Listener,
    Programs,
    failed,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.engine import Copying
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.objects import (
    BucketReader,
    ObjectStore,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import (
    DirectoryReader,
    EncryptedReader,
    ProgramReader,
    Reader,
    Unreachable,
    expand,
    read_text,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    DIFF,
    FULL,
    INCR,
    ArchivedFile,
    Backup,
    Capabilities,
    Catalog,
    Finding,
    Tablespace,
)

PROGRAM = "pgbackrest"
INFO_LIMIT = 120.0
#: Status of a repository in C(info) that stands for any error (command/info of pgBackRest).
_OTHER = 99
#: More fulls than there can be: nothing goes unless it is named (the largest value it takes).
NEVER = "9999999"
#: First version whose client-side encryption also covers what earlier ones left readable.
SAFE_ENCRYPTION = (2, 59, 3)


def capabilities_of(version: tuple[int, ...]) -> Capabilities:
    """What a version can do."""
    return Capabilities(
        version=version,
        kinds=(FULL, DIFF, INCR),
        tablespaces=True,
        encryption_safe=version >= SAFE_ENCRYPTION,
        repository_checksums=version >= (2, 45),
        expire_one=version >= (2, 45),
    )


def parse_version(text: str) -> tuple[int, ...]:
    """C("pgBackRest 2.55.1") as (2, 55, 1)."""
    match = re.search(r"(\d+(?:\.\d+)+)", text)
    return tuple(int(part) for part in match.group(1).split(".")) if match else ()


def require_answer(document: Any, stanza: str) -> None:
    """C(info) ends with 0 and lists nothing when a repository does not answer: code 99 tells."""
    found: dict[str, Any] = next((s for s in document if s.get("name") == stanza), {})
    for repository in found.get("repo", []):
        status = repository.get("status", {})
        if status.get("code") == _OTHER:
            words = str(status.get("message", "")).splitlines()
            raise Unreachable(
                "the repository does not tell what is in it",
                subject=stanza,
                found=words[0][:300] if words else "no reason",
                expected="a list of backups",
                next_step="see whether the storage answers and the keys are valid; nothing is "
                "known about the backups until then",
            )


def parse_info(document: Any, stanza: str) -> Catalog:
    """The backups of C(pgbackrest info); those of the newest cluster of the stanza only."""
    found = next((s for s in document if s.get("name") == stanza), None)
    if found is None or not found.get("db"):
        return Catalog()
    database = max(found["db"], key=lambda d: int(d["id"]))
    backups = [
        _backup(item, str(database["system-id"]), str(database["version"]))
        for item in found.get("backup", [])
        if item["database"]["id"] == database["id"]
    ]
    return Catalog(
        system_identifier=str(database["system-id"]),
        version=str(database["version"]),
        backups=tuple(sorted(backups, key=lambda b: b.label)),
        encrypted=found.get("cipher", "none") != "none",
    )


def _backup(item: Any, identifier: str, version: str) -> Backup:
    # The end is given in whole seconds: the next one is surely behind it.
    return Backup(
        label=item["label"],
        kind=item["type"],
        started=datetime.fromtimestamp(item["timestamp"]["start"], timezone.utc),
        stopped=datetime.fromtimestamp(item["timestamp"]["stop"] + 1, timezone.utc),
        size=int(item["info"]["size"]),
        repository_size=int(item["info"]["repository"].get("delta") or 0),
        wal_start=item["archive"]["start"],
        wal_stop=item["archive"]["stop"],
        lsn_start=item["lsn"]["start"],
        lsn_stop=item["lsn"]["stop"],
        system_identifier=identifier,
        version=version,
        prior=item.get("prior") or "",
        error=bool(item.get("error")),
    )


class PgBackRest:
    """See L(Engine)."""

    name = "pgbackrest"

    def __init__(self, access: Access, programs: Programs, data_directory: str) -> None:
        self.access = access
        self.programs = programs
        self.data_directory = data_directory
        self._reader: Optional[Reader] = None
        self._info: Optional[Catalog] = None
        self._archive_id = ""

    def _base(self, repository: bool = True) -> list[str]:
        argv = [PROGRAM, f"--config={self.access.config}", f"--stanza={self.access.stanza}"]
        return [*argv, f"--repo={self.access.number}"] if repository else argv

    def reading(self) -> list[str]:
        """The program with the options that its commands for reading take; a stanza is none."""
        return [PROGRAM, f"--config={self.access.config}", f"--repo={self.access.number}"]

    @property
    def reader(self) -> Reader:
        """Straight from a directory or a bucket; through the program where only that can."""
        if self._reader is None:
            self._reader = self._quickest()
        return self._reader

    def _quickest(self) -> Reader:
        root, bucket = local_directory(self.access), bucket_of(self.access)
        place: Reader
        engine = place = ProgramReader(self.programs, self.reading())
        if root:
            place = DirectoryReader(root)
        elif bucket is not None:
            place = BucketReader(ObjectStore(bucket))
        return EncryptedReader(place, engine) if encrypted(self.access) else place

    def capabilities(self) -> Capabilities:
        """See L(Engine)."""
        done = self.programs.run([PROGRAM, "version"], INFO_LIMIT)
        return capabilities_of(parse_version(done.out))

    def prepare(self) -> list[str]:
        """See L(Engine)."""
        if self._status().system_identifier:
            return []
        argv = [*self._base(False), "stanza-create"]
        done = self.programs.run(argv, INFO_LIMIT)
        if done.code:
            raise failed(argv, done, "the repository cannot be made ready")
        self._info = None
        return [f"create the stanza {self.access.stanza}"]

    def backup(self, kind: str, jobs: int, limit: float, listener: Listener) -> str:
        """See L(Engine)."""
        before = {b.label for b in self._status().backups}
        argv = [*self._base(), f"--type={kind}", "--start-fast", "--no-expire-auto"]
        argv += [f"--process-max={jobs}", "--log-level-console=detail"]
        argv += [f"--repo{self.access.number}-retention-full={NEVER}", "backup"]
        done = self.programs.run(argv, limit, listener=listener)
        if done.code:
            raise failed(argv, done, f"the {kind} backup failed")
        self._info = None
        new = [b.label for b in self._status().backups if b.label not in before]
        if not new:
            raise failed(argv, done, "the engine reports success, but there is no new backup")
        return new[-1]

    def _status(self) -> Catalog:
        if self._info is None:
            argv = [*self._base(), "--output=json", "info"]
            try:
                done = self.programs.run(argv, INFO_LIMIT)
                if done.code:
                    raise failed(argv, done, "the repository cannot be listed")
            except MainstayError as error:
                raise Unreachable(**error.parts()) from error
            document = json.loads(done.out or "[]")
            require_answer(document, self.access.stanza)
            self._info = parse_info(document, self.access.stanza)
            self._archive_id = archive_id(document, self.access.stanza)
        return self._info

    def catalog(self) -> Catalog:
        """See L(Engine)."""
        self._info = None
        known = self._status()
        below = f"archive/{self.access.stanza}/{self._archive_id}"
        entries = self.reader.entries(below) if self._archive_id else []
        return segments.with_archive(known, entries, lambda path: read_text(self.reader, path))

    def verify(self, label: str) -> list[Finding]:
        """See L(Engine)."""
        return manifest.verify(self.reader, self.access.stanza, label, self.programs)

    def verify_segment(self, item: ArchivedFile, catalog: Catalog, size: int) -> Optional[Finding]:
        """See L(Engine)."""
        blocks = expand(self.reader.blocks(item.path), item.path, self.programs)
        return segments.check(item, blocks, catalog.system_identifier, size)

    def verify_records(self) -> list[Finding]:
        """See L(Engine)."""
        found = []
        for kind in ("backup", "archive"):
            for copy in ("", ".copy"):
                path = f"{kind}/{self.access.stanza}/{kind}.info{copy}"
                found += manifest.verify_record(self.reader, path)
        return found

    def protection(self, kept_days: float, *, check: bool) -> list[Finding]:
        """See L(Engine)."""
        bucket = bucket_of(self.access)
        if bucket is None:
            return []
        observed = protecting.observe(ObjectStore(bucket), check=check)
        return protection.findings(bucket.name, bucket.root, observed, kept_days)

    def revive(self, moment: datetime, *, check: bool) -> list[str]:
        """See L(Engine)."""
        bucket = bucket_of(self.access)
        if bucket is None:
            raise protecting.no_versions(self.access.config)
        self._info = None
        return protecting.revive(ObjectStore(bucket), moment, check=check)

    def restore(self, copying: Copying, listener: Listener) -> None:
        """See L(Engine)."""
        argv = [*self._base(), f"--set={copying.label}", "--type=none"]
        argv += [f"--pg1-path={copying.directory}", f"--process-max={copying.jobs}"]
        argv += [f"--tablespace-map={k}={v}" for k, v in sorted(copying.tablespace_map.items())]
        argv += ["--log-level-console=detail", "restore"]
        done = self.programs.run(argv, copying.limit, listener=listener)
        if done.code:
            raise failed(argv, done, f"the backup {copying.label} cannot be copied")

    def expire(self, labels: Sequence[str], wal_from: str, limit: float) -> None:
        """See L(Engine)."""
        option = f"--repo{self.access.number}-retention"
        for label in labels:
            argv = [*self._base(), f"--set={label}", f"{option}-full={NEVER}", "expire"]
            done = self.programs.run(argv, limit)
            if done.code:
                raise failed(argv, done, f"the backup {label} cannot be removed")
        self._info = None
        fulls = [b.label for b in self._status().backups if b.kind == FULL]
        if wal_from not in fulls:
            return
        # A full backup that comes in between makes this remove less, never more.
        count = len(fulls) - fulls.index(wal_from)
        argv = [*self._base(), f"{option}-full={NEVER}", f"{option}-archive-type=full"]
        argv += [f"{option}-archive={count}", "expire"]
        done = self.programs.run(argv, limit)
        if done.code:
            raise failed(argv, done, "old WAL cannot be removed")

    def archived(self, name: str) -> Optional[ArchivedFile]:
        """See L(Engine)."""
        self._status()
        below = f"archive/{self.access.stanza}/{self._archive_id}/{name[:16]}"
        return segments.find(name, self.reader.entries(below))

    def archiving_error(self) -> str:
        """See L(Engine)."""
        return spooled_error(self.access)

    def fetch_command(self, directory: str, private: str) -> list[str]:
        """See L(Engine)."""
        options = [f"--pg1-path={directory}", "--no-archive-async", "--log-level-stderr=warn"]
        return [*self._base(), *options, "archive-get"]

    def control_file(self, label: str) -> bytes:
        """See L(Engine)."""
        return manifest.read_file(
            self.reader, self.access.stanza, label, "pg_data/global/pg_control", self.programs
        )

    def tablespaces(self, label: str) -> tuple[Tablespace, ...]:
        """See L(Engine)."""
        text = read_text(self.reader, manifest.path_of(self.access.stanza, label))
        return manifest.tablespaces(manifest.parse(text))


def archive_id(document: Any, stanza: str) -> str:
    """The directory of the newest cluster's WAL, such as C(15-1)."""
    found = next((s for s in document if s.get("name") == stanza), None)
    if found is None or not found.get("db"):
        return ""
    database = max(found["db"], key=lambda d: int(d["id"]))
    return f"{database['version']}-{database['id']}"
