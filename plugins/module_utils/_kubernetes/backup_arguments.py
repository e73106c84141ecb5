# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that the modules of backup, restore and restart share, and how they are read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import naming
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_bucket import (
    Bucket,
    open_bucket,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_catalog import (
    Repository,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_manifest import (
    LABEL,
    REFERENCES,
    SEALED,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_seal import (
    LEAST_KEY,
    key_problem,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_stores import (
    KINDS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    Parent,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_store_kinds import (  # noqa: E501
    SECRETS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.retention import Policy

REPOSITORY: dict[str, Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "bucket": {"type": "str", "required": True},
        "prefix": {"type": "str", "default": ""},
        "endpoint": {"type": "str"},
        "region": {"type": "str", "default": "us-east-1"},
        "access_key": {"type": "str", "no_log": True},
        "secret_key": {"type": "str", "no_log": True},
        "ca": {"type": "path"},
        "path_style": {"type": "bool", "default": False},
    },
}
WHERE: dict[str, Any] = {
    "platform": {"type": "str", "required": True},
    "repository": REPOSITORY,
    "encryption_key": {"type": "str", "no_log": True},
}
STORES: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "name": {"type": "str", "required": True},
        "kind": {"type": "str", "required": True, "choices": list(KINDS)},
        "statefulset": {"type": "str"},
        "container": {"type": "str"},
        "username": {"type": "str"},
        "database": {"type": "str"},
        "port": {"type": "int"},
        "password_file": {"type": "str", "default": f"{SECRETS}/password", "no_log": False},
    },
}
RETENTION: dict[str, Any] = {
    "type": "dict",
    "default": {},
    "options": {
        "daily": {"type": "int", "default": 30},
        "weekly": {"type": "int", "default": 8},
        "monthly": {"type": "int", "default": 12},
        "yearly": {"type": "int", "default": 0},
        "floor": {"type": "int", "default": 2},
    },
}
BACKUP: dict[str, Any] = {
    "namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "verified", "expired"], "default": "present"},
    "backup": {"type": "str"},
    "stores": STORES,
    "secrets": {"type": "str", "choices": [SEALED, REFERENCES], "default": SEALED},
    "retention": RETENTION,
    "fence": {"type": "int"},
    "timeout": {"type": "float", "default": 3600.0},
    **WHERE,
}
INFO: dict[str, Any] = {
    "max_age": {"type": "float"},
    "request_timeout": {"type": "float", "default": 30.0},
    **WHERE,
}
RESTORE: dict[str, Any] = {
    "namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "undone"], "default": "present"},
    "backup": {"type": "str"},
    "restore_id": {"type": "str", "required": True},
    "objects": {"type": "bool", "default": False},
    "stores": STORES,
    "checks": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "store": {"type": "str", "required": True},
            "sql": {"type": "str", "required": True},
        },
    },
    "confirm": {"type": "str"},
    "fence": {"type": "int", "default": 0},
    "timeout": {"type": "float", "default": 3600.0},
    **WHERE,
}
RESTART: dict[str, Any] = {
    "platform": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "services": {"type": "list", "elements": "str", "default": []},
    "restart_id": {"type": "str", "required": True},
    "fence": {"type": "int", "default": 0},
    "timeout": {"type": "float", "default": 300.0},
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def lasting(seconds: Any) -> bool:
    """Whether it is a number of seconds to wait for; C(nan) and infinity are none."""
    return math.isfinite(float(seconds)) and float(seconds) > 0


def repository_from(params: Mapping[str, Any], bucket: Optional[Bucket] = None) -> Repository:
    """The repository, or one error that names every problem of the arguments about it."""
    given = params["repository"]
    problems = _where_problems(params)
    if problems:
        raise wrong(problems)
    return Repository(
        bucket if bucket is not None else open_bucket(params),
        str(given.get("prefix") or ""),
        str(params["platform"]),
        str(params.get("encryption_key") or ""),
    )


def _where_problems(params: Mapping[str, Any]) -> list[str]:
    problems = []
    if not _NAME.fullmatch(str(params["platform"])):
        problems.append(f"platform: found {params['platform']!r}, expected <name>-<stage>")
    problems += _bucket_problems(params["repository"])
    key, endpoint = params.get("encryption_key"), str(params["repository"].get("endpoint") or "")
    if endpoint.startswith("http://") and not key:
        problems.append("repository.endpoint: http:// without encryption_key; use https://")
    if key is not None and key_problem(str(key)):
        problems.append(f"encryption_key: {key_problem(str(key))} (not shown)")
    if params.get("namespace") is not None and (text := naming.label(params["namespace"])):
        problems.append(f"namespace: {text}")
    label = params.get("backup")
    if label and not LABEL.fullmatch(str(label)):
        problems.append(f"backup: found {label!r}, expected such as 20261121T020000Z-1a2b3c")
    if params.get("timeout") is not None and not lasting(params["timeout"]):
        problems.append(f"timeout: found {params['timeout']}, expected seconds")
    return problems


def _bucket_problems(given: Mapping[str, Any]) -> list[str]:
    problems = []
    if not _BUCKET.fullmatch(str(given.get("bucket"))):
        found = given.get("bucket")
        problems.append(f"repository.bucket: found {found!r}, expected the name of a bucket")
    prefix = str(given.get("prefix") or "").strip("/")
    if prefix and any(part in ("", ".", "..") for part in prefix.split("/")):
        problems.append(f"repository.prefix: found {prefix!r}, expected names with / between")
    if not re.fullmatch(r"[A-Za-z0-9/._-]*", prefix):
        problems.append("repository.prefix: expected letters, digits and / . _ -")
    endpoint = str(given.get("endpoint") or "")
    if endpoint and not re.fullmatch(r"(https?://)?[A-Za-z0-9.\[\]:-]+", endpoint):
        problems.append(f"repository.endpoint: found {endpoint!r}, expected a host or an address")
    for one, other in (("access_key", "secret_key"), ("secret_key", "access_key")):
        if given.get(one) and not given.get(other):
            problems.append(f"repository.{other}: missing, although {one} is there")
    return problems


def policy_from(params: Mapping[str, Any]) -> Policy:
    """The retention. The window of the write-ahead log is one day: there is none here."""
    given = {k: v for k, v in (params.get("retention") or {}).items() if v is not None}
    policy = Policy(
        daily=int(given.get("daily", 30)),
        weekly=int(given.get("weekly", 8)),
        monthly=int(given.get("monthly", 12)),
        yearly=int(given.get("yearly", 0)),
        floor=int(given.get("floor", 2)),
        wal_days=0,
    )
    if policy.problems():
        raise wrong(policy.problems())
    return policy


def sealing_problems(params: Mapping[str, Any]) -> list[str]:
    """Values of Secrets never lie in a bucket as they are."""
    if params.get("secrets") == SEALED and not params.get("encryption_key"):
        needed = f"secrets={SEALED} needs one of at least {LEAST_KEY} characters"
        return [f"encryption_key: missing; {needed}, secrets={REFERENCES} leaves the values out"]
    return []


def check_fence(fence: int, parent: Parent) -> None:
    """Refuse a run that lost its lock."""
    if fence < parent.fence:
        raise MainstayError(
            "this run does not hold the lock of the platform; nothing was changed",
            subject=f"platform {parent.platform}",
            found=f"fencing counter {fence} of this run, {parent.fence} in the cluster",
            expected=f"a counter of at least {parent.fence}",
            next_step="use the playbook, which takes the lock; status.yml shows who holds it",
        )


def id_problems(name: str, text: Any) -> list[str]:
    """Ids of runs, as the flow makes them."""
    if LABEL.fullmatch(str(text)):
        return []
    return [f"{name}: found {text!r}, expected such as 20261121T020000Z-1a2b3c"]


def wrong(problems: list[str]) -> MainstayError:
    """All problems of the arguments at once."""
    return MainstayError(
        f"{len(problems)} problems in the arguments; nothing was changed",
        evidence=tuple(problems),
        next_step="mend the arguments, then run again",
    )
