# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures are told as soon as they are certain, with what explains them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from kube_bed import FIRST, IMAGE, SECOND, SECRET, Cluster, Manifest, job, secret, workload

PATIENCE = {
    "crashes": 2,
    "image_grace": 2.0,
    "config_grace": 1.0,
    "schedule_grace": 1.0,
    "admission_grace": 1.0,
    "probe_grace": 1.0,
}
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "quota"},
    "spec": {"hard": {"pods": "0"}},
}
SMALL = {"limits": {"memory": "24Mi"}, "requests": {"memory": "16Mi"}}
HUGE = {"requests": {"memory": "900Gi"}}
MISSING = [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "not-there", "key": "x"}}}]
WITH_MISSING = {**workload()["spec"]["template"]["spec"]["containers"][0], "env": MISSING}


def _without_secret() -> Manifest:
    found = workload()
    found["spec"]["template"]["spec"]["containers"] = [WITH_MISSING]
    return found


# (name, manifests, words of the error, words of its evidence, longest seconds)
CASES: list[tuple[str, list[Manifest], list[str], list[str], float]] = [
    (
        "crash",
        [workload(env={"SAMPLE_FAULT": "exit"})],
        ["ends again and again", "exit code 3", "ended 2 times"],
        ["log", "BackOff"],
        20,
    ),
    (
        "image",
        [workload(image=f"{IMAGE}:none")],
        ["cannot be pulled", f"{IMAGE}:none"],
        ["Failed"],
        20,
    ),
    ("config", [_without_secret()], ["cannot be made", "not-there"], ["not-there"], 10),
    (
        "memory",
        [workload(env={"SAMPLE_FAULT": "leak,never_healthy"}, resources=SMALL)],
        # Some kernels do not tell the runtime; then only the exit code is known.
        ["more memory than its limit", "exit code 137"],
        ["log"],
        30,
    ),
    ("schedule", [workload(resources=HUGE)], ["no node takes", "Insufficient memory"], [], 10),
    ("quota", [QUOTA, workload()], ["refuses the pods", "exceeded quota"], [], 10),
    (
        "quota-stateful",
        [QUOTA, workload(kind="StatefulSet")],
        ["refuses the pods", "exceeded quota"],
        [],
        10,
    ),
    (
        "probe",
        [workload(env={"SAMPLE_FAULT": "never_healthy"})],
        ["does not become ready", "NotReady"],
        ["Unhealthy", "log"],
        15,
    ),
    (
        "job",
        [job("migrate", "migrate", SAMPLE_MIGRATE_FAIL="1"), workload()],
        ["Job", "it has failed", "BackoffLimitExceeded"],
        ["log"],
        20,
    ),
]


@pytest.mark.parametrize(("name", "manifests", "words", "evidence", "longest"), CASES)
def test_a_failure_is_told_early_with_its_evidence(
    cluster: Cluster,
    record_property: Any,
    name: str,
    manifests: list[Manifest],
    words: list[str],
    evidence: list[str],
    longest: float,
) -> None:
    started = time.monotonic()
    answer = cluster.release(manifests, verdict=PATIENCE)
    seconds = time.monotonic() - started
    record_property(f"seconds_{name}", round(seconds, 2))
    assert "error" in answer, answer
    told = answer["failed"]
    assert not [w for w in words if w not in told], told
    lines = "\n".join(answer["error"]["evidence"])
    assert not [w for w in evidence if w not in lines], told
    assert answer["error"]["next_step"]
    assert seconds < longest
    known = cluster.info(objects=False)
    assert known["phase"] == "failed" and known["current"] == ""
    assert known["releases"][0]["outcome"] == "failed"


def test_a_failed_job_keeps_workloads_as_they_are(cluster: Cluster) -> None:
    cluster.release([workload(version="1.0.0")])
    bad = job("migrate", "migrate", SAMPLE_MIGRATE_FAIL="1")
    answer = cluster.release([bad, workload(version="1.1.0")], SECOND, verdict=PATIENCE)
    assert "error" in answer
    assert cluster.image() == f"{IMAGE}:1.0.0"


def test_a_slow_but_good_start_is_no_failure(cluster: Cluster) -> None:
    probe = {
        "httpGet": {"path": "/api/health", "port": 3000},
        "periodSeconds": 1,
        "failureThreshold": 10,
    }
    slow = workload(env={"SAMPLE_START_SECONDS": "6"}, readinessProbe=probe)
    answer = cluster.release([slow], verdict=PATIENCE)
    assert answer["release"]["outcome"] == "deployed", answer


def test_a_secret_in_a_log_is_not_shown(cluster: Cluster) -> None:
    # The program complains about its environment, and says the value.
    uses = workload()
    container = uses["spec"]["template"]["spec"]["containers"][0]
    reference = {"secretKeyRef": {"name": "s", "key": "fault"}}
    container["env"] = [{"name": "SAMPLE_FAULT", "valueFrom": reference}]
    answer = cluster.release([secret("s", fault=SECRET), uses], FIRST, verdict=PATIENCE)
    lines = "\n".join(answer["error"]["evidence"])
    assert "log" in lines and "********" in lines
    assert SECRET not in str(answer)


def test_the_time_is_over(cluster: Cluster) -> None:
    answer = cluster.release(
        [workload(env={"SAMPLE_FAULT": "never_healthy"}), workload("web")], timeout=5.0
    )
    assert "the time is over" in answer["failed"]
    assert "availableReplicas 0 of 1" in answer["failed"]
    assert "Deployment" in answer["error"]["subject"] and "web" not in answer["error"]["subject"]
