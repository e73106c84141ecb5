# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of store needs: command, settings, files, probes, ports. Pure.

Passwords are files that only the pod sees, never arguments. The images are the official ones; they
run as the user of their program and not as root, which they can when the volume is theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    namespace_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Store,
)

DATA_PATHS = {
    "postgres": "/var/lib/postgresql/data",
    "redis": "/data",
    "rabbitmq": "/var/lib/rabbitmq",
    "mongodb": "/data/db",
}
#: The ports on which the programs listen; clients are told the store's own.
PORTS = {"postgres": 5432, "redis": 6379, "rabbitmq": 5672, "mongodb": 27017}
#: Ports between nodes of one store: the bus of Redis Cluster, Erlang's port mapper and its channel.
PEER_PORTS = {"redis": (16379,), "rabbitmq": (4369, 25672), "postgres": (), "mongodb": ()}
SECRETS = "/run/mainstay"
REPLICATION_SCRIPT = 'echo "host replication all all scram-sha-256" >> "$PGDATA/pg_hba.conf"\n'


@dataclass(frozen=True)
class Shape:
    """The part of a pod that depends on the kind.

    C(files) are secret files by name, C(scripts) files that are none; C(probe) is a command whose
    status 0 means healthy; C(prepare) runs before the program, in the same image.
    """

    probe: list[str]
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict, repr=False)
    scripts: dict[str, str] = field(default_factory=dict)
    scratch: tuple[str, ...] = ("/tmp",)
    prepare: list[str] = field(default_factory=list)
    shared_memory: str = ""


def shape_of(platform: Platform, store: Store, password: str, cookie: str, replica: bool) -> Shape:
    """The shape of a store's pods; C(replica) is a read replica beside a primary."""
    if store.kind == "postgres":
        return _postgres(store, password, replica)
    return _SHAPES[store.kind](platform, store, password, cookie)


def _shell(text: str) -> list[str]:
    return ["/bin/sh", "-ec", text]


def _postgres(store: Store, password: str, replica: bool) -> Shape:
    user, database = store.username or "postgres", store.database or store.username or "postgres"
    settings = dict(store.settings)
    if store.replicas:
        # A replica that was away for some time still finds the log it has missed.
        settings.setdefault("wal_keep_size", "1GB")
        settings.setdefault("hot_standby_feedback", "on")
    command = ["docker-entrypoint.sh", "postgres"]
    for key, value in sorted(settings.items()):
        command += ["-c", f"{key}={value}"]
    environment = {
        "PGDATA": DATA_PATHS["postgres"] + "/pgdata",
        "POSTGRES_DB": database,
        "POSTGRES_USER": user,
        "POSTGRES_PASSWORD_FILE": f"{SECRETS}/password",
    }
    copy = (
        'if [ -s "$PGDATA/PG_VERSION" ]; then exit 0; fi\n'
        f'PGPASSWORD="$(cat {SECRETS}/password)" exec pg_basebackup --host {store.name}'
        f' --port {store.port} --username {user} --pgdata "$PGDATA" --write-recovery-conf'
        " --wal-method stream --checkpoint fast"
    )
    scripts = {} if replica or not store.replicas else {"replication.sh": REPLICATION_SCRIPT}
    return Shape(
        probe=["pg_isready", "--username", user, "--dbname", database, "--host", "127.0.0.1"],
        command=command,
        environment=environment,
        files={"password": password},
        scripts=scripts,
        scratch=("/tmp", "/var/run/postgresql"),
        prepare=_shell(copy) if replica else [],
        shared_memory="256Mi",
    )


def _redis(_platform: Platform, store: Store, password: str, _cookie: str) -> Shape:
    lines = [f"appendonly {'yes' if store.append_only else 'no'}", "dir /data"]
    if store.memory_limit:
        lines += [f"maxmemory {store.memory_limit}", f"maxmemory-policy {store.eviction_policy}"]
    if store.kubernetes.shards:
        lines += [
            "cluster-enabled yes",
            "cluster-config-file /data/nodes.conf",
            "cluster-node-timeout 5000",
        ]
    lines += [f"{key} {value}" for key, value in sorted(store.settings.items())]
    files = {}
    ask = "redis-cli ping"
    if password:
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        lines += [f'requirepass "{quoted}"', f'masterauth "{quoted}"']
        files["password"] = password
        ask = f'REDISCLI_AUTH="$(cat {SECRETS}/password)" redis-cli ping'
    files["redis.conf"] = "\n".join(lines) + "\n"
    command = ["redis-server", f"{SECRETS}/redis.conf"]
    command += ["--appendonly", "yes"] if store.append_only else []
    return Shape(probe=_shell(f'[ "$({ask})" = PONG ]'), command=command, files=files)


def rabbit_node(platform: Platform, store: Store, pod: str) -> str:
    """The name of a node: it must be the same after every restart."""
    return f"rabbit@{pod}.{store.name}-headless.{namespace_of(platform)}.svc"


def _rabbitmq(platform: Platform, store: Store, password: str, cookie: str) -> Shape:
    lines = [f"{key} = {value}" for key, value in sorted(store.settings.items())]
    if store.username:
        lines.append(f"default_user = {store.username}")
    if password:
        lines.append(f"default_pass = {password}")
    files = {}
    prepare: list[str] = []
    if store.replicas:
        lines.append("cluster_formation.peer_discovery_backend = classic_config")
        lines += [
            f"cluster_formation.classic_config.nodes.{index + 1} = "
            + rabbit_node(platform, store, f"{store.name}-{index}")
            for index in range(store.replicas + 1)
        ]
        lines += ["cluster_partition_handling = pause_minority", "queue_leader_locator = balanced"]
    if cookie:
        files["cookie"] = cookie
        # Erlang refuses a cookie that others may read, which a mounted file is.
        home = DATA_PATHS["rabbitmq"]
        prepare = _shell(
            f"umask 077; cp -f {SECRETS}/cookie {home}/.erlang.cookie.new;"
            f" chmod 0400 {home}/.erlang.cookie.new;"
            f" mv -f {home}/.erlang.cookie.new {home}/.erlang.cookie"
        )
    files["mainstay.conf"] = "\n".join(lines) + "\n"
    return Shape(
        probe=["rabbitmq-diagnostics", "--quiet", "check_port_connectivity"],
        environment={
            "RABBITMQ_CONFIG_FILE": f"{SECRETS}/mainstay.conf",
            "RABBITMQ_NODENAME": rabbit_node(platform, store, "$(POD_NAME)"),
            "RABBITMQ_USE_LONGNAME": "true",
        },
        files=files,
        scratch=("/tmp", "/var/log/rabbitmq"),
        prepare=prepare,
    )


def _mongodb(_platform: Platform, store: Store, password: str, _cookie: str) -> Shape:
    environment: dict[str, str] = {}
    files: dict[str, str] = {}
    if store.username and password:
        environment = {
            "MONGO_INITDB_ROOT_USERNAME": store.username,
            "MONGO_INITDB_ROOT_PASSWORD_FILE": f"{SECRETS}/password",
        }
        files = {"password": password}
    if store.database:
        environment["MONGO_INITDB_DATABASE"] = store.database
    command = ["docker-entrypoint.sh", "mongod", "--bind_ip_all"]
    for key, value in sorted(store.settings.items()):
        command += [f"--{key}", value]
    ping = "quit(db.adminCommand({ping: 1}).ok ? 0 : 1)"
    return Shape(
        probe=["mongosh", "--quiet", "--eval", ping],
        command=command,
        environment=environment,
        files=files,
    )


_SHAPES: dict[str, Callable[[Platform, Store, str, str], Shape]] = {
    "redis": _redis,
    "rabbitmq": _rabbitmq,
    "mongodb": _mongodb,
}


def environment_list(shape: Shape) -> list[dict[str, Any]]:
    """The name of the pod first, since others are made of it."""
    name = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return [name, *({"name": k, "value": v} for k, v in sorted(shape.environment.items()))]
