# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the description to the arguments of backups and restores in a cluster. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_stores import (
    KINDS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Store,
)


def backup_options(
    platform: Platform, secrets: Mapping[str, str], only: str = ""
) -> dict[str, Any]:
    """C(repository), C(stores), C(retention), and C(left_out) with the reason of each."""
    stores, left_out = [], []
    for store in platform.stores:
        reason = _reason(store)
        if reason:
            left_out.append(f"{store.name}: {reason}")
        elif only in ("", store.name):
            stores.append(_store(store))
    if only and only not in {s["name"] for s in stores}:
        raise MainstayError(
            "the store has no backups in the cluster",
            subject=f"restore_store {only}",
            found="; ".join(left_out) or "no such store",
            expected=", ".join(s.name for s in platform.stores if not _reason(s)) or "a store",
            next_step="name another store; nothing was changed",
        )
    policies = [s.backup for s in platform.stores if s.backup and not _reason(s)]
    days = max((p.retention_days for p in policies), default=30)
    weeks = max((p.retention_weeks for p in policies), default=8)
    months = max((p.retention_months for p in policies), default=12)
    return {
        "repository": _repository(platform, secrets),
        "stores": stores,
        "retention": {"daily": days, "weekly": weeks, "monthly": months},
        "left_out": left_out,
    }


def _reason(store: Store) -> str:
    """Why a store has no backup here; empty when it has one."""
    if store.mode != "kubernetes":
        return f"it is {store.mode}, not in the cluster"
    if store.backup is None:
        return "its policy says that it needs no backup"
    if store.kind not in KINDS:
        return f"{store.kind} is backed up by its own jobs"
    if store.kubernetes.shards:
        return "a Redis Cluster has no dump of one moment"
    return ""


def _store(store: Store) -> dict[str, Any]:
    found: dict[str, Any] = {"name": store.name, "kind": store.kind}
    if store.kind == "postgres":
        found["username"] = store.username or "postgres"
        found["database"] = store.database or found["username"]
    return found


def _repository(platform: Platform, secrets: Mapping[str, str]) -> dict[str, Any]:
    """The first bucket that a store in the cluster names, or the first one that is described."""
    known = {r.name: r for r in platform.repositories if r.kind == "s3"}
    named = [n for s in platform.stores if s.backup for n in s.backup.repositories if n in known]
    chosen = next(iter([*named, *known]), "")
    if not chosen:
        raise MainstayError(
            "backups of a cluster need a bucket",
            subject="platform_repositories",
            found=", ".join(r.name for r in platform.repositories) or "nothing",
            expected="a repository of kind s3",
            next_step="describe one; nothing was changed",
        )
    found = known[chosen]
    options = {
        "bucket": found.bucket,
        "prefix": found.path.strip("/") + "/kubernetes",
        "endpoint": found.endpoint,
        "region": found.region,
        "access_key": _value(secrets, found.access_key),
        "secret_key": _value(secrets, found.secret_key),
        "ca": found.ca,
        "path_style": found.path_style,
    }
    return {key: value for key, value in options.items() if value is not None}


def _value(secrets: Mapping[str, str], name: Optional[str]) -> Optional[str]:
    if name is None:
        return None
    if name not in secrets:
        raise MainstayError(
            "a secret of the repository has no value",
            subject=f"platform_secrets.{name}",
            found="nothing",
            expected="the key of the bucket",
            next_step="set it; nothing was changed",
        )
    return str(secrets[name])
