# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock and ledger as a playbook uses them: queries, check mode, and locks of other machines."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Ledger
from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import (
    Controller,
    Lease,
    LockState,
    stamp,
)

ROOT = pathlib.Path(__file__).resolve().parents[3]
PLATFORM = "demo-test"
R1, R2 = "20261121T061500Z-1a2b3c", "20261121T071500Z-4d5e6f"


def play(place: pathlib.Path, *tasks: dict[str, Any], options: tuple[str, ...] = ()) -> list[Any]:
    """The results of C(tasks), run one after the other on this machine; failures included."""
    steps: list[dict[str, Any]] = []
    for number, task in enumerate(tasks):
        ((name, arguments),) = task.items()
        common = {"platform": PLATFORM, "state_root": str(place / "state")}
        steps.append(
            {
                f"mainstay.platform.{name}": {**common, **arguments},
                "register": f"r{number}",
                "ignore_errors": True,
            }
        )
    results = "{{ [" + ", ".join(f"r{n}" for n in range(len(tasks))) + "] | to_json }}"
    answers = {"content": results, "dest": str(place / "answers"), "mode": "0600"}
    steps.append({"ansible.builtin.copy": answers, "check_mode": False})
    (place / "play.yml").write_text(
        json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": steps}])
    )
    done = subprocess.run(
        [
            str(pathlib.Path(sys.executable).parent / "ansible-playbook"),
            *("-i", "localhost,", "-c", "local"),
            *("-e", f"ansible_python_interpreter={sys.executable}"),
            str(place / "play.yml"),
            *options,
        ],
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")},
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "MAINSTAY_REPORT_DIR": str(place / "reports"),
        },
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    found: list[Any] = json.loads((place / "answers").read_text())
    return found


def entry(release_id: str, state: str, **part: Any) -> dict[str, Any]:
    fence = "{{ r0.lock.fence }}"
    return {
        "release_record": {
            "release_id": release_id,
            "fence": fence,
            "state": state,
            "entry": part,
        }
    }


TAKE = {"release_lock": {"release_id": R1, "purpose": "deploy 2.4.1"}}
FREE = {
    "release_lock": {"release_id": R1, "state": "released", "fence": "{{ r0.lock.fence }}"},
}


def test_a_release_is_recorded_and_asked_for(tmp_path: pathlib.Path) -> None:
    """Seen failing with the query evaluated over all facts, and with a live lock not looked at."""
    api = {"api": {"version": "2.4.1", "origin": R1}}
    results = play(
        tmp_path,
        TAKE,
        entry(R1, "started", kind="deploy", who="ada"),
        {"release_info": {}},
        entry(R1, "running", committed=True, services=api, notes=["api: 2.4.0 -> 2.4.1"]),
        entry(R1, "finished", outcome="deployed"),
        entry(R2, "started", kind="rollback", who="bob"),
        FREE,
        {"release_info": {"query": "[?kind=='deploy'].{who: who, api: services.api.version}"}},
        {"release_info": {"outcome": ["running"], "limit": 5}},
        {"release_info": {"query": "[?kind=="}},
        {"release_info": {"since": "the other day"}},
    )
    early, asked, running, broken, junk = results[2], *results[7:]
    assert early["interrupted"] is None, "the run that holds the lock is at work"
    assert early["lock"]["live"] is True
    assert asked["answer"] == [{"who": "ada", "api": "2.4.1"}]
    assert asked["current"]["id"] == R1
    assert asked["interrupted"]["id"] == R2, "open, and nobody holds the lock"
    assert [e["id"] for e in asked["releases"]] == [R2, R1]
    assert [e["id"] for e in running["releases"]] == [R2]
    assert "not a JMESPath expression" in broken["msg"]
    assert "the other day" in junk["msg"]


def test_check_mode_changes_nothing(tmp_path: pathlib.Path) -> None:
    """Seen failing with the file of the guard, and with a record that was never opened."""
    results = play(
        tmp_path,
        TAKE,
        entry(R1, "started", kind="deploy"),
        entry(R1, "finished", outcome="held"),
        FREE,
        {"release_info": {}},
        options=("--check",),
    )
    assert [r.get("failed", False) for r in results] == [False] * 5, results
    assert [r["changed"] for r in results] == [True] * 4 + [False]
    assert not (tmp_path / "state").exists()


def held(place: pathlib.Path, seconds: float, **more: Any) -> None:
    """A lock that a run on another machine took."""
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    lease = Lease(
        "bob",
        "deploy 9",
        R2,
        stamp(now),
        stamp(now),
        stamp(now + datetime.timedelta(seconds=seconds)),
        41,
        Controller(
            **{"machine": "m", "boot": "b", "hostname": "far", "pid": 1, "started": 1, **more}
        ),
    )
    Ledger(PLATFORM, str(place / "state")).write_lock(LockState(41, lease))


def test_a_lock_of_another_machine_is_only_taken_over_when_it_ended(
    tmp_path: pathlib.Path,
) -> None:
    """Seen failing with a foreign boot id taken for the death of the process."""
    held(tmp_path, 3600)
    (refused, info) = play(tmp_path, TAKE, {"release_info": {}})
    for part in ("bob", "far", "deploy 9"):
        assert part in refused["msg"]
    assert info["lock"]["live"] is True
    held(tmp_path, -1)
    (taken,) = play(tmp_path, TAKE)
    assert (taken["lock"]["fence"], taken["lock"]["taken_over_from"]) == (42, R2)


def test_a_clone_with_the_same_machine_id_is_another_machine(tmp_path: pathlib.Path) -> None:
    """Seen failing with the machine id as the only sign."""
    (first,) = play(tmp_path, TAKE)
    mine = first["lock"]["controller"]
    held(tmp_path, 3600, machine=mine["machine"], boot="of a clone", pid=2**22 + 1)
    (refused,) = play(tmp_path, TAKE)
    assert "another run is at work" in refused["msg"]
