# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL on hosts, and the places its backups go to, as dataclasses.

Units are those of C(types.py): sizes are bytes. Passwords and keys are names of secrets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional


@dataclass(frozen=True)
class Repository:
    """A place for backups; C(kind) is C(local) or C(s3)."""

    name: str
    kind: str = "local"
    path: str = "/var/lib/pgbackrest"
    endpoint: Optional[str] = None
    bucket: Optional[str] = None
    region: str = "us-east-1"
    access_key: Optional[str] = None
    secret_key: Optional[str] = None
    ca: Optional[str] = None
    path_style: bool = False
    protected: bool = True


@dataclass(frozen=True)
class Database:
    """A database; without an owner it is the store's user's."""

    name: str
    owner: Optional[str] = None
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Role:
    """A role that may log in with the secret C(password)."""

    name: str
    password: str
    attributes: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tuning:
    """What settings are worked out from; zero means: as the host has it."""

    memory: int = 0
    cores: int = 0
    storage: str = "ssd"
    workload: str = "web"
    connections: int = 200


@dataclass(frozen=True)
class Pooler:
    """PgBouncer on the hosts of the store."""

    port: int = 6432
    mode: str = "transaction"
    size: int = 20
    max_clients: int = 1000


@dataclass(frozen=True)
class Postgres:
    """PostgreSQL on hosts. C(source) is C(debian) or C(pgdg), C(slot_limit) bytes of WAL."""

    source: str = "debian"
    cluster: str = "main"
    databases: tuple[Database, ...] = ()
    roles: tuple[Role, ...] = ()
    replication: Optional[str] = None
    extensions: tuple[str, ...] = ("pg_stat_statements",)
    tuning: Tuning = field(default_factory=Tuning)
    clients: tuple[str, ...] = ()
    synchronous: bool = False
    slot_limit: int = 4 * 1024**3
    pooler: Optional[Pooler] = None
