# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reports of real runs say."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess

import pytest

from .conftest import PLAYS, Finished, Runner, environment, playbook_program


def statuses(finished: Finished) -> dict[str, dict[str, str]]:
    """Task to host to status."""
    return {
        task["name"]: {host: part["status"] for host, part in task["hosts"].items()}
        for play in finished.report["plays"]
        for task in play["tasks"]
    }


def test_a_run_that_goes_well(run: Runner) -> None:
    finished = run("ok.yml")
    report = finished.report
    assert (finished.status, report["outcome"]) == (0, "ok")
    assert [play["name"] for play in report["plays"]] == ["1/2 Look", "2/2 Change"]
    assert statuses(finished)["Skipped on all but one"] == {
        "app1": "ok",
        "app2": "skipped",
        "app3": "skipped",
    }
    assert statuses(finished)["Change something"] == dict.fromkeys(
        ("app1", "app2", "app3"), "changed"
    )
    # three pings, one that was not skipped, three commands, two items of a loop
    assert report["module_runs"] == 9
    assert report["plays"][0]["tasks"][0]["path"] == "ok.yml:9"
    assert f"Report: {finished.reports}" in finished.output


def test_check_mode_is_said(run: Runner) -> None:
    finished = run("ok.yml", "--check")
    assert finished.report["check_mode"] is True
    assert "nothing was changed" in finished.page


def test_a_rescued_failure_keeps_its_reason_and_the_release_its_outcome(run: Runner) -> None:
    finished = run("rescue.yml")
    report = finished.report
    assert (finished.status != 0, report["outcome"]) == (True, "rolled_back")
    assert statuses(finished)["1/3 Stage"]["app2"] == "failed"
    steps = [task["step"] for task in report["plays"][0]["tasks"]]
    assert steps == [
        "1/3 Stage",
        "2/3 Revert",
        *["3/3 Leave the result where machines find it"] * 2,
    ]
    assert report["hosts"]["app2"]["rescued"] == 1
    assert report["release"]["id"] == "20261121T061500Z-1a2b3c"
    assert report["next"] == ["ansible-playbook status.yml"]
    for text in ("no space left on app2", "api still serves 1.0.0", "Rolled back"):
        assert text in finished.page


def test_deployed_is_not_believed_when_the_run_failed(run: Runner) -> None:
    assert run("rescue.yml", "-e", "outcome=deployed").report["outcome"] == "failed"


def test_an_unreachable_host(run: Runner) -> None:
    finished = run("unreachable.yml")
    assert finished.report["outcome"] == "unreachable"
    assert statuses(finished)["Ask every host"]["app4"] == "unreachable"
    assert "app4" not in statuses(finished)["Go on with the others"]
    assert "Connection refused" in finished.page


@pytest.mark.parametrize("verbosity", ["-v", "-vvv"])
def test_no_secret_gets_into_a_report(run: Runner, verbosity: str) -> None:
    finished = run("secrets.yml", verbosity)
    assert finished.status != 0
    for path in finished.reports.iterdir():
        assert "canary-5c81d0" not in path.read_text(), path.name
    assert "hidden, because no_log is set" in finished.page


def test_an_unwritable_directory_is_one_warning(run: Runner, tmp_path: pathlib.Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    finished = run("ok.yml", MAINSTAY_REPORT_DIR=str(blocked / "reports"))
    assert finished.status == 0
    assert finished.output.count("no report of this run") == 1


def test_ansible_runner_gets_the_report_among_its_artifacts(
    run: Runner, tmp_path: pathlib.Path
) -> None:
    artifacts = tmp_path / "artifacts"
    run("ok.yml", MAINSTAY_REPORT_DIR="", AWX_ISOLATED_DATA_DIR=str(artifacts), JOB_ID="4711")
    finished = Finished(0, "", artifacts / "reports")
    assert finished.report["job_id"] == "4711"


def quiet_run(
    tmp_path: pathlib.Path, inventory: pathlib.Path, **more: str
) -> subprocess.Popen[str]:
    """A run that waits for the file C(signal), with its output as a pipe."""
    command = [playbook_program(), "-i", str(inventory), str(PLAYS / "quiet.yml")]
    return subprocess.Popen(
        [*command, "-e", f"signal={tmp_path / 'signal'}"],
        env=environment(tmp_path, MAINSTAY_HEARTBEAT_SECONDS="0.5", **more),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def first_heartbeat(process: subprocess.Popen[str]) -> str:
    """The first line of the heartbeat, read while the task still runs."""
    assert process.stdout is not None
    return next(line for line in process.stdout if "…" in line)


def test_a_quiet_task_shows_that_it_lives(tmp_path: pathlib.Path, inventory: pathlib.Path) -> None:
    with quiet_run(tmp_path, inventory) as process:
        line = first_heartbeat(process)
        (tmp_path / "signal").write_text("")
        rest = process.stdout.read() if process.stdout else ""
    assert "Wait for a file — waiting for app1 (app2, app3 done)" in line
    # the line came while the task still waited: the file was there before its time was up
    assert process.returncode == 0
    assert "Traceback" not in rest
    assert "…" not in rest.split("PLAY RECAP")[1]


def test_an_interrupted_run_has_a_report(tmp_path: pathlib.Path, inventory: pathlib.Path) -> None:
    with quiet_run(tmp_path, inventory) as process:
        first_heartbeat(process)
        os.kill(process.pid, signal.SIGINT)
        rest = process.stdout.read() if process.stdout else ""
    finished = Finished(process.returncode, rest, tmp_path / "reports")
    assert finished.report["outcome"] == "interrupted"
    assert statuses(finished)["Wait for a file"]["app1"] == "interrupted"
    assert "Traceback" not in rest
