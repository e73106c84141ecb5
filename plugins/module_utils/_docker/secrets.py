# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secret files for containers: written for one user, found again by a keyed hash.

A container gets its secrets as files below C(/run/secrets); variables that hold a secret are kept
beside them in one file that only root can read, so that a container can be made again later without
the controller. The hash is keyed with a random key of this host: it tells that a secret changed and
cannot be used to guess it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
from collections.abc import Collection, Mapping
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import ServiceSpec
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    ensure_directory,
    write_atomic,
)

ENVIRONMENT = ".environment.json"
_REFERENCE = re.compile(r"\$\{secret:([A-Za-z0-9_-]+)\}")


def names_used(spec: ServiceSpec) -> list[str]:
    """Names of all secrets the container sees, as files or in its environment."""
    found = {use.secret for use in spec.secrets}
    for value in spec.env.values():
        found.update(_REFERENCE.findall(value))
    return sorted(found)


def files_of(spec: ServiceSpec, values: Mapping[str, str]) -> dict[str, str]:
    """File name to content."""
    return {use.file: values[use.secret] for use in spec.secrets if use.file}


def environment_of(spec: ServiceSpec, values: Mapping[str, str]) -> dict[str, str]:
    """The variables that hold a secret, resolved."""
    found = {use.env: values[use.secret] for use in spec.secrets if use.env}
    for key, value in spec.env.items():
        if _REFERENCE.search(value):
            found[key] = _REFERENCE.sub(lambda match: values[match.group(1)], value)
    return found


def owner_of(user: str) -> Optional[tuple[int, int]]:
    """C("1001:1001") as numbers; nothing for names, which only the image can resolve."""
    uid, _colon, gid = user.partition(":")
    if not uid.isdigit() or (gid and not gid.isdigit()):
        return None
    return int(uid), int(gid or uid)


def directory_name(fingerprint: str, config_hash: str) -> str:
    """The directory of one spec with one set of values; both are on the container's labels."""
    return f"{fingerprint or 'plain'}-{config_hash}"


class SecretFiles:
    """The directory C(secrets) of the platform on this host."""

    def __init__(self, directory: str) -> None:
        self.root = os.path.join(directory, "secrets")

    def fingerprint(self, used: Collection[str], values: Mapping[str, str], create: bool) -> str:
        """A keyed hash of the values of C(used); empty when nothing is used.

        Without a key and with C(create=False) (check mode on a fresh host) the answer is C("new").
        """
        missing = sorted(name for name in used if name not in values)
        if missing:
            raise MainstayError(
                "secrets have no value",
                subject="secrets",
                found="no " + ", ".join(missing),
                expected="a value for each secret the services use",
                next_step="add them to platform_secrets (Vault, a lookup, the environment)",
            )
        if not used:
            return ""
        key = self._key(create)
        if key is None:
            return "new"
        text = json.dumps({name: values[name] for name in used}, sort_keys=True)
        return hmac.new(key, text.encode("utf-8"), hashlib.sha256).hexdigest()[:32]

    def write(
        self,
        name: str,
        files: Mapping[str, str],
        environment: Mapping[str, str],
        owner: Optional[tuple[int, int]],
    ) -> None:
        """Write the files of one container kind below C(name)."""
        target = self.directory(name)
        ensure_directory(self.root)
        ensure_directory(target)
        for file, content in files.items():
            path = os.path.join(target, file)
            # Only root can enter the directories above, so a file that a container user with an
            # unknown number must read may be readable by all.
            write_atomic(path, content.encode("utf-8"), 0o400 if owner else 0o444)
            if owner:
                os.chown(path, *owner)
        text = json.dumps(dict(environment), sort_keys=True)
        write_atomic(os.path.join(target, ENVIRONMENT), text.encode("utf-8"), 0o400)

    def directory(self, name: str) -> str:
        """Where the files of C(name) are."""
        return os.path.join(self.root, name)

    def environment(self, name: str) -> dict[str, str]:
        """The variables kept for C(name)."""
        path = os.path.join(self.directory(name), ENVIRONMENT)
        try:
            with open(path, encoding="utf-8") as handle:
                found: dict[str, str] = json.load(handle)
                return found
        except FileNotFoundError as error:
            raise MainstayError(
                "the secrets of this release are gone from the host",
                subject=path,
                expected="the file written when the release was staged",
                next_step="deploy the wanted version with deploy.yml instead of going back to it",
            ) from error

    def prune(self, keep: Collection[str]) -> list[str]:
        """Remove the directories that no container needs any more; their names."""
        if not os.path.isdir(self.root):
            return []
        gone = sorted(
            n for n in os.listdir(self.root) if n not in keep and os.path.isdir(self.directory(n))
        )
        for name in gone:
            shutil.rmtree(self.directory(name))
        return gone

    def _key(self, create: bool) -> Optional[bytes]:
        path = os.path.join(self.root, ".key")
        try:
            with open(path, "rb") as handle:
                return handle.read()
        except FileNotFoundError:
            if not create:
                return None
        ensure_directory(self.root)
        write_atomic(path, secrets.token_bytes(32), 0o600)
        with open(path, "rb") as handle:
            return handle.read()
