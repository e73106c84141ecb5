# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection is found in a bare project, and results arrive as artifacts."""

from __future__ import annotations

import json
from typing import Any

from evidence import bed

from .conftest import IDENT, Job


def test_a_bare_checkout_runs_and_leaves_its_result(job: Job) -> None:
    done = job.run("stats.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "was not found" not in done.stdout + done.stderr
    data = artifact_data(job)["mainstay"]
    assert data["release"]["services"]["api"]["to"] == "1.1.0"
    assert data["next"] == ["ansible-playbook status.yml"]


def test_the_report_lies_with_the_artifacts_of_the_job(job: Job) -> None:
    job.run("stats.yml")
    report: dict[str, Any] = json.loads((job.artifacts / "reports" / "latest.json").read_text())
    assert (report["outcome"], report["who"], report["job_id"]) == ("deployed", "mira", "4711")
    assert (job.artifacts / "reports" / "latest.html").exists()
    assert not (job.directory / "project" / "build").exists()


def test_deploy_runs_unchanged_and_its_result_is_an_artifact(demo_job: Job) -> None:
    done = demo_job.run("deploy.yml")
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    data = artifact_data(demo_job)["mainstay"]
    release = data["release"]
    assert release["outcome"] == "deployed"
    assert {s["to"] for s in release["services"].values()} == {"1.1.0"}
    entries = bed.on_host("edge1", "cat /var/lib/mainstay/demo-production/ledger/*.json")
    assert f'"awx_job_id": "{IDENT}"' in entries
    status = demo_job.run("status.yml", ident="4712")
    assert status.returncode == 0, (status.stdout + status.stderr)[-3000:]


def artifact_data(job: Job) -> dict[str, Any]:
    """What AWX shows as artifacts of a job and hands to the next one of a workflow."""
    last = [event for event in job.events() if event["event"] == "playbook_on_stats"][-1]
    data: dict[str, Any] = last["event_data"]["artifact_data"]
    return data
