# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How soon each kind of failure is told with the default patience, and with which evidence."""

from __future__ import annotations

import statistics
import time
from typing import Any

from evidence.evidence import Figure, Row
from evidence.kubernetes.common import (
    COMMAND,
    IMAGE,
    Manifest,
    namespace,
    workload,
)

QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "quota"},
    "spec": {"hard": {"pods": "0"}},
}
LEAK = {"limits": {"memory": "24Mi"}, "requests": {"memory": "16Mi"}}


def _without_secret() -> Manifest:
    found = workload()
    reference = {"secretKeyRef": {"name": "not-there", "key": "x"}}
    container = found["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "TOKEN", "valueFrom": reference}]
    return found


# (id, what, manifests, a word that the verdict must have, seconds that it may take). The limits
# are the patience of the default, and for crashes the pauses that the kubelet makes between starts.
CASES: list[tuple[str, str, list[Manifest], str, float]] = [
    ("crash", "crash loop", [workload(env={"SAMPLE_FAULT": "exit"})], "again and again", 30.0),
    ("image", "bad image", [workload(image=f"{IMAGE}:none")], "cannot be pulled", 20.0),
    ("config", "missing Secret", [_without_secret()], "cannot be made", 10.0),
    (
        "memory",
        "memory over its limit",
        [workload(env={"SAMPLE_FAULT": "leak"}, resources=LEAK)],
        "more memory than its limit",
        45.0,
    ),
    (
        "schedule",
        "no node is large enough",
        [workload(resources={"requests": {"memory": "900Gi"}})],
        "no node takes",
        35.0,
    ),
    ("quota", "quota exceeded", [QUOTA, workload()], "refuses the pods", 10.0),
    (
        "probe",
        "readiness never comes",
        [workload(env={"SAMPLE_FAULT": "never_healthy"})],
        "does not become ready",
        75.0,
    ),
]


def _row(name: str, what: str, manifests: list[Manifest], word: str, limit: float) -> Row:
    def run(repeats: int) -> Figure:
        seconds: list[float] = []
        told: list[bool] = []
        for _number in range(repeats):
            with namespace() as cluster:
                started = time.monotonic()
                answer: dict[str, Any] = cluster.release(manifests, timeout=180.0)
                seconds.append(time.monotonic() - started)
                assert word in answer.get("failed", ""), answer
                lines = answer.get("error", {}).get("evidence", [])
                explained = bool(lines) or "exceeded quota" in answer.get("failed", "")
                explained = explained or "Insufficient memory" in answer.get("failed", "")
                told.append(explained)
        figure = f"{statistics.median(seconds):.1f} s, evidence {sum(told)} of {len(told)}"
        return Figure(figure, "", all(told) and max(seconds) < limit)

    goal = f"under {limit:.0f} s, with evidence"
    return Row(
        f"verdict-{name}", f"verdict: {what}", goal, COMMAND.format(f"verdict-{name}"), run, 3
    )


ROWS = [_row(*case) for case in CASES]
