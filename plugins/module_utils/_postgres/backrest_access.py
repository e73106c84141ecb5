# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a repository of a C(pgbackrest.conf) is, and the quickest way to read it."""

from __future__ import annotations

import configparser
import contextlib
import glob
import os
from dataclasses import dataclass
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.bucket import Bucket
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import mask

#: Signs of an error of the archive command that are shown.
SHOWN = 300


@dataclass(frozen=True)
class Access:
    """Which repository of which configuration."""

    config: str
    stanza: str
    number: int


class Options:
    """The options of one repository, as pgBackRest would find them in the file."""

    def __init__(self, access: Access) -> None:
        self._sections = (access.stanza, "global")
        self._prefix = f"repo{access.number}-"
        self._parser = configparser.RawConfigParser(strict=False)
        try:
            with open(access.config, encoding="utf-8") as handle:
                self._parser.read_string(handle.read())
        except (OSError, configparser.Error) as error:
            # The words of a parser quote the line, and a line may hold a key.
            found = error.strerror if isinstance(error, OSError) else type(error).__name__
            raise MainstayError(
                "the configuration of pgBackRest cannot be read",
                subject=access.config,
                found=str(found),
                expected="a configuration with a section for the stanza",
                next_step="apply the role postgres_backup to this host",
            ) from None

    def get(self, name: str, default: str = "") -> str:
        """The option of the repository called C(name)."""
        return self.plain(self._prefix + name, default)

    def plain(self, name: str, default: str = "") -> str:
        """The option called C(name), which is of no repository."""
        for section in self._sections:
            if self._parser.has_option(section, name):
                return self._parser.get(section, name).strip()
        return default


def local_directory(access: Access) -> str:
    """The directory of a repository that is one on this host, empty otherwise."""
    options = Options(access)
    plain = options.get("type", "posix") == "posix" and not options.get("host")
    return options.get("path", "/var/lib/pgbackrest") if plain else ""


def bucket_of(access: Access) -> Optional[Bucket]:
    """The bucket of a repository whose keys are in the file; none for any other repository."""
    options = Options(access)
    keys = options.get("s3-key-type", "shared") == "shared" and options.get("s3-key")
    if options.get("type", "posix") != "s3" or options.get("host") or not keys:
        return None
    host, _colon, port = options.get("s3-endpoint").partition(":")
    return Bucket(
        host=host,
        port=int(options.get("storage-port") or port or 443),
        name=options.get("s3-bucket"),
        region=options.get("s3-region"),
        access_key=options.get("s3-key"),
        secret_key=options.get("s3-key-secret"),
        token=options.get("s3-token"),
        path_style=options.get("s3-uri-style", "host") == "path",
        root=options.get("path", "/var/lib/pgbackrest"),
        ca_file=options.get("storage-ca-file"),
        verify=options.get("storage-verify-tls", "y") == "y",
        connect=options.get("storage-host"),
    )


def encrypted(access: Access) -> bool:
    """Whether pgBackRest itself encrypts the repository."""
    return Options(access).get("cipher-type", "none") != "none"


def spooled_error(access: Access) -> str:
    """What the asynchronous archive command left about the oldest segment that it cannot store.

    Its files are C(<segment>.error) and, for all segments, C(global.error): a code in the first
    line, the words behind it. Empty when there is none, as always without C(archive-async).
    """
    spool = Options(access).plain("spool-path", "/var/spool/pgbackrest")
    pattern = os.path.join(spool, "archive", access.stanza, "out", "*.error")
    for path in sorted(glob.glob(pattern)):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as handle:
            words = [line.strip() for line in handle.read(4096).splitlines()[1:]]
            return mask("; ".join(word for word in words if word))[:SHOWN]
    return ""
