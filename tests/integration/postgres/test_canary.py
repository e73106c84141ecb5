# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the storage are in the configuration of pgBackRest and nowhere else."""

from __future__ import annotations

import contextlib
import json
import pathlib
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cluster import Cluster, begin_cluster
from object_storage import WRITER_KEY, WRITER_SECRET, storage

CANARIES = (WRITER_SECRET.encode(), WRITER_KEY.encode())


class Watch:
    """Looks at the words and the environment of every process, again and again."""

    def __init__(self, left_out: int) -> None:
        self.left_out = str(left_out)
        self.told: set[str] = set()
        self.programs: set[str] = set()
        self.over = threading.Event()

    def look(self) -> None:
        """Until the work is over."""
        while not self.over.wait(0.01):
            for place in pathlib.Path("/proc").glob("[0-9]*"):
                if place.name != self.left_out:
                    with contextlib.suppress(OSError):
                        self._one(place)

    def _one(self, place: pathlib.Path) -> None:
        words = (place / "cmdline").read_bytes()
        name = words.split(b"\0")[0].rpartition(b"/")[2].decode(errors="replace")
        self.programs.add(name)
        for part in (words, (place / "environ").read_bytes()):
            if any(canary in part for canary in CANARIES):
                self.told.add(name)


@contextmanager
def watching(left_out: int) -> Iterator[Watch]:
    watch = Watch(left_out)
    thread = threading.Thread(target=watch.look)
    thread.start()
    try:
        yield watch
    finally:
        watch.over.set()
        thread.join()


def files_with_canaries(cluster: Cluster) -> set[str]:
    """Files of the cluster, its logs, records and metrics that hold a key."""
    found = set()
    for path in cluster.base.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and any(canary in path.read_bytes() for canary in CANARIES):
                found.add(path.name)
    return found


def test_a_secret_is_nowhere_else() -> None:
    answers = []
    with storage() as made:
        made.writer()
        cluster = begin_cluster("pgbackrest", made.options(WRITER_KEY, WRITER_SECRET))
        try:
            with watching(made.process.pid) as watch:
                answers.append(cluster.good("postgres_backup", type="full"))
                answers.append(cluster.good("postgres_backup", type="incr"))
                answers.append(cluster.good("postgres_backup", state="marked", point="p"))
                status = str(cluster.base / "status.prom")
                answers.append(cluster.good("postgres_verify", metrics_file=status))
                answers.append(cluster.good("postgres_backup_info"))
                made.door.fault = "403"
                answers.append(cluster.module("postgres_verify", prove_archiving=False))
                answers.append(cluster.module("postgres_backup"))
                made.door.fault = ""
                cluster.kill()
                shutil.rmtree(cluster.data)
                answers.append(cluster.restore())
            told = json.dumps(answers).encode()
            assert [a.get("failed", False) for a in answers].count(True) == 2
            assert {"pgbackrest", "postgres"} <= watch.programs
            assert watch.told == set()
            assert not [c for c in CANARIES if c in told]
            assert files_with_canaries(cluster) == {"pgbackrest.conf"}
        finally:
            cluster.remove()


def test_a_broken_configuration_is_not_quoted() -> None:
    cluster = Cluster()
    try:
        cluster.config.write_text(f"repo1-s3-key-secret={WRITER_SECRET}\n[db]\n")
        message = cluster.bad("postgres_backup_info")
        assert "cannot be" in message
        assert WRITER_SECRET not in message
    finally:
        cluster.remove()
