# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small platform with PostgreSQL and Redis on a real cluster, and a real S3 server."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
from typing import Any, Optional

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4] / "collections"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "testbed"))

import boto3
from bed import objects
from kube_bed import FIRST, PLATFORM, Cluster, Manifest, config, secret, workload

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    backup_take,
    restart,
    restore_run,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.pod_shell import (
    PodShell,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

ROOT = pathlib.Path(__file__).resolve().parents[4]
KEY = "a key that is long enough to be one"
CANARY = "canary-51c07fd2"
RESTORE, AGAIN = "20261121T080000Z-00000a", "20261121T080000Z-00000b"
PASSWORD = {"name": "files", "mountPath": "/run/mainstay", "readOnly": True}


class Bucket:
    """The S3 server of the bed on loopback, with one bucket."""

    def __init__(self, folder: pathlib.Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        (folder / "data").mkdir()
        self.host, self.authority = f"127.0.0.1:{port}", str(folder / "tls.crt")
        self.address = f"https://{self.host}"
        words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=s3"
        files = ["-keyout", str(folder / "tls.key"), "-out", self.authority]
        subprocess.run(
            ["openssl", *words.split(), *files, "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True,
            capture_output=True,
        )
        keys = {"ROOT_ACCESS_KEY": "tester", "ROOT_SECRET_KEY": CANARY}
        command = [str(objects.program()), "--port", self.host, "--cert", self.authority]
        command += ["--key", str(folder / "tls.key"), "posix"]
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [*command, str(folder / "data")],
            env={**os.environ, **keys},
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.client = boto3.client(
            "s3",
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id="tester",
            aws_secret_access_key=CANARY,
            verify=self.authority,
        )
        self._await()
        self.client.create_bucket(Bucket="backups")

    def _await(self) -> None:
        """Until it answers anything at all: the process has no other event to wait for."""
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", int(self.host[10:])), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("the S3 server does not answer")

    def end(self) -> None:
        """Stop it."""
        self.process.terminate()
        self.process.wait(10)
        self.log.close()

    def options(self, prefix: str) -> dict[str, Any]:
        """The option C(repository)."""
        return {
            "bucket": "backups",
            "prefix": prefix,
            "endpoint": self.host,
            "ca": self.authority,
            "region": "us-east-1",
            "access_key": "tester",
            "secret_key": CANARY,
            "path_style": True,
        }

    def names(self, prefix: str) -> list[str]:
        """All objects."""
        found = self.client.list_objects_v2(Bucket="backups", Prefix=prefix)
        return sorted(o["Key"] for o in found.get("Contents") or [])

    def get(self, name: str) -> bytes:
        """What an object holds."""
        data: bytes = self.client.get_object(Bucket="backups", Key=name)["Body"].read()
        return data

    def put(self, name: str, data: bytes) -> None:
        """Replace an object."""
        self.client.put_object(Bucket="backups", Key=name, Body=data)


def _store(name: str, image: str, port: int, path: str, **more: Any) -> Manifest:
    """A StatefulSet of one pod, which keeps its data as long as the pod is there."""
    body = workload(name, kind="StatefulSet", image=image)
    container = body["spec"]["template"]["spec"]["containers"][0]
    probe = {"tcpSocket": {"port": port}, "periodSeconds": 1}
    probe = more.pop("probe", probe)
    container.update(
        env=[{"name": k, "value": v} for k, v in more.pop("env", {}).items()],
        readinessProbe=probe,
        volumeMounts=[{"name": "data", "mountPath": path}, PASSWORD],
        **more,
    )
    spec = body["spec"]["template"]["spec"]
    spec["volumes"] = [
        {"name": "data", "emptyDir": {}},
        {"name": "files", "secret": {"secretName": "store-files", "defaultMode": 0o444}},
    ]
    return body


def manifests(images: dict[str, str]) -> list[Manifest]:
    """The platform."""
    postgres = {
        "POSTGRES_USER": "shop",
        "POSTGRES_DB": "shop",
        "POSTGRES_PASSWORD_FILE": "/run/mainstay/password",
        "PGDATA": "/var/lib/postgresql/data/pgdata",
    }
    ask = ["pg_isready", "-q", "-U", "shop", "-h", "127.0.0.1"]
    probe = {"exec": {"command": ask}, "periodSeconds": 1, "timeoutSeconds": 5}
    cron = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly"},
        "spec": {
            "schedule": "0 0 1 1 *",
            "jobTemplate": {
                "spec": {
                    "template": {
                        "spec": {
                            "restartPolicy": "Never",
                            "containers": [{"name": "main", "image": images["redis"]}],
                        }
                    }
                }
            },
        },
    }
    return [
        config("settings", word="shop"),
        secret("store-files", password=CANARY),
        secret("token", token=CANARY),
        _store(
            "orders",
            images["postgres"],
            5432,
            "/var/lib/postgresql/data",
            env=postgres,
            probe=probe,
        ),
        _store(
            "cache",
            images["redis"],
            6379,
            "/data",
            command=["/usr/local/bin/entrypoint", "redis-server"],
            args=["--appendonly", "yes", "--requirepass", CANARY],
        ),
        workload("api", replicas=2),
        cron,
    ]


ORDERS = {"name": "orders", "kind": "postgres", "username": "shop", "database": "shop"}
CACHE = {"name": "cache", "kind": "redis"}


class Shop:
    """The platform in one namespace, with the modules called on it."""

    def __init__(self, cluster: Cluster, bucket: Bucket, images: dict[str, str]) -> None:
        self.cluster, self.bucket = cluster, bucket
        self.prefix, self.images = cluster.namespace, images

    def deploy(self) -> None:
        """All of it, ready."""
        answer = self.cluster.release(manifests(self.images), FIRST, timeout=240.0)
        assert answer["release"]["outcome"] == "deployed", answer

    def params(self, **more: Any) -> dict[str, Any]:
        """What the modules share."""
        return {
            "platform": PLATFORM,
            "namespace": self.cluster.namespace,
            "kubeconfig": self.cluster.kubeconfig,
            "repository": self.bucket.options(self.prefix),
            "encryption_key": KEY,
            "stores": [ORDERS, CACHE],
            "state": "present",
            "timeout": 120.0,
            "parallel": 4,
            **more,
        }

    def backup(self, *, check: bool = False, **more: Any) -> dict[str, Any]:
        """The answer of k8s_backup."""
        params = self.params(secrets="sealed", retention={}, **more)
        with connect(params) as client:
            return backup_take.backup(params, client, PodShell(params), check=check).as_dict()

    def restore(self, *, check: bool = False, **more: Any) -> dict[str, Any]:
        """The answer of k8s_restore."""
        state = more.get("state", "present")
        given = {
            "restore_id": RESTORE,
            "objects": False,
            "checks": [],
            "fence": 0,
            "confirm": restore_run.confirmation(PLATFORM, state),
        }
        params = self.params(**{**given, **more})
        with connect(params) as client:
            return restore_run.restore(params, client, PodShell(params), check=check).as_dict()

    def restart(self, *services: str, restart_id: str = RESTORE, **more: Any) -> dict[str, Any]:
        """The answer of k8s_restart."""
        params = self.params(services=list(services), restart_id=restart_id, fence=0, **more)
        with connect(params) as client:
            return restart.restart(params, client).as_dict()

    def refused(self, call: str, **more: Any) -> MainstayError:
        """The error of a call that must fail."""
        try:
            getattr(self, call)(**more)
        except MainstayError as error:
            return error
        raise AssertionError(f"{call} was not refused")

    def sql(self, text: str, database: str = "shop") -> str:
        """The answer of PostgreSQL."""
        words = ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-U", "shop", "-d", database]
        return self.cluster.kubectl("exec", "orders-0", "--", *words, "-c", text).strip()

    def redis(self, *words: str, pod: str = "cache-0") -> str:
        """The answer of Redis."""
        command = ["redis-cli", "-a", CANARY, "--no-auth-warning", *words]
        return self.cluster.kubectl("exec", pod, "--", *command).strip()

    def fill(self) -> None:
        """A thousand orders in two tables, and keys of several kinds."""
        self.sql(
            "drop schema if exists sales cascade; drop table if exists items;"
            "create schema sales; create table sales.orders (id serial primary key, note text);"
            "insert into sales.orders (note) select repeat(md5(i::text), 20)"
            " from generate_series(1, 1000) i;"
            'create table "items" as select i from generate_series(1, 50) i'
        )
        self.redis("flushall")
        self.redis("set", "first", "1")
        self.redis("hset", "map", "a", "1", "b", "2")

    def orders(self) -> int:
        """Rows that serve now."""
        return int(self.sql("select count(*) from sales.orders"))

    def running(self) -> int:
        """Pods of the service that are ready."""
        found = self.cluster.get("deployment", "api")
        return int(found["status"].get("readyReplicas") or 0)

    def part(self, ending: str, label: Optional[str] = None) -> str:
        """Name of an object of a backup."""
        names = [n for n in self.bucket.names(self.prefix) if n.endswith(ending)]
        names = [n for n in names if label is None or f"/{label}/" in n]
        assert len(names) == 1, names
        return names[0]


def read(result: dict[str, Any]) -> str:
    """A result as text."""
    return json.dumps(result)
