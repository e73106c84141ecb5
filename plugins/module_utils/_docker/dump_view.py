# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the platform to the dumps that each Docker host takes of its stores. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._docker.view import store_specs
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import schedule

ROOT = "/var/backups/mainstay"


@dataclass(frozen=True)
class StoreBackup:
    """One store of a host: who reads it, where its dumps go, when, and how long they stay."""

    store: str
    username: str
    database: str
    directory: str
    calendar: list[str]
    retention: dict[str, int]
    repositories: list[str] = field(default_factory=list)


def store_backups(platform: Platform, host: str, hosts: Sequence[str]) -> list[StoreBackup]:
    """The stores in Docker on C(host) that are backed up, in the order of the description.

    Only PostgreSQL can be: for another kind with a schedule that is an error here, not a silence.
    """
    here = {spec.name for spec in store_specs(platform, host, list(hosts))}
    found = []
    for store in platform.stores:
        if store.name not in here or store.backup is None:
            continue
        if store.kind != "postgres":
            raise MainstayError(
                "a store of this kind cannot be dumped from Docker",
                subject=f"platform_stores.{store.name}.backup",
                found=f"kind {store.kind} with a schedule",
                expected="kind postgres, or backup.none with the reason",
                next_step="back it up by its own means and say so in backup.none",
            )
        near = [r.name for r in platform.repositories if r.kind == "local"]
        unfit = [name for name in store.backup.repositories if name in near]
        if unfit:
            raise MainstayError(
                "dumps of a store in Docker are copied to object storage only",
                subject=f"platform_stores.{store.name}.backup.repositories",
                found=f"{', '.join(unfit)}, of kind local",
                expected="repositories of kind s3; the dumps themselves are on the host already",
                next_step="take it out of the list",
            )
        policy = store.backup
        found.append(
            StoreBackup(
                store=store.name,
                username=store.username or "postgres",
                database=store.database or store.username or "postgres",
                directory=f"{ROOT}/{platform.name}-{platform.stage}/{store.name}",
                calendar=schedule.calendar(policy.schedule),
                retention={
                    "daily": policy.retention_days,
                    "weekly": policy.retention_weeks,
                    "monthly": policy.retention_months,
                },
                repositories=list(policy.repositories),
            )
        )
    return found


def repositories_of(
    platform: Platform, backups: Sequence[StoreBackup], secrets: Mapping[str, str], home: str
) -> dict[str, list[dict[str, Any]]]:
    """What the modules read of the repositories, by store, with the keys. The result is a secret.

    C(home) is the directory on the host where authorities of the repositories are.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for item in backups:
        for repository in platform.repositories:
            if repository.name not in item.repositories:
                continue
            keys = (str(repository.access_key), str(repository.secret_key))
            missing = [name for name in keys if not secrets.get(name)]
            if missing:
                raise MainstayError(
                    "a key of a repository has no value",
                    subject=f"platform_repositories.{repository.name}",
                    found=f"no secret {', '.join(missing)}",
                    next_step="add it to platform_secrets",
                )
            found.setdefault(item.store, []).append(
                {
                    "name": repository.name,
                    "endpoint": str(repository.endpoint),
                    "bucket": str(repository.bucket),
                    "region": repository.region,
                    "path": repository.path,
                    "path_style": repository.path_style,
                    "ca_file": f"{home}/{repository.name}-ca.crt" if repository.ca else "",
                    "access_key": secrets[keys[0]],
                    "secret_key": secrets[keys[1]],
                }
            )
    return found


def chosen(backups: Sequence[StoreBackup], wanted: str) -> StoreBackup:
    """The store that a restore is about: C(wanted), or the only one."""
    fitting = [item for item in backups if wanted in ("", item.store)]
    if len(fitting) != 1:
        raise MainstayError(
            "the store to restore is not clear",
            subject="restore_store",
            found=wanted or "nothing",
            expected=" or ".join(item.store for item in backups)
            or "a store in Docker with a backup policy; there is none",
            next_step="name it with -e restore_store=<name>; nothing was changed",
        )
    return fitting[0]
