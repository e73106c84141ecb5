# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that survive a kill at any instant: written whole, synced, then renamed into place."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

#: Everything the collection keeps on a host lives below this directory, one directory a platform.
STATE_ROOT = "/var/lib/mainstay"


def ensure_directory(path: str, mode: int = 0o700) -> None:
    """Create C(path) and its parents when missing; C(mode) is for the last one when created."""
    if not os.path.isdir(path):
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)


def write_atomic(path: str, data: bytes, mode: int = 0o600) -> None:
    """Replace C(path) by C(data): a reader sees the old bytes or the new ones, never a mixture."""
    directory = os.path.dirname(path)
    ensure_directory(directory)
    descriptor, temporary = tempfile.mkstemp(prefix=".mainstay-", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(data)
            handle.flush()
            os.fchmod(handle.fileno(), mode)
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_directory(directory)


def sync_directory(path: str) -> None:
    """Make a rename in C(path) durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: str, document: Any, mode: int = 0o600) -> None:
    """Write C(document) as sorted, indented JSON with L(write_atomic)."""
    text = json.dumps(document, indent=2, sort_keys=True) + "\n"
    write_atomic(path, text.encode("utf-8"), mode)


def read_json(path: str) -> Any:
    """The document in C(path), or C(None) when there is no such file."""
    try:
        with open(path, encoding="utf-8") as handle:
            return json.load(handle)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise MainstayError(
            "the file is not valid JSON",
            subject=path,
            found=str(error),
            expected="a JSON document written by this collection",
            next_step=f"move {path} aside and run again; nothing was changed",
        ) from error


@contextlib.contextmanager
def exclusive(path: str) -> Iterator[None]:
    """Hold an advisory lock on C(path) (created when missing) for the length of the block."""
    ensure_directory(os.path.dirname(path))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
