# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs of life: how a lease goes on while a long run works."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform
from ansible_collections.mainstay.platform.plugins.module_utils._release import lock
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Ledger

#: Seconds that a run may spend between two changes beyond what the description announces:
#: connecting, copying modules, observing, a busy machine.
MARGIN = 300.0


def beat(directory: str, fence: int) -> None:
    """Extend the lease with the counter C(fence) when the lock of C(directory) is on this host.

    A lock that is somebody else's, or that cannot be read, is left alone: whether the run may go on
    is decided by the fencing counter, and a sign of life must not stop the work.
    """
    root, platform = os.path.split(directory.rstrip("/"))
    ledger = Ledger(platform, root)
    if not os.path.exists(ledger.lock_path):
        return
    with contextlib.suppress(MainstayError), ledger.guard():
        state = ledger.lock_state()
        if state.lease is not None and state.lease.fence == fence:
            ledger.write_lock(lock.prolonged(state, ledger.now()))


def lease_seconds(platform: Platform, least: float) -> float:
    """Length of a lease that covers the longest time in which a release shows no sign of life.

    Those are: staging with the migrations, which happens on other hosts; a step of the switch with
    all its gates; and the end, which waits for open requests. C(least) is the shortest answer.
    """
    policy = platform.release
    staging = policy.stage_timeout + sum(
        service.migration.timeout for service in platform.services if service.migration
    )
    waits = [step.seconds + policy.gates.wait for step in policy.canary if step.seconds > 0]
    gates = max(waits, default=0.0) + sum(gate.timeout for gate in policy.gates.commands)
    switching = policy.stage_timeout + gates
    return max(least, MARGIN + max(staging, switching, policy.drain))
