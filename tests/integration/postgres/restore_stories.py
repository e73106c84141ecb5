# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Longer stories about one cluster, told by the long tests and by the evidence."""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from cluster import PLATFORM, ROOT, USER, Cluster

INSERT = "insert into mark (at) values (clock_timestamp()) returning id;\n"
HEARTBEAT = ROOT / "plugins" / "module_utils" / "_postgres" / "heartbeat.py"
#: Every point at which a restore can be killed by its tests: around each of its steps.
STEPS = (
    "stopped",
    "tail_saved",
    "copied",
    "configured",
    "renamed",
    "placed",
    "recovered",
    "checked",
    "archiving",
    "opened",
)
POINTS = ("journal", *(f"{side}-{step}" for step in STEPS for side in ("before", "after")))


@contextmanager
def cluster_with_backup(engine: str) -> Iterator[Cluster]:
    """A cluster that keeps commit times, with a first backup."""
    made = Cluster(engine)
    try:
        made.prepare()
        with (made.data / "postgresql.conf").open("a") as handle:
            handle.write("track_commit_timestamp = on\n")
        made.start()
        made.sql("create table mark (id serial primary key, at timestamptz)")
        made.good("postgres_backup")
        yield made
    finally:
        made.remove()


def commit(cluster: Cluster, count: int, pause: float = 0.02) -> None:
    """Single transactions, each with one row."""
    cluster.sql(
        "do $$ begin for i in 1.." + str(count) + " loop insert into mark (at) "
        f"values (clock_timestamp()); commit; perform pg_sleep({pause}); end loop; end $$"
    )


def committed(cluster: Cluster) -> list[tuple[int, float, str]]:
    """Row, commit time, and that time as text, in the order of the rows."""
    answer = cluster.sql(
        "select id, extract(epoch from pg_xact_commit_timestamp(xmin)), "
        "to_char(pg_xact_commit_timestamp(xmin) at time zone 'UTC', "
        "'YYYY-MM-DD HH24:MI:SS.US') || '+00' from mark order by id"
    )
    rows = [line.split("|") for line in answer.splitlines()]
    return [(int(a), float(b), c) for a, b, c in rows]


@dataclass
class Targets:
    """What became of targets in time."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)


def random_targets(engine: str, count: int, seed: int) -> Targets:
    """Targets across two timelines, each restored and compared to the transaction."""
    chance = random.Random(seed)
    found = Targets()
    with cluster_with_backup(engine) as cluster:
        commit(cluster, 60)
        cluster.good("postgres_backup", state="marked", point="fork")
        commit(cluster, 20)
        first = committed(cluster)
        cluster.restore("name:fork", save_tail=True)
        kept = len(committed(cluster))
        commit(cluster, 60)
        cluster.good("postgres_backup", state="marked", point="end")
        second = committed(cluster)
        if kept != 60:
            found.wrong.append(f"the fork kept {kept} of 60 rows")
        for number in range(count):
            rows, timeline = (second, "2") if number % 2 else (first, "1")
            upper = len(rows) - 2 if timeline == "2" else 78
            row = rows[chance.randint(1, upper)]
            exact = number % 4 == 0
            stamp = row[2] if exact else text_of(row[1] + chance.uniform(0.001, 0.01))
            wanted = [r[0] for r in rows if r[2] <= stamp]
            answer = cluster.module(
                "postgres_restore",
                target=in_zone(stamp, ZONES[number % len(ZONES)]),
                timeline=timeline,
                confirm=f"restore-{PLATFORM}",
                stop_running=True,
            )
            seen = [r[0] for r in committed(cluster)] if not answer.get("failed") else []
            if seen == wanted:
                found.right += 1
            else:
                found.wrong.append(
                    f"{stamp} on {timeline}: {len(seen)} rows instead of {len(wanted)} "
                    f"{str(answer.get('msg', ''))[:300]}"
                )
            undo = cluster.module("postgres_restore", state="undone", confirm=f"undo-{PLATFORM}")
            if undo.get("failed"):
                found.wrong.append(f"undo: {undo['msg'][:200]}")
                break
            cluster.module("postgres_restore", state="settled", confirm=f"settle-{PLATFORM}")
        found.wrong += _not_refused(cluster)
    return found


#: What nobody can mean, and the words of the refusal. The third is in the hour Berlin has twice.
IMPOSSIBLE = (
    ("2020-01-01 00:00:00+00", "before the end of the oldest backup"),
    ("2099-01-01 00:00:00+00", "in the future"),
    ("2026-10-25 02:30:00", "no time zone"),
)
#: Offsets in minutes; summer and winter time of Berlin are the second and the third.
ZONES = (0, 120, 60, -210)


def in_zone(stamp: str, minutes: int) -> str:
    """A moment that was given in UTC, as clocks show it that are so many minutes ahead."""
    moment = datetime.fromisoformat(f"{stamp}:00")
    there = moment.astimezone(timezone(timedelta(minutes=minutes)))
    return there.isoformat(sep=" ", timespec="microseconds")


def _not_refused(cluster: Cluster) -> list[str]:
    """Impossible targets that were not refused, or not before the server was touched."""
    wrong = []
    before = (cluster.data / "postmaster.pid").read_text()
    for text, words in IMPOSSIBLE:
        answer = cluster.module(
            "postgres_restore", target=text, confirm=f"restore-{PLATFORM}", stop_running=True
        )
        if words not in str(answer.get("msg")):
            wrong.append(f"{text} was not refused: {str(answer.get('msg'))[:200]}")
    if (cluster.data / "postmaster.pid").read_text() != before:
        wrong.append("a refused target touched the server")
    return wrong


def text_of(moment: float) -> str:
    """A moment as a target, to the microsecond."""
    whole = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 1e6):06d}+00"


def interrupted(engine: str, points: tuple[str, ...]) -> list[str]:
    """Kill a restore at each point; run it again or undo it. What went wrong."""
    wrong = []
    with cluster_with_backup(engine) as cluster:
        for number, point in enumerate(points):
            commit(cluster, 3, 0)
            before = cluster.sql("select count(*) from mark")
            cluster.kill()
            words = f"restore-{PLATFORM}"
            answer = cluster.module("postgres_restore", confirm=words, kill_at=point)
            if answer != {"killed": True}:
                wrong.append(f"{point}: not killed: {str(answer.get('msg'))[:200]}")
            back = number % 3 == 2 and point != "after-opened"
            if back:
                answer = cluster.module(
                    "postgres_restore", state="undone", confirm=f"undo-{PLATFORM}"
                )
                if not cluster.running():
                    cluster.start()
            else:
                answer = cluster.module("postgres_restore", confirm=words)
            if answer.get("failed"):
                wrong.append(f"{point}: {str(answer['msg'])[:400]}")
                break
            after = cluster.sql("select count(*) from mark")
            if after != before:
                wrong.append(f"{point}: {after} of {before} rows")
            cluster.module("postgres_restore", state="settled", confirm=f"settle-{PLATFORM}")
    return wrong


@contextmanager
def heartbeat(cluster: Cluster, every: float = 0.2) -> Iterator[None]:
    """The heartbeat program, as its service runs it."""
    path = cluster.base / "heartbeat.py"
    shutil.copyfile(HEARTBEAT, path)
    argv = [sys.executable if USER != "postgres" else "/usr/bin/python3", str(path)]
    argv += ["--socket", str(cluster.base), "--port", str(cluster.port), "--username", USER]
    process = subprocess.Popen(
        [*argv, "--every", str(every)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@dataclass
class Loss:
    """A server killed under load: commits acknowledged, commits recovered, seconds."""

    acknowledged: int
    recovered: int
    seconds_lost: float
    seconds: float
    phases: dict[str, float]
    said: str


def killed_under_load(engine: str, *, gone: bool, seconds: float, interval: int = 2) -> Loss:
    """Writers and heartbeat, kill -9, the data directory gone or not, restore to the latest.

    Commits that a client was told of are counted outside of the database.
    """
    with cluster_with_backup(engine) as cluster:
        cluster.sql(f"alter system set archive_timeout = {interval}")
        cluster.sql("select pg_reload_conf()")
        told: list[tuple[int, float]] = []
        stop = threading.Event()
        writer = threading.Thread(target=_write, args=(cluster, told, stop))
        with heartbeat(cluster):
            writer.start()
            time.sleep(seconds)
            cluster.kill()
            died = time.time()
            stop.set()
            writer.join(60)
        if gone:
            shutil.rmtree(cluster.data)
        began = time.monotonic()
        restore = cluster.restore()["restore"]
        took = time.monotonic() - began
        kept = {int(i) for i in cluster.sql("select id from mark").splitlines()}
        lost = [moment for number, moment in told if number not in kept]
        return Loss(
            acknowledged=len(told),
            recovered=sum(1 for number, _m in told if number in kept),
            seconds_lost=max(died - min(lost), 0.0) if lost else 0.0,
            seconds=took,
            phases=restore["phases"],
            said=f"{restore['recovered_to']} {restore['lost']['text']}",
        )


def _write(cluster: Cluster, told: list[tuple[int, float]], stop: threading.Event) -> None:
    """One connection; each answer is a commit that the client was told of."""
    argv = ["psql", "-XAtq", "-h", str(cluster.base), "-p", str(cluster.port), "-U", USER]
    with subprocess.Popen(
        [*argv, "-d", "postgres"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        while not stop.is_set():
            try:
                process.stdin.write(INSERT)
                process.stdin.flush()
            except BrokenPipeError:
                return
            line = process.stdout.readline()
            if not line.strip().isdigit():
                return
            told.append((int(line), time.time()))
            time.sleep(0.002)


@dataclass
class Table:
    """One kind of damage: what pgBackRest's own check says, and what ours says."""

    damage: str
    theirs: int
    ours: bool
    named: bool


def damages() -> list[Table]:
    """Damage a repository in several ways, each on a fresh copy, and ask both."""
    found = []
    with cluster_with_backup("pgbackrest") as cluster:
        for number in range(3):
            cluster.good("postgres_backup", state="marked", point=f"p{number}")
        cluster.stop()
        whole = cluster.base / "repo.whole"
        shutil.copytree(cluster.repo, whole)
        for name, spoil in SPOILERS.items():
            shutil.rmtree(cluster.repo)
            shutil.copytree(whole, cluster.repo)
            subject = spoil(cluster)
            _give(cluster.repo)
            theirs = subprocess.run(
                ["pgbackrest", f"--config={cluster.config}", "--stanza=db", "verify"],
                check=False,
                capture_output=True,
                timeout=120,
                **_identity(),
            ).returncode
            answer = cluster.module("postgres_verify", backups=["all"], prove_archiving=False)
            text = str(answer.get("verification", {}).get("findings", answer.get("msg")))
            found.append(Table(name, theirs, bool(answer.get("failed")), subject in text))
    return found


def _identity() -> dict[str, object]:
    return {"user": USER} if os.geteuid() == 0 else {}


def _give(place: pathlib.Path) -> None:
    for path in (place, *place.rglob("*")):
        shutil.chown(path, USER)


def _middle(cluster: Cluster) -> pathlib.Path:
    archive = cluster.archive()
    return archive[sorted(archive)[-2]]


def _segment_gone(cluster: Cluster) -> str:
    path = _middle(cluster)
    path.unlink()
    return path.name[:24]


def _segment_short(cluster: Cluster) -> str:
    path = _middle(cluster)
    path.write_bytes(path.read_bytes()[:-100])
    return path.name[:24]


def _flip(path: pathlib.Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(bytes(data))


def _segment_bit(cluster: Cluster) -> str:
    path = _middle(cluster)
    _flip(path, 120)
    return path.name[:24]


def _table(cluster: Cluster) -> pathlib.Path:
    files = [p for p in cluster.repo.glob("backup/db/*F/pg_data/base/*/*") if p.is_file()]
    return max(files, key=lambda p: p.stat().st_size)


def _file_bit(cluster: Cluster) -> str:
    path = _table(cluster)
    _flip(path, path.stat().st_size // 2)
    return path.name.partition(".")[0]


def _file_gone(cluster: Cluster) -> str:
    path = _table(cluster)
    path.unlink()
    return path.name.partition(".")[0]


def _manifest_bit(cluster: Cluster) -> str:
    path = next(cluster.repo.glob("backup/db/*F/backup.manifest"))
    _flip(path, path.read_text().index('"checksum":"') + 14)
    return "backup.manifest"


def _list_bit(cluster: Cluster) -> str:
    path = cluster.repo / "backup" / "db" / "backup.info.copy"
    _flip(path, path.read_text().index('"backup-archive-start"') + 30)
    return "backup.info.copy"


SPOILERS = {
    "WAL segment removed": _segment_gone,
    "WAL segment truncated": _segment_short,
    "bit flipped in a WAL segment": _segment_bit,
    "bit flipped in a backup file": _file_bit,
    "backup file removed": _file_gone,
    "bit flipped in the manifest": _manifest_bit,
    "bit flipped in the copy of the list": _list_bit,
}
