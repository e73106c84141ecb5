# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook refuses to run in part or on nothing, before its first task."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
#: What somebody types; the others are parts of these.
ENTRIES = sorted(
    path.name for path in ROOT.glob("*.yml") if (ROOT / "playbooks" / path.name).exists()
)
REPORTS = ROOT / "build" / "reports-of-tests"
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))


def run(playbook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """C(ansible-playbook) without a terminal; no host of the inventory is ever connected to."""
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    return subprocess.run(
        [str(program), playbook, *arguments],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "MAINSTAY_REPORT_DIR": str(REPORTS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--tags", "nginx"), id="tags"),
        pytest.param(("--skip-tags", "always"), id="skip-tags"),
        pytest.param(("--start-at-task", "6/6 End"), id="start-at-task"),
    ],
)
def test_a_part_of_a_deploy_is_refused(arguments: tuple[str, str]) -> None:
    done = run("deploy.yml", "-i", "inventories/demo", *arguments)
    assert done.returncode != 0
    assert "refused, nothing was changed" in done.stderr
    assert arguments[0] in done.stderr
    assert "TASK [" not in done.stdout


@pytest.mark.parametrize("playbook", ["deploy.yml", "maintenance.yml", "databases.yml"])
def test_an_inventory_without_hosts_for_it_is_refused(playbook: str) -> None:
    done = run(playbook, "-i", "elsewhere,")
    assert done.returncode != 0
    assert "there is no host to work on" in done.stderr
    assert "no group at all" in done.stderr
    assert "TASK [" not in done.stdout


def test_a_limit_that_leaves_no_host_of_the_play_is_refused() -> None:
    done = run("maintenance.yml", "-i", "inventories/demo", "--limit", "app1")
    assert done.returncode != 0
    assert "--limit app1, which leaves out edge1" in done.stderr


def test_a_check_of_the_syntax_needs_no_inventory() -> None:
    assert run("deploy.yml", "-i", "elsewhere,", "--syntax-check").returncode == 0


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_point_refuses_parts(name: str) -> None:
    """Read, not run: a run for each would take as long as all other tests."""
    first = yaml.safe_load((ROOT / "playbooks" / name).read_text())[0]
    assert "mainstay.platform.whole_fleet" in first["hosts"]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.name)
def test_every_play_goes_task_by_task(path: pathlib.Path) -> None:
    """With the strategy C(free) of somebody's ansible.cfg, hosts would not wait for each other."""
    for play in yaml.safe_load(path.read_text()):
        if "hosts" in play:
            assert play.get("strategy") == "linear", play["name"]
