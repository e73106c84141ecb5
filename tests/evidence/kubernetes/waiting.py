# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits: no false alarm for slow but good starts."""

from __future__ import annotations

import random

from evidence.evidence import Figure, Row
from evidence.kubernetes.common import (
    COMMAND,
    namespace,
    workload,
)

STARTS = 10


def slow_starts(repeats: int) -> Figure:
    """Releases of ten services that take up to 20 s to start, as their probes allow."""
    chance = random.Random(20261121)
    alarms, starts = 0, 0
    for _number in range(repeats):
        probe = {"httpGet": {"path": "/api/health", "port": 3000}, "periodSeconds": 1}
        manifests = [
            workload(
                f"api-{n}",
                env={"SAMPLE_START_SECONDS": f"{chance.uniform(0, 20):.1f}"},
                readinessProbe={**probe, "failureThreshold": 25},
            )
            for n in range(STARTS)
        ]
        with namespace() as cluster:
            answer = cluster.release(manifests, timeout=120.0, verdict={"probe_grace": 5.0})
            alarms += "failed" in answer
            assert "release" in answer or "ready in its time" in answer["failed"], answer
            starts += STARTS
    return Figure(f"{alarms} false alarms in {starts} starts", "", alarms == 0)


ROWS = [
    Row(
        "false-alarms",
        "slow but good starts called failed",
        "0 of 50",
        COMMAND.format("false-alarms"),
        slow_starts,
        5,
    ),
]
