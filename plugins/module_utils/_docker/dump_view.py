# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the platform to the dumps that each Docker host takes of its stores. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
            )
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
