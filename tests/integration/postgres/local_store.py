# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL in the place of one in a container: commands run beside it, not inside."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
from collections.abc import Sequence
from typing import Any, Optional

from cluster import Cluster

from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_client import (
    Ended,
    Running,
)

PLATFORM, STORE = "shop-test", "orders"


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of the run under test may catch it and go on."""


class LocalStore:
    """L(StoreClient) on a cluster of this machine; C(kill_at) ends the run before a statement."""

    def __init__(self, cluster: Cluster, kill_at: str = "") -> None:
        self.cluster = cluster
        self.kill_at = kill_at
        self.dead = False

    def store(self, platform: str, name: str) -> Optional[Running]:
        """See L(StoreClient)."""
        return Running("orders-1", "postgres:15") if (platform, name) == (PLATFORM, STORE) else None

    def run(
        self,
        container: str,
        argv: Sequence[str],
        limit: float,
        *,
        data: bytes = b"",
        source: str = "",
        target: str = "",
    ) -> Ended:
        """See L(StoreClient)."""
        if self.dead or (self.kill_at and self.kill_at in " ".join(argv) + data.decode()):
            self.dead = True
            raise KilledError
        program = self.cluster.bin / argv[0]
        words = [str(program) if program.exists() else argv[0], *argv[1:]]
        where = {"PGHOST": str(self.cluster.base), "PGPORT": str(self.cluster.port)}
        given: dict[str, Any] = {"input": data, "stdout": subprocess.PIPE}
        with contextlib.ExitStack() as stack:
            if source:
                given["stdin"] = stack.enter_context(open(source, "rb"))
                del given["input"]
            if target:
                given["stdout"] = stack.enter_context(open(target, "xb"))
            done = subprocess.run(
                words,
                env={**os.environ, **where},
                stderr=subprocess.PIPE,
                timeout=limit,
                check=False,
                **given,
            )
        return Ended(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())


def arguments(directory: pathlib.Path, user: str, **more: Any) -> dict[str, Any]:
    """What the modules get."""
    return {
        "platform": PLATFORM,
        "store": STORE,
        "username": user,
        "directory": str(directory / "dumps"),
        "timeout": 300.0,
        "repositories": "",
        "state": "taken",
        "databases": [],
        "labels": [],
        "verify": True,
        "prove_restore": False,
        "retention": {},
        "label": "latest",
        "database": "shop",
        "confirm": "",
        **more,
    }
