# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine on PostgreSQL's own tools: pg_basebackup with a manifest, and our archive command.

A repository is a directory: C(cluster.json), C(backup/<label>/{data,backup.json}), C(wal/...).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    read_json,
    sync_directory,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    labels,
    protecting,
    segments,
    wal,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
    Listener,
    OwnedPrograms,
    failed,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.engine import Copying
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.manifest import BROKEN
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.program import (
    archiver_command,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import (
    DirectoryReader,
    Unreachable,
    expand,
    read_text,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.server import Server
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    CRITICAL,
    FULL,
    ArchivedFile,
    Backup,
    Capabilities,
    Catalog,
    Finding,
    Tablespace,
)


class Native:
    """See L(Engine). C(root) is the directory of one cluster in the repository."""

    name = "native"

    def __init__(self, root: str, server: Server, programs: OwnedPrograms) -> None:
        self.root = root
        self.server = server
        self.programs = programs
        self.reader = DirectoryReader(root)

    def capabilities(self) -> Capabilities:
        """See L(Engine)."""
        version = tuple(int(p) for p in [self.server.program_version()] if p)
        return Capabilities(version=version, kinds=(FULL,), expire_one=True)

    def _cluster(self) -> dict[str, str]:
        document = read_json(os.path.join(self.root, "cluster.json"))
        return document if isinstance(document, dict) else {}

    def prepare(self) -> list[str]:
        """See L(Engine)."""
        control = self.server.control()
        if self._cluster() or control is None:
            return []
        for name in ("", "backup", "wal"):
            path = os.path.join(self.root, name)
            os.makedirs(path, mode=0o700, exist_ok=True)
            self.programs.own(path)
        path = os.path.join(self.root, "cluster.json")
        document = {
            "system_identifier": control.system_identifier,
            "version": self.server.version(),
            "segment_size": control.segment_size,
        }
        write_json(path, document)
        self.programs.own(path)
        return [f"make {self.root} the repository of cluster {control.system_identifier}"]

    def backup(self, kind: str, jobs: int, limit: float, listener: Listener) -> str:
        """See L(Engine)."""
        if self.server.query("select count(*) from pg_tablespace") != "2":
            raise MainstayError(
                "the cluster has tablespaces, which this engine does not copy",
                subject=self.server.place.data_directory,
                expected="a cluster without tablespaces of its own",
                next_step="use engine pgbackrest for this cluster",
            )
        started = datetime.now(timezone.utc)
        home = os.path.join(self.root, "backup")
        for name in labels.leftovers(os.listdir(home)):
            # The caller holds the lock of the store's backups: nobody works on these any more.
            shutil.rmtree(os.path.join(home, name))
        label = labels.claim(home, started, "F", self.programs.own)
        partial = os.path.join(home, f".{label}")
        place = self.server.place
        argv = [self.server.program("pg_basebackup"), "-D", os.path.join(partial, "data")]
        argv += ["-F", "plain", "-X", "stream", "-c", "fast", "-P", "-w"]
        argv += ["--manifest-checksums=SHA256", "-h", place.socket_directory]
        argv += ["-p", str(place.port), "-U", place.username, "-l", f"mainstay {label}"]
        done = self.programs.run(argv, limit, listener=listener)
        if done.code:
            shutil.rmtree(partial, ignore_errors=True)
            raise failed(argv, done, "the full backup failed")
        stopped = datetime.now(timezone.utc)
        write_json(os.path.join(partial, "backup.json"), self._describe(partial, started, stopped))
        self.programs.own(os.path.join(partial, "backup.json"))
        os.rename(partial, os.path.join(home, label))
        sync_directory(home)
        return label

    def _describe(self, partial: str, started: datetime, stopped: datetime) -> dict[str, Any]:
        data = os.path.join(partial, "data")
        document = read_json(os.path.join(data, "backup_manifest"))
        spans = document["WAL-Ranges"]
        size = int(self._cluster()["segment_size"])
        control = self.server.at(data_directory=data).control()
        first, last = spans[0], spans[-1]
        begin = wal.number_of(wal.parse_lsn(first["Start-LSN"]), size)
        # A position on a border belongs to the segment before: its last byte was written there.
        end = wal.number_of(wal.parse_lsn(last["End-LSN"]) - 1, size)
        return {
            "started": started.timestamp(),
            "stopped": stopped.timestamp(),
            "size": sum(int(f["Size"]) for f in document["Files"]),
            "wal_start": wal.join(first["Timeline"], begin, size),
            "wal_stop": wal.join(last["Timeline"], end, size),
            "lsn_start": first["Start-LSN"],
            "lsn_stop": last["End-LSN"],
            "system_identifier": control.system_identifier if control else "",
            "version": self.server.version(),
        }

    def catalog(self) -> Catalog:
        """See L(Engine)."""
        cluster = self._cluster()
        if not cluster:
            return Catalog()
        home = os.path.join(self.root, "backup")
        names = sorted(n for n in os.listdir(home) if not n.startswith("."))
        backups = [_backup(n, read_json(os.path.join(home, n, "backup.json"))) for n in names]
        known = Catalog(
            system_identifier=str(cluster["system_identifier"]),
            version=str(cluster["version"]),
            backups=tuple(b for b in backups if b is not None),
        )
        entries = self.reader.entries("wal")
        return segments.with_archive(known, entries, lambda path: read_text(self.reader, path))

    def verify(self, label: str) -> list[Finding]:
        """See L(Engine)."""
        data = os.path.join("backup", label, "data")
        path = os.path.join(data, "backup_manifest")
        try:
            raw = b"".join(self.reader.blocks(path))
            document = check_manifest(raw)
        except Unreachable:
            raise
        except (MainstayError, ValueError) as error:
            return [Finding(CRITICAL, "manifest_damaged", path, str(error), "a whole one", BROKEN)]
        found: list[Finding] = []
        for item in document["Files"]:
            finding = self._verify_file(os.path.join(data, _path(item)), item)
            found += [finding] if finding else []
        return found

    def _verify_file(self, path: str, item: dict[str, Any]) -> Optional[Finding]:
        digest, length = hashlib.sha256(), 0
        try:
            for part in self.reader.blocks(path):
                digest.update(part)
                length += len(part)
        except Unreachable:
            raise
        except MainstayError as error:
            return Finding(CRITICAL, "backup_damaged", path, error.found, "a file", BROKEN)
        if length != int(item["Size"]) or digest.hexdigest() != item["Checksum"]:
            found = f"{length} bytes, SHA-256 {digest.hexdigest()}"
            wanted = f"{item['Size']} bytes, SHA-256 {item['Checksum']}"
            return Finding(CRITICAL, "backup_damaged", path, found, wanted, BROKEN)
        return None

    def verify_segment(self, item: ArchivedFile, catalog: Catalog, size: int) -> Optional[Finding]:
        """See L(Engine)."""
        blocks = expand(self.reader.blocks(item.path), item.path, self.programs)
        return segments.check(item, blocks, catalog.system_identifier, size)

    def verify_records(self) -> list[Finding]:
        """See L(Engine)."""
        found = []
        home = os.path.join(self.root, "backup")
        for name in sorted(os.listdir(home)) if os.path.isdir(home) else []:
            path = os.path.join(home, name, "backup.json")
            if not name.startswith(".") and _readable(path) is None:
                found.append(
                    Finding(CRITICAL, "record_damaged", path, "cannot be read", "a record", BROKEN)
                )
        return found

    def protection(self, kept_days: float, *, check: bool) -> list[Finding]:
        """See L(Engine)."""
        return []

    def revive(self, moment: datetime, *, check: bool) -> list[str]:
        """See L(Engine)."""
        raise protecting.no_versions(self.root)

    def restore(self, copying: Copying, listener: Listener) -> None:
        """See L(Engine)."""
        source = os.path.join(self.root, "backup", copying.label, "data", ".")
        argv = ["cp", "-a", "--reflink=auto", source, copying.directory]
        done = self.programs.run(argv, copying.limit)
        if done.code:
            raise failed(argv, done, f"the backup {copying.label} cannot be copied")
        argv = ["sync", "-f", copying.directory]
        self.programs.run(argv, copying.limit)
        listener("100%")

    def expire(self, labels: Sequence[str], wal_from: str, limit: float) -> None:
        """See L(Engine)."""
        home = os.path.join(self.root, "backup")
        end = time.monotonic() + limit
        for label in labels:
            # Renamed first: half a backup never looks like a whole one.
            gone = os.path.join(home, f".{label}.expired")
            os.rename(os.path.join(home, label), gone)
            sync_directory(home)
            shutil.rmtree(gone)
            if time.monotonic() > end:
                raise MainstayError("removing old backups took too long", subject=label)
        catalog = self.catalog()
        base = catalog.backup(wal_from)
        if base is not None:
            for item in unneeded(catalog, base, int(self._cluster()["segment_size"])):
                os.unlink(os.path.join(self.root, item.path))

    def archived(self, name: str) -> Optional[ArchivedFile]:
        """See L(Engine)."""
        return segments.find(name, self.reader.entries(os.path.join("wal", name[:16])))

    def archiving_error(self) -> str:
        """See L(Engine). Its command writes to the server's log only."""
        return ""

    def fetch_command(self, directory: str, private: str) -> list[str]:
        """See L(Engine)."""
        return [*archiver_command(private, self.programs), "fetch", self.root]

    def control_file(self, label: str) -> bytes:
        """See L(Engine)."""
        path = os.path.join("backup", label, "data", "global", "pg_control")
        return b"".join(self.reader.blocks(path))

    def tablespaces(self, label: str) -> tuple[Tablespace, ...]:
        """See L(Engine)."""
        return ()


def _readable(path: str) -> Optional[dict[str, Any]]:
    try:
        document = read_json(path)
    except MainstayError:
        return None
    return document if isinstance(document, dict) else None


def _backup(label: str, document: Optional[dict[str, Any]]) -> Optional[Backup]:
    if not isinstance(document, dict):
        return None
    return Backup(
        label=label,
        kind=FULL,
        started=datetime.fromtimestamp(document["started"], timezone.utc),
        stopped=datetime.fromtimestamp(document["stopped"], timezone.utc),
        size=int(document["size"]),
        repository_size=int(document["size"]),
        wal_start=document["wal_start"],
        wal_stop=document["wal_stop"],
        lsn_start=document["lsn_start"],
        lsn_stop=document["lsn_stop"],
        system_identifier=document["system_identifier"],
        version=document["version"],
    )


def _path(item: dict[str, Any]) -> str:
    if "Path" in item:
        return str(item["Path"])
    return os.fsdecode(bytes.fromhex(item["Encoded-Path"]))


def check_manifest(raw: bytes) -> dict[str, Any]:
    """A backup manifest whose own checksum is right; ValueError otherwise.

    The checksum covers everything up to the line that holds it.
    """
    document: dict[str, Any] = json.loads(raw)
    body = raw[: raw.rindex(b'"Manifest-Checksum"')]
    if hashlib.sha256(body).hexdigest() != document["Manifest-Checksum"]:
        raise ValueError("the checksum of the manifest is wrong")
    return document


def unneeded(catalog: Catalog, base: Backup, size: int) -> list[ArchivedFile]:
    """Segments before C(base) that no other backup needs for itself."""
    timeline, first = wal.split(base.wal_start, size)
    spans = [
        (*wal.split(b.wal_start, size), wal.split(b.wal_stop, size)[1]) for b in catalog.backups
    ]
    found = []
    for item in catalog.archive:
        if not wal.is_segment(item.name):
            continue
        own, number = wal.split(item.name, size)
        needed = any(own == t and begin <= number <= end for t, begin, end in spans)
        if own <= timeline and number < first and not needed:
            found.append(item)
    return found
