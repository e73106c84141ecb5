# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of archiving and of the storage, each on a cluster of its own: who finds what."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cluster import USER, Cluster, as_user
from object_storage import OTHER, Storage, certificate, storage

#: Seconds that pgBackRest and our verification wait for a segment.
PATIENCE = 10
#: Seconds after which a program that tells nothing is ended.
LIMIT = 180.0
ASYNCHRONOUS = f"archive-async=y\narchive-timeout={PATIENCE}"
#: Size of the small disks: room for a first backup, or for a few segments.
SMALL_REPOSITORY, SMALL_WAL = "24m", "192m"
#: Bytes of pg_wal's disk that are left when writing ends: room for two segments.
SCARCE = 40 << 20


@dataclass
class Scene:
    """A cluster with a first backup, and its storage when it has one."""

    cluster: Cluster
    storage: Storage | None = None

    @property
    def metrics(self) -> pathlib.Path:
        """The status file."""
        return self.cluster.base / "status.prom"

    def write(self, segments: int = 1) -> None:
        """Finish some segments, whose archiving nobody waits for."""
        for _number in range(segments):
            self.cluster.sql("insert into mark (at) values (now())")
            self.cluster.sql("select pg_switch_wal()")

    def command(self, text: str) -> None:
        """Replace the archive command."""
        self.cluster.sql(f"alter system set archive_command = '{text}'")
        self.cluster.sql("select pg_reload_conf()")

    def until(self, condition: str, seconds: float = 60.0) -> None:
        """Wait until a query about the archiver is true."""
        end = time.monotonic() + seconds
        while self.cluster.sql(f"select {condition} from pg_stat_archiver") != "t":
            assert time.monotonic() < end, f"not true in time: {condition}"
            time.sleep(0.1)  # the archiver tells nobody


@dataclass(frozen=True)
class Fault:
    """A fault: how it comes, the kinds of findings and the words that have to tell of it."""

    name: str
    inflict: Callable[[Scene], None]
    kinds: tuple[str, ...]
    words: tuple[str, ...]
    options: str = ""
    bucket: bool = False
    disk: str = ""


@dataclass
class Found:
    """What pgBackRest's own C(check) and C(verify) say, and what ours says."""

    fault: str
    check: str
    verify: str
    kinds: tuple[str, ...]
    named: bool
    told: bool
    seconds: float
    text: str

    @property
    def holds(self) -> bool:
        """Found, with its cause, and in the status file."""
        return self.named and self.told


def _lying(scene: Scene) -> None:
    scene.command("/bin/true")
    scene.write()
    scene.until("last_archived_time > now() - interval '60 s'")


def _denied(scene: Scene) -> None:
    scene.command("exit 126")
    scene.write()


def _hanging(scene: Scene) -> None:
    scene.command("sleep 1000")
    scene.write()


def _overflow(scene: Scene) -> None:
    """The storage is away for a while; what does not fit in the queue is dropped as archived."""
    assert scene.storage is not None
    scene.storage.door.fault = "500"
    before = scene.cluster.sql("select archived_count from pg_stat_archiver")
    scene.write(6)
    scene.until(f"archived_count >= {before} + 6", 120.0)
    scene.storage.door.fault = ""


def _away(fault: str) -> Callable[[Scene], None]:
    def inflict(scene: Scene) -> None:
        assert scene.storage is not None
        scene.storage.door.fault = fault
        scene.write()

    return inflict


def _stranger(scene: Scene) -> None:
    assert scene.storage is not None
    folder = scene.storage.folder / "other"
    folder.mkdir()
    scene.storage.door.show(certificate(folder, OTHER))
    scene.write()


def _repository_full(scene: Scene) -> None:
    ballast = scene.cluster.repo / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as handle:
        while True:
            handle.write(b"x" * 65536)
    scene.write(2)
    scene.until("failed_count > 0", 120.0)


def _wal_full(scene: Scene) -> None:
    """Archiving fails while much is written, so that segments stay."""
    assert scene.storage is not None
    scene.storage.door.fault = "500"
    while shutil.disk_usage(scene.cluster.data / "pg_wal").free > SCARCE:
        scene.write()
    scene.until("failed_count > 0", 120.0)


FAULTS = (
    Fault("archive_command true", _lying, ("archiving",), ("without storing", "/bin/true")),
    Fault("archive_command exit 126", _denied, ("archiving",), ("exit 126",)),
    Fault("archive_command hanging", _hanging, ("archiving",), ("sleep 1000",)),
    Fault(
        "queue overflow",
        _overflow,
        ("wal_missing",),
        ("not in the repository",),
        f"{ASYNCHRONOUS}\narchive-push-queue-max=32MiB",
        bucket=True,
    ),
    Fault("S3 answers 403", _away("403"), ("unreachable",), ("403",), ASYNCHRONOUS, True),
    Fault("S3 answers 500", _away("500"), ("unreachable",), ("500",), ASYNCHRONOUS, True),
    Fault("S3 is slow", _away("slow"), ("unreachable",), ("time",), ASYNCHRONOUS, True),
    Fault(
        "certificate of another", _stranger, ("unreachable",), ("certificate",), ASYNCHRONOUS, True
    ),
    Fault(
        "repository full",
        _repository_full,
        ("archiving",),
        ("No space left",),
        ASYNCHRONOUS,
        disk="repo",
    ),
    Fault(
        "pg_wal nearly full",
        _wal_full,
        ("wal_space", "archiving"),
        ("wait to be archived", "500"),
        ASYNCHRONOUS,
        bucket=True,
        disk="wal",
    ),
)


@contextlib.contextmanager
def scene(fault: Fault) -> Iterator[Scene]:
    """A cluster for one fault, gone afterwards with its storage and its small disk."""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(storage()) if fault.bucket else None
        options = "\n".join([fault.options, place.options() if place else ""])
        cluster = Cluster("pgbackrest", options)
        stack.callback(cluster.remove)
        if fault.disk:
            stack.enter_context(_small_disk(cluster, fault.disk))
        cluster.prepare()
        cluster.start()
        cluster.sql("create table mark (id serial primary key, at timestamptz)")
        cluster.good("postgres_backup")
        if place is not None:
            stack.callback(place.door.released.set)
        yield Scene(cluster, place)


@contextlib.contextmanager
def _small_disk(cluster: Cluster, which: str) -> Iterator[None]:
    """A file system of its own for the repository or for pg_wal. Only root can make one."""
    where = cluster.repo if which == "repo" else cluster.data / "pg_wal"
    size = SMALL_REPOSITORY if which == "repo" else SMALL_WAL
    keep = cluster.base / "kept"
    shutil.copytree(where, keep)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", where], check=True)
    try:
        shutil.copytree(keep, where, dirs_exist_ok=True)
        for path in (where, *where.rglob("*")):
            shutil.chown(path, USER)
        where.chmod(0o700)
        yield
    finally:
        cluster.stop("immediate")
        subprocess.run(["umount", where], check=True)


def _theirs(cluster: Cluster, command: str) -> str:
    argv = ["pgbackrest", f"--config={cluster.config}", "--stanza=db", command]
    began = time.monotonic()
    done = as_user(["timeout", str(LIMIT), *argv])
    code = "no end" if done.returncode == 124 else f"rc {done.returncode}"
    return f"{code} after {time.monotonic() - began:.0f} s"


def found(fault: Fault) -> Found:
    """Make one fault, ask both."""
    with scene(fault) as stage:
        fault.inflict(stage)
        began = time.monotonic()
        answer = stage.cluster.module(
            "postgres_verify",
            backups=["newest"],
            archive_timeout=PATIENCE,
            metrics_file=str(stage.metrics),
        )
        took = time.monotonic() - began
        findings = answer.get("verification", {}).get("findings", [])
        text = "; ".join(f"{f['kind']} {f['subject']}: {f['found']}" for f in findings)
        kinds = tuple(sorted({str(f["kind"]) for f in findings}))
        status = stage.metrics.read_text() if stage.metrics.exists() else ""
        told = "mainstay_backup_ok{" in status and all(
            f'kind="{kind}"' in status for kind in fault.kinds
        )
        named = set(fault.kinds) <= set(kinds) and all(word in text for word in fault.words)
        check, verify = _theirs(stage.cluster, "check"), _theirs(stage.cluster, "verify")
        return Found(fault.name, check, verify, kinds, named, told, took, text)
