# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about PostgreSQL on hosts and about the places that backups go to. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mainstay.platform.plugins.module_utils._platform.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    WARNING,
    Problem,
    suggestion,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Store
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_postgres import (
    Repository,
)

#: Supported by the PostgreSQL project in 2026.
VERSIONS = ("14", "15", "16", "17", "18")
GROUP = "database"
#: Written by the roles from other parts of the description: two answers to one question.
OWNED = {
    "archive_command": "backup",
    "archive_library": "backup",
    "archive_mode": "backup",
    "archive_timeout": "backup.wal_interval",
    "config_file": "postgres.cluster",
    "data_directory": "postgres.cluster",
    "hba_file": "postgres.clients",
    "listen_addresses": "postgres.clients",
    "max_connections": "postgres.tuning.connections",
    "max_slot_wal_keep_size": "postgres.slot_limit",
    "port": "port",
    "primary_conninfo": "replicas",
    "restore_command": "backup",
    "ssl": "tls",
    "synchronous_standby_names": "postgres.synchronous",
    "wal_level": "backup",
}


def check_postgres(context: Context) -> Iterator[Problem]:
    """All rules of this file."""
    taken: dict[str, str] = {}
    for store in context.platform.stores:
        path = f"platform_stores.{store.name}"
        if store.postgres is None:
            yield from _elsewhere(context, store, path)
            yield from _unknown_repositories(context, store, path)
            if store.mode == "docker" and store.kind == "postgres":
                yield from _copies(context, store, path)
            continue
        yield from _server(context, store, path)
        yield from _hosts(context, store, path, taken)
        yield from _names(context, store, path)
        yield from _unknown_repositories(context, store, path)
        yield from _repositories(context, store, path)
    for repository in context.platform.repositories:
        yield from _repository(repository)


def hosts_of(store: Store, groups: dict[str, list[str]]) -> list[str]:
    """The hosts that carry a store, the first of them the primary of a new cluster."""
    return list(store.hosts) or list(groups.get(GROUP) or [])


def named_secrets(context: Context) -> Iterator[tuple[str, str]]:
    """(path, name of a secret) of every reference in what this file is about."""
    for store in context.platform.stores:
        if store.postgres is None:
            continue
        path = f"platform_stores.{store.name}.postgres"
        if store.postgres.replication:
            yield f"{path}.replication", store.postgres.replication
        for role in store.postgres.roles:
            yield f"{path}.roles.{role.name}.password", role.password
    for repository in context.platform.repositories:
        for key in ("access_key", "secret_key"):
            if getattr(repository, key):
                yield f"platform_repositories.{repository.name}.{key}", getattr(repository, key)


def _elsewhere(context: Context, store: Store, path: str) -> Iterator[Problem]:
    raw = context.raw_store(store.name)
    for key in ("hosts", "postgres"):
        if key in raw:
            yield Problem(
                f"{path}.{key}",
                "only for PostgreSQL on hosts",
                f"kind {store.kind}, mode {store.mode}",
                "kind: postgres with mode: host",
            )


def _server(context: Context, store: Store, path: str) -> Iterator[Problem]:
    if store.version not in VERSIONS:
        yield Problem(
            f"{path}.version",
            "not a major version that PostgreSQL is supported in",
            store.version or "nothing",
            ", ".join(VERSIONS),
        )
    for name in store.settings:
        if name in OWNED:
            yield Problem(
                f"{path}.settings.{name}",
                "decided elsewhere in the description",
                name,
                f"{path}.{OWNED[name]}",
            )
    postgres = store.postgres
    if postgres and postgres.pooler and postgres.pooler.port == store.port:
        yield Problem(
            f"{path}.postgres.pooler.port", "the port of the server itself", str(store.port)
        )
    if postgres and postgres.synchronous and store.replicas == 0:
        yield Problem(
            f"{path}.postgres.synchronous",
            "every commit would wait for ever: there is no replica",
            "replicas: 0",
            "at least one replica",
        )


def _hosts(context: Context, store: Store, path: str, taken: dict[str, str]) -> Iterator[Problem]:
    if not context.groups:
        return
    known = list(context.groups.get(GROUP) or [])
    hosts = hosts_of(store, context.groups)
    for index, host in enumerate(store.hosts):
        if host not in known:
            yield Problem(
                f"{path}.hosts[{index}]",
                f"no host of the group {GROUP}",
                host,
                ", ".join(known) or f"a host in [{GROUP}] of the inventory",
                suggestion(host, known),
            )
    for host in hosts:
        if host in taken:
            yield Problem(f"{path}.hosts", f"{host} carries the store {taken[host]} already", host)
        taken.setdefault(host, store.name)
    if store.replicas + 1 != len(hosts):
        yield Problem(
            f"{path}.replicas",
            "hosts and replicas do not fit: one host is the primary, each other one a replica",
            f"{store.replicas} replicas on {len(hosts)} hosts",
            f"{max(len(hosts) - 1, 0)}, or other hosts",
        )


def _names(context: Context, store: Store, path: str) -> Iterator[Problem]:
    postgres = store.postgres
    if postgres is None:
        return
    if store.replicas and not postgres.replication:
        where = f"{path}.postgres.replication"
        yield Problem(where, "replicas need a password", "nothing", "the name of a secret")
    for role in postgres.roles:
        where = f"{path}.postgres.roles.{role.name}"
        if role.name == store.username:
            yield Problem(where, "the role that username names already", role.name)
    owners = {role.name for role in postgres.roles} | {store.username or "postgres", "postgres"}
    seen = {store.database}
    for index, database in enumerate(postgres.databases):
        where = f"{path}.postgres.databases[{index}]"
        if database.name in seen:
            yield Problem(f"{where}.name", "a database that is described already", database.name)
        seen.add(database.name)
        if database.owner and database.owner not in owners:
            allowed = ", ".join(sorted(owners))
            hint = suggestion(database.owner, owners)
            yield Problem(f"{where}.owner", "no such role", database.owner, allowed, hint)


def _unknown_repositories(context: Context, store: Store, path: str) -> Iterator[Problem]:
    if store.backup is None:
        return
    written = context.variables.get("platform_repositories") or {}
    for index, name in enumerate(store.backup.repositories):
        if name not in written:
            yield Problem(
                f"{path}.backup.repositories[{index}]",
                "no such repository",
                name,
                ", ".join(written) or "platform_repositories",
                suggestion(name, list(written)),
            )


def _copies(context: Context, store: Store, path: str) -> Iterator[Problem]:
    """Dumps of a store in Docker are on its host, and are copied to object storages."""
    if store.backup is None:
        return
    kinds = {repository.name: repository.kind for repository in context.platform.repositories}
    for index, name in enumerate(store.backup.repositories):
        if kinds.get(name) == "local":
            yield Problem(
                f"{path}.backup.repositories[{index}]",
                "dumps of a store in Docker are copied to object storages only",
                f"{name}, of kind local",
                "a repository of kind s3",
            )
    if context.production and not store.backup.repositories:
        yield Problem(
            f"{path}.backup.repositories",
            "all dumps are on the host that they are the dumps of",
            "none",
            "a repository of kind s3",
            severity=WARNING,
        )


def _repositories(context: Context, store: Store, path: str) -> Iterator[Problem]:
    if store.backup is None:
        return
    known = {repository.name: repository for repository in context.platform.repositories}
    kinds = {known[name].kind for name in store.backup.repositories if name in known} or {"local"}
    if store.backup.engine == "native" and "s3" in kinds:
        yield Problem(
            f"{path}.backup.engine", "native keeps backups in a directory only", "s3", "pgbackrest"
        )
    elif context.production and "s3" not in kinds:
        yield Problem(
            f"{path}.backup.repositories",
            "all backups are on the host that they are the backup of",
            "only local",
            "an s3 repository beside it",
            severity=WARNING,
        )


def _repository(repository: Repository) -> Iterator[Problem]:
    path = f"platform_repositories.{repository.name}"
    for key in ("endpoint", "bucket", "access_key", "secret_key"):
        value = getattr(repository, key)
        if repository.kind == "s3" and not value:
            yield Problem(f"{path}.{key}", "missing for s3", "nothing", f"the {key}")
        if repository.kind == "local" and value:
            yield Problem(f"{path}.{key}", "only for s3", str(value), "kind: s3")
