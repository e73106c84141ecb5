# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bucket, a cluster and a PostgreSQL in memory, below the Protocols that backups use."""

from __future__ import annotations

import datetime
import json
import pathlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Optional

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake_cluster import FakeCluster, Object

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import engine
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_bucket import (
    Stored,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_catalog import (
    Repository,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import (
    Resource,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.pod_shell import (
    Done,
    Place,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

KEY = "correct horse battery staple"
PLATFORM = "shop-production"
RESTORE = "20261121T080000Z-00000a"
AGAIN = "20261121T080000Z-00000b"
CANARY = "canary-7f31"
RELEASE = "20261121T060000Z-0000aa"


class MemoryBucket:
    """Objects by name; C(fail) may refuse any call."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.modified: dict[str, datetime.datetime] = {}
        self.removed: list[str] = []
        self.fail: Optional[Callable[[str, str], Optional[Exception]]] = None
        self.now = datetime.datetime(2026, 11, 21, 6, tzinfo=datetime.timezone.utc)

    def _ask(self, verb: str, name: str) -> None:
        error = self.fail(verb, name) if self.fail else None
        if error is not None:
            raise error

    def put(self, name: str, data: bytes) -> None:
        """See the Protocol."""
        self._ask("put", name)
        self.objects[name], self.modified[name] = data, self.now

    def upload(self, name: str, path: str) -> None:
        """See the Protocol."""
        self._ask("upload", name)
        self.objects[name], self.modified[name] = pathlib.Path(path).read_bytes(), self.now

    def read(self, name: str) -> Optional[bytes]:
        """See the Protocol."""
        self._ask("read", name)
        return self.objects.get(name)

    def stream(self, name: str) -> Iterator[bytes]:
        """See the Protocol."""
        self._ask("stream", name)
        if name not in self.objects:
            raise MainstayError("the repository did not let us read it", subject=f"s3://b/{name}")
        data = self.objects[name]
        for start in range(0, len(data), 1000):
            yield data[start : start + 1000]

    def names(self, prefix: str) -> list[Stored]:
        """See the Protocol."""
        self._ask("names", prefix)
        found = sorted(n for n in self.objects if n.startswith(prefix))
        return [Stored(n, len(self.objects[n]), self.modified[n]) for n in found]

    def remove(self, name: str) -> None:
        """See the Protocol."""
        self._ask("remove", name)
        self.removed.append(name)
        self.objects.pop(name, None)

    def one(self, ending: str) -> str:
        """The only name with this ending."""
        found = [n for n in self.objects if n.endswith(ending)]
        assert len(found) == 1, found
        return found[0]


class StoresCluster(FakeCluster):
    """Also answers reviews of rights, scales, and merges annotations of templates."""

    def __init__(self) -> None:
        super().__init__()
        self.denied: set[tuple[str, str]] = set()
        self.scaled: list[tuple[str, int]] = []
        self.parallel = 2

    def _settle(self, found: Object) -> None:
        super()._settle(found)
        count = int(found["spec"].get("replicas", 1))
        bad = found["metadata"]["name"] in self.held
        found["status"].update(
            replicas=count, updatedReplicas=count, availableReplicas=0 if bad else count
        )

    def create(self, resource: Resource, manifest: Object) -> Object:
        """See the Protocol."""
        if resource.kind == "SelfSubjectRulesReview":
            return {"status": {"resourceRules": []}}
        if resource.kind == "SelfSubjectAccessReview":
            asked = manifest["spec"]["resourceAttributes"]
            sub = f"/{asked['subresource']}" if asked["subresource"] else ""
            right = asked["verb"], f"{asked['resource']}{sub}"
            return {"status": {"allowed": right not in self.denied}}
        return super().create(resource, manifest)

    def apply(
        self, resource: Resource, manifest: Object, *, dry_run: bool = False, force: bool = False
    ) -> Object:
        """See the Protocol."""
        if resource.kind == "Deployment" and not dry_run:
            count = manifest["spec"].get("replicas", 1)
            self.scaled.append((manifest["metadata"]["name"], count))
        return super().apply(resource, manifest, dry_run=dry_run, force=force)

    def merge(self, resource: Resource, namespace: str, name: str, patch: Object) -> Object:
        """See the Protocol."""
        name, _slash, sub = name.partition("/")
        if sub == "scale":
            self.scaled.append((name, patch["spec"]["replicas"]))
            found = self.objects[resource.plural, namespace, name]
            found["spec"]["replicas"] = patch["spec"]["replicas"]
            return self._store((resource.plural, namespace, name), found)
        if "template" in patch.get("spec", {}):
            self.calls.append(f"mark {resource.kind} {name}")
            found = self.objects[resource.plural, namespace, name]
            metadata = found["spec"]["template"].setdefault("metadata", {})
            marks = metadata.setdefault("annotations", {})
            for key, value in patch["spec"]["template"]["metadata"]["annotations"].items():
                marks.pop(key, None)
                if value is not None:
                    marks[key] = value
            return self._store((resource.plural, namespace, name), found)
        return super().merge(resource, namespace, name, patch)


class FakePostgres:
    """Runs what the scripts ask for, on databases that are tables with numbers of rows."""

    def __init__(self) -> None:
        self.databases: dict[str, dict[str, int]] = {"postgres": {}, "shop": {"public.orders": 3}}
        self.admits: dict[str, bool] = {}
        self.roles = ["postgres", "shop"]
        self.made_roles = ""
        self.server = "15.4"
        self.free = 10**9
        self.replica = False
        self.scripts: list[str] = []
        self.break_at = ""
        self.lose_rows = False

    def run(
        self,
        place: Place,
        script: str,
        *,
        source: Optional[Iterable[bytes]] = None,
        sink: Optional[Callable[[bytes], None]] = None,
        timeout: float = 60.0,
    ) -> Done:
        """See the Protocol."""
        self.scripts.append(script)
        data = b"".join(source or ())
        if self.break_at and self.break_at in script:
            return Done(1, "", "psql: error: it broke")
        for word, answer in _ANSWERS:
            if word in script:
                return answer(self, script, data, sink)
        raise AssertionError(script)

    def _list(self, *_rest: Any) -> Done:
        found = {
            "databases": list(self.databases),
            "roles": self.roles,
            "recovery": self.replica,
            "server": self.server,
        }
        return Done(0, json.dumps(found))

    def _dump(self, script: str, _data: bytes, sink: Any) -> Done:
        rows = self.databases[_word(script, r"PGDATABASE=(\S+)")]
        content = json.dumps(rows).encode()
        for start in range(0, len(content), 7):
            sink(content[start : start + 7])
        facts = {"server": self.server, "owner": "shop", "encoding": "UTF8", "bytes": 1000}
        lines = [json.dumps(facts)]
        lines += [json.dumps({"rows": [*t.split("."), n]}) for t, n in rows.items()]
        return Done(0, "", "\n".join([*lines, '{"dumped": true}']))

    def _dump_roles(self, *_rest: Any) -> Done:
        return Done(
            0, f"CREATE ROLE shop;\nCREATE ROLE extra;\nALTER ROLE extra PASSWORD '{CANARY}';\n"
        )

    def _make_roles(self, _script: str, data: bytes, _sink: Any) -> Done:
        self.made_roles = data.decode()
        return Done(0)

    def _create(self, script: str, *_rest: Any) -> Done:
        self.databases[_word(script, r'create database "([^"]+)"')] = {}
        return Done(0)

    def _drop(self, script: str, *_rest: Any) -> Done:
        self.databases.pop(_word(script, r'drop database if exists "([^"]+)"'), None)
        return Done(0)

    def _load(self, script: str, data: bytes, _sink: Any) -> Done:
        assert len(data) == int(_word(script, r"head -c (\d+)"))
        rows = json.loads(data)
        if self.lose_rows:
            rows = {table: count - 1 for table, count in rows.items()}
        self.databases[_word(script, r"PGDATABASE=(\S+)")] = rows
        return Done(0)

    def _count(self, script: str, *_rest: Any) -> Done:
        rows = self.databases[_word(script, r"PGDATABASE=(\S+)")]
        found = [json.dumps({"rows": [*t.split("."), n]}) for t, n in rows.items()]
        return Done(0, "\n".join(found))

    def _rename(self, script: str, *_rest: Any) -> Done:
        for old, new in re.findall(r'alter database "([^"]+)" rename to "([^"]+)"', script):
            self.databases[new] = self.databases.pop(old)
        return Done(0)

    def _admit(self, *_rest: Any) -> Done:
        return Done(0)

    def _free_room(self, *_rest: Any) -> Done:
        return Done(0, f"Filesystem 1024-blocks\n/dev/x 1 1 {self.free // 1024} 1% /\n")

    def _directory(self, *_rest: Any) -> Done:
        return Done(0, "/var/lib/postgresql/data\n")

    def _query(self, script: str, *_rest: Any) -> Done:
        return Done(0, "t\n" if "> 1" in script else "f\n")


_ANSWERS: tuple[tuple[str, Any], ...] = (
    ("pg_dumpall", FakePostgres._dump_roles),
    ("pg_dump -Fc", FakePostgres._dump),
    ("pg_restore", FakePostgres._load),
    ("pg_is_in_recovery", FakePostgres._list),
    ("df -Pk", FakePostgres._free_room),
    ("show data_directory", FakePostgres._directory),
    ("head -c", FakePostgres._make_roles),
    ("create database", FakePostgres._create),
    ("drop database", FakePostgres._drop),
    ("rename to", FakePostgres._rename),
    ("allow_connections true", FakePostgres._admit),
    ("json_build_array", FakePostgres._count),
    ("select count(*)", FakePostgres._query),
)


def _word(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    assert found, (pattern, text)
    return found[1]


def _workload(kind: str, name: str, replicas: int) -> Object:
    labels = {"app.kubernetes.io/name": name}
    spec: Object = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "main", "image": "a@sha256:1"}]},
        },
    }
    if kind == "StatefulSet":
        spec["serviceName"] = name
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def manifests(password: str = CANARY) -> list[Object]:
    """A small platform: two services, a store, a job by the clock, a Secret."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "files"},
        "stringData": {"password": password},
    }
    job = {"template": {"spec": {"restartPolicy": "Never", "containers": []}}}
    cron = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "orders-dump"},
        "spec": {"schedule": "0 2 * * *", "jobTemplate": {"spec": job}},
    }
    return [
        secret,
        cron,
        _workload("Deployment", "api", 3),
        _workload("Deployment", "web", 2),
        _workload("StatefulSet", "orders", 1),
    ]


def deployed(cluster: Optional[StoresCluster] = None) -> StoresCluster:
    """A cluster with that platform, its store up."""
    cluster = cluster or StoresCluster()
    asked = {
        "platform": PLATFORM,
        "namespace": "shop",
        "release_id": RELEASE,
        "manifests": manifests(),
        "wait": False,
    }
    engine.release(asked, cluster, check=False)
    parent = cluster.objects["configmaps", "shop", f"mainstay-{PLATFORM}"]
    parent["data"]["phase"] = "deployed"
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    metadata = {"name": "orders-0", "namespace": "shop", "labels": {}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": ready}
    cluster.objects["pods", "shop", "orders-0"] = pod
    cluster.calls.clear()
    cluster.scaled.clear()
    return cluster


def repository(bucket: MemoryBucket, key: str = KEY) -> Repository:
    """The one of the tests."""
    return Repository(bucket, "base", PLATFORM, key)


STORE = {"name": "orders", "kind": "postgres", "username": "shop", "database": "shop"}


def asked(**more: Any) -> dict[str, Any]:
    """Arguments of a backup."""
    return {
        "platform": PLATFORM,
        "namespace": "shop",
        "repository": {"bucket": "backups", "prefix": "base"},
        "encryption_key": KEY,
        "state": "present",
        "secrets": "sealed",
        "stores": [STORE],
        "retention": {},
        "timeout": 10.0,
        **more,
    }


def restoring(**more: Any) -> dict[str, Any]:
    """Arguments of a restore."""
    found = {
        "restore_id": RESTORE,
        "objects": False,
        "checks": [],
        "confirm": f"restore-{PLATFORM}",
        "fence": 0,
    }
    return {**asked(), **found, **more}
