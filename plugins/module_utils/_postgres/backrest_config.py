# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of pgBackRest, and what the timers of a host work with. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Backup,
    Platform,
    Store,
)

#: The largest value it takes: nothing expires unless it is named, because pgBackRest counts backups
#: and not what was verified.
NEVER = "9999999"
LOCAL = {"name": "local", "kind": "local", "path": "/var/lib/pgbackrest"}
#: Where the role puts the authorities of repositories.
AUTHORITIES = "/etc/mainstay/postgres"


def repositories(platform: Platform, store: Store) -> list[dict[str, Any]]:
    """The repositories of a store in order, numbered from 1 as pgBackRest does."""
    if store.backup is None:
        return []
    known = {item.name: item for item in platform.repositories}
    found: list[dict[str, Any]] = []
    for number, name in enumerate(store.backup.repositories, 1):
        if name not in known:
            raise MainstayError(
                "no such repository", subject=name, expected=", ".join(known) or "a description"
            )
        kept = kept_days(store.backup)
        found.append({**vars(known[name]), "number": number, "kept_days": kept})
    return found or [{**LOCAL, "number": 1}]


def kept_days(policy: Backup) -> int:
    """Days that the longest-kept backup of a policy stays; months of 31 days."""
    return max(policy.retention_days, 7 * policy.retention_weeks, 31 * policy.retention_months)


def render(
    cluster: Mapping[str, Any],
    found: Sequence[Mapping[str, Any]],
    secrets: Mapping[str, str],
) -> str:
    """C(pgbackrest.conf) for one cluster: C(stanza), C(data_directory), C(port), C(jobs)."""
    lines = [
        "[global]",
        "archive-async=y",
        "archive-timeout=60",
        "compress-level=3",
        "compress-type=zst",
        "db-timeout=1800",
        "delta=y",
        "expire-auto=n",
        "io-timeout=60",
        "log-level-console=warn",
        "log-level-file=detail",
        "log-path=/var/log/pgbackrest",
        f"process-max={int(cluster['jobs'])}",
        "protocol-timeout=1860",
        "spool-path=/var/spool/pgbackrest",
        "start-fast=y",
    ]
    for item in found:
        lines += _repository(item, secrets)
    lines += [
        "",
        f"[{cluster['stanza']}]",
        f"pg1-path={cluster['data_directory']}",
        f"pg1-port={cluster['port']}",
        "pg1-socket-path=/var/run/postgresql",
        "pg1-user=postgres",
    ]
    return "\n".join(lines) + "\n"


def _repository(item: Mapping[str, Any], secrets: Mapping[str, str]) -> list[str]:
    prefix = f"repo{item['number']}"
    lines = [f"{prefix}-path={item['path']}", f"{prefix}-retention-full={NEVER}"]
    if item["kind"] == "local":
        return lines
    missing = [item[key] for key in ("access_key", "secret_key") if item[key] not in secrets]
    if missing:
        raise MainstayError(
            "a key of a repository has no value",
            subject=f"repository {item['name']}",
            found=f"no secret {', '.join(map(str, missing))}",
            next_step="add it to platform_secrets",
        )
    host, _colon, port = str(item["endpoint"]).partition(":")
    lines += [
        f"{prefix}-type=s3",
        f"{prefix}-s3-bucket={item['bucket']}",
        f"{prefix}-s3-endpoint={host}",
        f"{prefix}-s3-key={secrets[str(item['access_key'])]}",
        f"{prefix}-s3-key-secret={secrets[str(item['secret_key'])]}",
        f"{prefix}-s3-region={item['region']}",
        f"{prefix}-s3-uri-style={'path' if item['path_style'] else 'host'}",
        f"{prefix}-storage-verify-tls=y",
    ]
    lines += [f"{prefix}-storage-port={port}"] if port else []
    lines += [f"{prefix}-storage-ca-file={authority(item)}"] if item.get("ca") else []
    return lines


def authority(item: Mapping[str, Any]) -> str:
    """Where the authority of a repository is on the host."""
    return f"{AUTHORITIES}/{item['name']}-ca.crt"


def module_repository(item: Mapping[str, Any]) -> dict[str, Any]:
    """A repository as the modules take it."""
    local = item["kind"] == "local"
    return {
        "name": str(item["name"]),
        "number": int(item["number"]),
        **({"path": str(item["path"])} if local else {}),
        "protected": not local and bool(item.get("protected", True)),
        "kept_days": int(item.get("kept_days", 0)),
    }
