# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger and the lock as files on the first edge host: I/O and nothing else."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Callable
from typing import Any, Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    STATE_ROOT,
    exclusive,
    read_json,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.entry import newest_first
from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import (
    LockState,
    first_fence,
)

#: An entry, or nothing -> the entry as it shall be.
Change = Callable[[Optional[dict[str, Any]]], dict[str, Any]]


class Store(Protocol):
    """Where lock and ledger of a platform are; the rules do not know which one it is."""

    def now(self) -> datetime.datetime:
        """The clock that judges leases."""

    def guard(self, *, check_mode: bool = False) -> contextlib.AbstractContextManager[None]:
        """Hold this while lock or entries are read and written back."""

    def check_fence(self, fence: int, *, remember: bool = True) -> None:
        """Refuse a counter that is lower than the highest one seen."""

    def remember_fence(self, fence: int) -> None:
        """Refuse every lower counter from now on."""

    def lock_state(self) -> LockState:
        """The lock as it is."""

    def write_lock(self, state: LockState) -> None:
        """Replace the lock."""

    def entry(self, release_id: str) -> Optional[dict[str, Any]]:
        """One entry, or nothing."""

    def amend(
        self, release_id: str, change: Change, *, check_mode: bool = False
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """One entry before and after C(change), which gets nothing when there is none.

        Inside L(guard). No write of somebody else is lost: C(change) is asked again, with what is
        there then. Before a first entry there is an empty one.
        """

    def entries(self) -> tuple[list[dict[str, Any]], list[str]]:
        """All entries, newest first, and warnings about those that cannot be read."""

    def remove(self, release_id: str) -> None:
        """Remove one entry."""


class Ledger:
    """The records of one platform below C(root)/C(platform)."""

    def __init__(self, platform: str, root: str = STATE_ROOT) -> None:
        self.directory = os.path.join(root, platform)
        self.entries_directory = os.path.join(self.directory, "ledger")
        self.lock_path = os.path.join(self.directory, "lock.json")

    def now(self) -> datetime.datetime:
        """The host's clock; lease and ledger are on one host, so one clock judges both."""
        return datetime.datetime.now(tz=datetime.timezone.utc)

    def check_fence(self, fence: int, *, remember: bool = True) -> None:
        """Refuse a counter that is lower than the highest one that this host has seen."""
        # That module needs this class, for signs of life.
        from ansible_collections.mainstay.platform.plugins.module_utils._release import fence as of

        of.check_fence(self.directory, fence, remember=remember)

    def remember_fence(self, fence: int) -> None:
        """Refuse every lower counter on this host from now on."""
        from ansible_collections.mainstay.platform.plugins.module_utils._release import fence as of

        of.remember_fence(self.directory, fence)

    def guard(self, *, check_mode: bool = False) -> contextlib.AbstractContextManager[None]:
        """Hold this while lock file or entries are read and written back.

        Nothing is written in check mode, so nothing is held either: it would create a file.
        """
        if check_mode:
            return contextlib.nullcontext()
        return exclusive(os.path.join(self.directory, "ledger.lock"))

    def lock_state(self) -> LockState:
        """What the lock file holds."""
        data = read_json(self.lock_path)
        if data is None:
            # The clock may have been set back since: never below what this host refuses.
            seen = read_json(os.path.join(self.directory, "fence.json")) or {}
            return LockState(max(first_fence(self.now()), int(seen.get("fence") or 0)))
        return decode(LockState, data, self.lock_path)

    def write_lock(self, state: LockState) -> None:
        """Replace the lock file."""
        write_json(self.lock_path, encode(state))

    def path(self, release_id: str) -> str:
        """File of one entry; an id that is no file name is refused."""
        if not release_id or release_id != os.path.basename(release_id) or release_id[0] == ".":
            raise MainstayError(
                "not a release id",
                subject="release_id",
                found=release_id,
                expected="an id such as 20261121T061500Z-1a2b3c",
            )
        return os.path.join(self.entries_directory, f"{release_id}.json")

    def entry(self, release_id: str) -> Optional[dict[str, Any]]:
        """One entry, or nothing."""
        data: Optional[dict[str, Any]] = read_json(self.path(release_id))
        return data

    def amend(
        self, release_id: str, change: Change, *, check_mode: bool = False
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """See L(Store); the guard keeps everybody else out."""
        before = self.entry(release_id)
        after = change(before)
        if after != before and not check_mode:
            write_json(self.path(release_id), after)
        return before or {}, after

    def entries(self) -> tuple[list[dict[str, Any]], list[str]]:
        """All entries, newest first, and a warning for each file that could not be read.

        One broken file must not stop whoever is on call; it is named and passed over.
        """
        found: list[dict[str, Any]] = []
        warnings: list[str] = []
        if not os.path.isdir(self.entries_directory):
            return found, warnings
        for name in os.listdir(self.entries_directory):
            if not name.endswith(".json"):
                continue
            try:
                data = read_json(os.path.join(self.entries_directory, name))
                if not isinstance(data, dict) or data.get("id") != name[: -len(".json")]:
                    raise MainstayError("not an entry of this ledger", subject=name)
                found.append(data)
            except (MainstayError, OSError) as error:
                warnings.append(f"ledger file passed over: {str(error).splitlines()[0]}")
        return newest_first(found), sorted(warnings)

    def remove(self, release_id: str) -> None:
        """Remove one entry."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(release_id))
