# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fencing counter: a run that lost its lock can change nothing any more.

The lock hands out a counter that only grows. Every host remembers the highest one it has seen and
refuses a lower one, so a run that was paused, taken over and then wakes up is stopped at the host.
"""

from __future__ import annotations

import os

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    exclusive,
    read_json,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.heartbeat import beat


def check_fence(directory: str, fence: int, *, remember: bool = True) -> None:
    """Refuse C(fence) when C(directory) (the platform's state on this host) has seen a higher one.

    With C(remember=False) (check mode) nothing is written. On the host that keeps the lock, every
    change is a sign of life of the run that makes it.
    """
    if not remember:
        path = _path(directory)
        _refuse_lower(read_json(path), fence, path)
        return
    remember_fence(directory, fence)
    beat(directory, fence)


def remember_fence(directory: str, fence: int) -> None:
    """Refuse C(fence) when a higher one was seen, and refuse every lower one from now on."""
    path = _path(directory)
    with exclusive(path + ".lock"):
        seen = read_json(path)
        _refuse_lower(seen, fence, path)
        if seen is None or seen.get("fence", 0) < fence:
            write_json(path, {"fence": fence})


def _path(directory: str) -> str:
    return os.path.join(directory, "fence.json")


def _refuse_lower(seen: dict[str, int] | None, fence: int, path: str) -> None:
    highest = 0 if seen is None else int(seen.get("fence", 0))
    if fence < highest:
        raise MainstayError(
            "this run lost its lock to a newer one; nothing was changed",
            subject=path,
            found=f"fencing counter {fence} of this run, {highest} seen on this host",
            expected=f"a counter of at least {highest}",
            next_step="look at status.yml for the run that holds the lock, then start again",
        )
