# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checked variables about PostgreSQL on hosts to the dataclasses of types_postgres.py. Pure."""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform import units
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_postgres import (
    Database,
    Pooler,
    Postgres,
    Repository,
    Role,
    Tuning,
)


def repository(name: str, raw: dict[str, Any]) -> Repository:
    """One place for backups."""
    return Repository(name=name, **raw)


def postgres(raw: Optional[dict[str, Any]]) -> Postgres:
    """PostgreSQL on hosts, with its defaults."""
    raw = raw or {}
    found: dict[str, Any] = {
        key: raw[key] for key in ("source", "cluster", "synchronous", "replication") if key in raw
    }
    for key in ("extensions", "clients"):
        if key in raw:
            found[key] = tuple(raw[key])
    if "slot_limit" in raw:
        found["slot_limit"] = units.size(raw["slot_limit"])
    return Postgres(
        databases=tuple(_database(item) for item in raw.get("databases") or []),
        roles=tuple(_role(name, item) for name, item in (raw.get("roles") or {}).items()),
        tuning=_tuning(raw.get("tuning") or {}),
        pooler=None if raw.get("pooler") is None else Pooler(**raw["pooler"]),
        **found,
    )


def _database(raw: dict[str, Any]) -> Database:
    return Database(raw["name"], raw.get("owner"), tuple(raw.get("extensions") or ()))


def _role(name: str, raw: dict[str, Any]) -> Role:
    return Role(
        name,
        raw["password"],
        tuple(raw.get("attributes") or ()),
        tuple(raw.get("member_of") or ()),
    )


def _tuning(raw: dict[str, Any]) -> Tuning:
    return Tuning(**{**raw, "memory": units.size(raw.get("memory", 0))})
