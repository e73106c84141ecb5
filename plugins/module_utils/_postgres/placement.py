# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Platform -> what one database host carries: the store, its hosts and settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Store,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import tuning
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.topology import slot_name

GROUP = "database"
REPLICATION_USER = "mainstay_replication"
#: Settings that every server of a platform has, whatever its size.
COMMON = {
    "log_checkpoints": "on",
    "log_lock_waits": "on",
    "log_min_duration_statement": "1s",
    "log_temp_files": "10MB",
    "password_encryption": "scram-sha-256",
    "pg_stat_statements.track": "all",
    "shared_preload_libraries": "pg_stat_statements",
    "track_io_timing": "on",
}


def store_of(platform: Platform, host: str, groups: Mapping[str, Sequence[str]]) -> Optional[Store]:
    """The store that a host carries; nothing when it carries none."""
    for store in platform.stores:
        if store.postgres and host in hosts_of(store, groups):
            return store
    return None


def hosts_of(store: Store, groups: Mapping[str, Sequence[str]]) -> list[str]:
    """The hosts of a store, the first of them the primary of a new cluster."""
    return list(store.hosts) or list(groups.get(GROUP) or [])


def chosen(platform: Platform, wanted: str = "") -> Store:
    """The store that an operation is about: the wanted one, or the only one with a policy."""
    able = {s.name: s for s in platform.stores if s.postgres and s.backup}
    if wanted in able:
        return able[wanted]
    if not wanted and len(able) == 1:
        return next(iter(able.values()))
    raise MainstayError(
        "which store is meant cannot be told" if not wanted else "no such store with backups",
        subject=wanted or f"{len(able)} stores of {platform.id}",
        expected=", ".join(able) or "a store of PostgreSQL on hosts with a backup policy",
        next_step="give it with -e restore_store=<name>",
    )


def databases(store: Store) -> list[dict[str, Any]]:
    """All databases with owner and extensions, the store's own first."""
    if store.postgres is None:
        return []
    own = store.username or "postgres"
    found = []
    if store.database:
        extensions = list(store.postgres.extensions)
        found.append({"name": store.database, "owner": own, "extensions": extensions})
    found += [
        {"name": d.name, "owner": d.owner or own, "extensions": list(d.extensions)}
        for d in store.postgres.databases
    ]
    return found


def roles(store: Store) -> list[dict[str, Any]]:
    """All roles that log in; C(secret) is the name of a secret."""
    if store.postgres is None:
        return []
    found = [
        {
            "name": r.name,
            "secret": r.password,
            "attributes": list(r.attributes),
            "member_of": list(r.member_of),
        }
        for r in store.postgres.roles
    ]
    if store.username and store.password:
        own = {"name": store.username, "secret": store.password, "attributes": [], "member_of": []}
        found.insert(0, own)
    return found


def settings(
    machine: Mapping[str, Any], extra: Mapping[str, Any], replication: Mapping[str, Any]
) -> dict[str, str]:
    """All settings of the include file; what is described by name wins.

    C(machine) are the fields of L(tuning.Machine); C(replication) has C(peers), C(synchronous) and
    C(slot_limit).
    """
    found = {**COMMON, **tuning.tune(tuning.Machine(**dict(machine)))}
    peers = [slot_name(str(peer)) for peer in replication.get("peers") or []]
    found["max_wal_senders"] = found["max_replication_slots"] = str(max(10, 3 * len(peers)))
    # pg_rewind needs checksums or this; it costs one full page at the first hint of a page.
    found["wal_log_hints"] = "on"
    found["wal_level"] = "replica"
    found["hot_standby"] = "on"
    found["max_slot_wal_keep_size"] = tuning.size(int(replication.get("slot_limit") or 0))
    names = f"ANY 1 ({', '.join(peers)})" if replication.get("synchronous") and peers else ""
    found["synchronous_standby_names"] = names
    return {**found, **{str(k): str(v) for k, v in extra.items()}}
