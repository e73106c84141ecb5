# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a container's own health check without waiting for the Engine's turn.

The Engine runs it for the first time one whole interval after each start, also after the start of a
container that served for weeks. The same command, run at once, says the same earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import DockerClient
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

SHELL = ("/bin/sh", "-c")


def command_of(inspected: Mapping[str, Any]) -> list[str]:
    """The command of the check in effect, as the Engine runs it; empty when there is none."""
    config = inspected.get("Config") or {}
    test = [str(word) for word in (config.get("Healthcheck") or {}).get("Test") or []]
    if len(test) < 2 or test[0] == "NONE":
        return []
    if test[0] == "CMD-SHELL":
        return [*(config.get("Shell") or SHELL), test[1]]
    return test[1:] if test[0] == "CMD" else []


@dataclass
class OwnCheck:
    """Asks the check of container C(name); one that hangs is left to the Engine, which ends it."""

    client: DockerClient
    name: str
    command: list[str]
    timeout: float
    hung: bool = False

    def __call__(self) -> bool:
        """True when it passed just now."""
        if self.hung or not self.command:
            return False
        try:
            code: Optional[int] = self.client.ask(self.name, self.command, self.timeout)
        except MainstayError:  # it is not up yet, or not any more: its events tell
            return False
        self.hung = code is None
        return code == 0
