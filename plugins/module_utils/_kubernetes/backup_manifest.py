# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one backup of a platform in a cluster is: its parts with their checksums. Pure.

C(<prefix>/<platform>/<label>/manifest.json) is written last; without it there is no backup.
C(verified.json) beside it says that every part was read back and found whole.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_seal import Keys
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.retention import (
    Plan,
    Policy,
    plan_retention,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    FULL,
    Backup,
)

FORMAT = 1
MANIFEST, VERIFIED = "manifest.json", "verified.json"
OBJECTS, ROLES, POSTGRES, REDIS = "objects", "roles", "postgres", "redis"
LABEL = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")
SEALED, REFERENCES = "sealed", "references"


@dataclass(frozen=True)
class Part:
    """One object of the backup: sizes in bytes, checksums SHA-256 of what it holds and of what is
    stored. C(facts) are what a restore compares with: rows by table, keys, versions."""

    name: str
    kind: str
    store: str = ""
    database: str = ""
    size: int = 0
    sha256: str = ""
    stored_size: int = 0
    stored_sha256: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """One backup. C(sequence) counts the backups of a platform, whatever clocks say."""

    label: str
    platform: str
    namespace: str
    started: str
    finished: str
    sequence: int
    release_id: str = ""
    cluster: str = ""
    secrets: str = SEALED
    salt: str = ""
    parts: tuple[Part, ...] = ()
    left_out: tuple[str, ...] = ()
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes in the repository."""
        return sum(part.stored_size for part in self.parts)

    def part(self, kind: str, store: str = "") -> Optional[Part]:
        """The part of a kind and a store."""
        return next((p for p in self.parts if p.kind == kind and p.store == store), None)

    @property
    def stores(self) -> tuple[str, ...]:
        """Names of the stores that are in it."""
        return tuple(p.store for p in self.parts if p.kind in (POSTGRES, REDIS))


@dataclass(frozen=True)
class Listed:
    """A backup in a repository: with its manifest, or with what is wrong with it."""

    label: str
    manifest: Optional[Manifest] = None
    verified: Optional[bool] = None
    verified_at: str = ""
    problem: str = ""


def label_of(moment: datetime, chance: str) -> str:
    """C(20261121T020000Z-1a2b3c): two backups within a second have two labels."""
    return f"{moment.astimezone(timezone.utc):%Y%m%dT%H%M%SZ}-{chance[:6]}"


def write(manifest: Manifest, keys: Optional[Keys]) -> bytes:
    """The document, with a mark that nobody without the key can make."""
    body = encode(manifest)
    mark = keys.sign(_canonical(body)) if keys else ""
    return json.dumps({"manifest": body, "mark": mark}, sort_keys=True, indent=1).encode("utf-8")


def _canonical(body: Any) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode("utf-8")


def read(data: bytes, name: str) -> tuple[Manifest, str, bytes]:
    """(manifest, mark, what the mark is over). MainstayError names the object."""
    try:
        document = json.loads(data)
        body, mark = document["manifest"], str(document["mark"])
        manifest = decode(Manifest, body, name)
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise _unreadable(name, type(error).__name__) from error
    if manifest.format != FORMAT:
        raise _unreadable(name, f"format {manifest.format}")
    if not LABEL.fullmatch(manifest.label) or f"/{manifest.label}/" not in f"/{name}":
        raise _unreadable(name, f"the label {manifest.label[:40]!r}")
    return manifest, mark, _canonical(body)


def _unreadable(name: str, found: str) -> MainstayError:
    return MainstayError(
        "the manifest of the backup cannot be read",
        subject=name,
        found=found,
        expected=f"what k8s_backup writes (format {FORMAT})",
        next_step="use another backup: k8s_backup_info lists them",
    )


def check_key(manifest: Manifest, mark: str, body: bytes, keys: Optional[Keys], name: str) -> None:
    """Refuse a key that is missing, superfluous or wrong, and a manifest that was changed."""
    if manifest.salt and keys is None:
        raise MainstayError(
            "the backup is sealed, and no encryption key is given",
            subject=name,
            found="no encryption_key",
            expected="the key that the backup was made with",
            next_step="set encryption_key; nothing was changed",
        )
    if not manifest.salt and keys is not None:
        raise MainstayError(
            "an encryption key is given, and the backup is not sealed",
            subject=name,
            found="a manifest without a mark; anybody who can write to the bucket can make one",
            expected="a sealed backup",
            next_step="leave encryption_key out when you trust this backup; nothing was changed",
        )
    if keys is not None and not keys.signed(body, mark):
        raise MainstayError(
            "the encryption key is not that of the backup, or its manifest was changed",
            subject=name,
            found="a mark that this key does not make",
            expected="the key that the backup was made with",
            next_step="look for the right key, or use another backup; nothing was changed",
        )


def verified_document(manifest: bytes, moment: str, problems: Sequence[str]) -> bytes:
    """What C(verified.json) says, about exactly this manifest."""
    document = {
        "manifest": hashlib.sha256(manifest).hexdigest(),
        "moment": moment,
        "whole": not problems,
        "problems": list(problems),
    }
    return json.dumps(document, sort_keys=True, indent=1).encode("utf-8")


def verified_of(data: Optional[bytes], manifest: bytes) -> tuple[Optional[bool], str]:
    """(whole or not, when), or nothing when it was not read back or speaks of another manifest."""
    if data is None:
        return None, ""
    try:
        document = json.loads(data)
        if document["manifest"] != hashlib.sha256(manifest).hexdigest():
            return None, ""
        return bool(document["whole"]), str(document["moment"])
    except (ValueError, KeyError, TypeError):
        return None, ""


def expiring(listed: Sequence[Listed], policy: Policy) -> Plan:
    """What goes and what stays, by the rules of every other backup: from verified ones only."""
    known = [_as_backup(entry.manifest) for entry in listed if entry.manifest is not None]
    whole = {e.label: e.verified for e in listed if e.verified is not None}
    return plan_retention(known, whole, policy)


def _as_backup(manifest: Manifest) -> Backup:
    """Every one is a full one; the sequence stands for the place in the log."""
    place = f"0/{manifest.sequence:X}"
    return Backup(
        label=manifest.label,
        kind=FULL,
        started=moment_of(manifest.started),
        stopped=moment_of(manifest.finished),
        size=manifest.size,
        repository_size=manifest.size,
        wal_start="0" * 7 + "1" + "0" * 16,
        wal_stop="0" * 7 + "1" + "0" * 16,
        lsn_start=place,
        lsn_stop=place,
        system_identifier="",
        version="",
    )


def moment_of(text: str) -> datetime:
    """A time as manifests hold it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def stamp(moment: datetime) -> str:
    """C(2026-11-21T02:00:00Z)."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def choose(listed: Sequence[Listed], wanted: str, platform: str) -> Listed:
    """The backup of this label, or the newest verified one."""
    usable = [e for e in listed if e.manifest is not None and (wanted or e.verified)]
    if wanted:
        named = next((e for e in listed if e.label == wanted), None)
        if named is not None and named.problem:
            raise MainstayError(
                "the backup cannot be used",
                subject=wanted,
                found=named.problem,
                next_step="use another backup: k8s_backup_info lists them; nothing was changed",
            )
        usable = [e for e in usable if e.label == wanted]
    if not usable:
        raise MainstayError(
            "there is no such backup" if wanted else "there is no verified backup",
            subject=f"platform {platform}",
            found=", ".join(e.label for e in listed[:10]) or "no backup at all",
            expected=wanted or "one that was read back and found whole",
            next_step="k8s_backup_info lists the backups; nothing was changed",
        )
    return max(usable, key=lambda e: e.manifest.sequence if e.manifest else 0)
