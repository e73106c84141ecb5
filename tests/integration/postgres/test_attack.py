# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody has the writer's keys and deletes everything: a restore as of before still works."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta

from cluster import Cluster, begin_cluster
from object_storage import (
    ROOT_KEY,
    ROOT_SECRET,
    WRITER_KEY,
    WRITER_SECRET,
    Storage,
    now,
    storage,
)

from ansible_collections.mainstay.platform.plugins.module_utils._postgres.bucket import Request
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.objects import (
    BucketReader,
)

GUARDED = {"name": "bucket", "number": 1, "protected": True, "kept_days": 30}


def give_keys(cluster: Cluster, old: tuple[str, str], new: tuple[str, str]) -> None:
    """Let pgBackRest use other keys."""
    text = cluster.config.read_text()
    cluster.config.write_text(text.replace(old[1], new[1]).replace(old[0], new[0]))


def bucket_findings(cluster: Cluster) -> list[str]:
    answer = cluster.module("postgres_verify", repository=GUARDED, prove_archiving=False, wal=False)
    findings = answer["verification"]["findings"]
    return [f["found"] for f in findings if (f["kind"], f["severity"]) == ("bucket", "critical")]


def attack(made: Storage) -> int:
    """Delete or overwrite all that the writer's keys reach; how many versions went for good."""
    writer, gone = made.writer(), 0
    found = BucketReader(writer, now() + timedelta(days=1)).versions("")
    assert len(found) > 10
    for number, item in enumerate(found):
        if number % 3 == 0:
            writer.call(Request("PUT", item.key, body=b"ransom"))
        else:
            writer.call(Request("DELETE", item.key))
        gone += writer.answer(Request("DELETE", item.key, {"versionId": item.version}))[0] == 204
    return gone


def test_a_thief_deletes_everything() -> None:
    with storage(lock=True) as made:
        made.writer()
        writer, root = (WRITER_KEY, WRITER_SECRET), (ROOT_KEY, ROOT_SECRET)
        cluster = begin_cluster("pgbackrest", made.options(*writer) + "\nrepo1-bundle=y")
        try:
            assert bucket_findings(cluster) == []
            give_keys(cluster, writer, root)
            (found,) = bucket_findings(cluster)
            assert "removed a version" in found
            give_keys(cluster, root, writer)
            cluster.good("postgres_backup", state="marked", point="safe")
            time.sleep(1.1)  # versions carry whole seconds
            before = now()
            time.sleep(1.1)
            cluster.kill()
            assert attack(made) == 0
            shutil.rmtree(cluster.data)
            assert cluster.module("postgres_restore", confirm="restore-demo-test")["failed"]
            when = before.isoformat(sep=" ")
            planned = cluster.good("postgres_backup", state="revived", moment=when, check=True)
            revived = cluster.good("postgres_backup", state="revived", moment=when)
            assert revived["revived"] == planned["revived"]
            assert revived["revived"]["files"] > 10
            assert not cluster.good("postgres_backup", state="revived", moment=when)["changed"]
            cluster.restore()
            assert cluster.sql("select count(*) from mark") == "1"
        finally:
            cluster.remove()
