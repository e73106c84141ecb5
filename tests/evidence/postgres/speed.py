# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our wrapper costs over the raw engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import Any

import restore_stories as stories
from cluster import PLATFORM, USER, Cluster

from evidence.evidence import Figure, Row

MEBIBYTE = 1 << 20
#: Rows of 8000 random bytes.
WIDTH = 8000


def fill(cluster: Cluster, mebibytes: int) -> None:
    """Data that cannot be compressed, without toast compression."""
    cluster.sql("create table noise (b bytea)")
    cluster.sql("alter table noise alter column b set storage external")
    argv = ["psql", "-XAtq", "-h", str(cluster.base), "-p", str(cluster.port), "-U", USER]
    with subprocess.Popen(
        [*argv, "-d", "postgres", "-c", "copy noise from stdin"], stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        for _row in range(mebibytes * MEBIBYTE // WIDTH):
            process.stdin.write(b"\\\\x" + os.urandom(WIDTH).hex().encode() + b"\n")
    assert process.returncode == 0
    cluster.sql("checkpoint")


def _raw(cluster: Cluster, *arguments: str) -> float:
    identity: dict[str, Any] = {"user": USER} if os.geteuid() == 0 else {}
    began = time.monotonic()
    subprocess.run(
        ["pgbackrest", f"--config={cluster.config}", "--stanza=db", "--process-max=2", *arguments],
        check=True,
        capture_output=True,
        timeout=3600,
        **identity,
    )
    return time.monotonic() - began


def wrapper(repeats: int) -> Figure:
    """Backup and restore, raw and ours, one after the other on the same data."""
    mebibytes = 2048 if repeats > 1 else 256
    with stories.cluster_with_backup("pgbackrest") as cluster:
        fill(cluster, mebibytes)
        raw_backup = _raw(cluster, "--type=full", "--start-fast", "--no-expire-auto", "backup")
        began = time.monotonic()
        cluster.good("postgres_backup", verify=False, timeout=3600)
        our_backup = time.monotonic() - began
        began = time.monotonic()
        cluster.good("postgres_verify", prove_archiving=False, timeout=3600)
        our_reading = time.monotonic() - began
        cluster.stop()
        raw_restore = _raw_restore(cluster)
        shutil.rmtree(cluster.data)
        began = time.monotonic()
        answer = cluster.module("postgres_restore", confirm=f"restore-{PLATFORM}", timeout=3600)
        our_restore = time.monotonic() - began
        assert not answer.get("failed"), answer["msg"]
    text = (
        f"{mebibytes} MiB: backup {our_backup:.1f} s (raw {raw_backup:.1f}), "
        f"restore {our_restore:.1f} s (raw with start {raw_restore:.1f}), "
        f"reading all again {our_reading:.1f} s"
    )
    holds = _near(our_backup, raw_backup) and _near(our_restore, raw_restore)
    return Figure(text, "", holds)


def _near(ours: float, raw: float) -> bool:
    return ours <= max(raw * 1.05, raw + 10.0)


def _raw_restore(cluster: Cluster) -> float:
    """The shortest correct sequence: old directory aside, restore, start, wait for the end."""
    began = time.monotonic()
    cluster.data.rename(cluster.base / "raw-old")
    cluster.data.mkdir(mode=0o700)
    shutil.chown(cluster.data, USER)
    _raw(cluster, "restore")
    cluster.start()
    while cluster.sql("select pg_is_in_recovery()") != "f":
        time.sleep(0.1)
    took = time.monotonic() - began
    cluster.stop()
    return took


ROWS = [
    Row(
        "wrapper-cost",
        "backup and restore of incompressible data beside raw pgBackRest",
        "at most 5 % or 10 s more",
        "tests/evidence/run postgres wrapper-cost",
        wrapper,
        2,
    )
]
