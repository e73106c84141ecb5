# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock under real conditions: processes that race, and a run that is killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Ledger
from ansible_collections.mainstay.platform.plugins.module_utils._release.locking import change_lock

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROUNDS = 100
PLAY = """
- name: Take the lock, say so, and stay
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Take the lock
      mainstay.platform.release_lock:
        platform: demo-test
        release_id: "{{ run_id }}"
        purpose: deploy {{ run_id }}
        state_root: "{{ place }}/state"
      register: locked
    - name: Write down what was given
      ansible.builtin.copy:
        content: "{{ locked.lock | to_json }}"
        dest: "{{ place }}/{{ run_id }}.json"
        mode: "0600"
    - name: Say that the lock is taken, and stay until somebody reads
      ansible.builtin.shell: echo taken > {{ place }}/fifo; exec cat {{ place }}/hold
      changed_when: false
      when: stay | bool
"""


def attempt(root: str, name: str, barrier: Any, answers: Any) -> None:
    """Take the lock when all others do, too."""
    params = {
        "state": "acquired",
        "release_id": name,
        "holder": name,
        "purpose": "race",
        "ttl": 900.0,
        "controller": {"pid": os.getpid(), "started": 1},
        "takeover_of": None,
    }
    barrier.wait()
    try:
        answers.put(change_lock(Ledger("demo", root), params, check_mode=False).facts["lock"])
    except MainstayError:
        answers.put(None)


def test_of_two_processes_exactly_one_wins(tmp_path: pathlib.Path) -> None:
    context = multiprocessing.get_context("fork")
    counters = []
    for turn in range(ROUNDS):
        barrier, answers = context.Barrier(2), context.Queue()
        runs = [
            context.Process(target=attempt, args=(str(tmp_path), f"{turn}-{n}", barrier, answers))
            for n in range(2)
        ]
        for run in runs:
            run.start()
        given = [lock for lock in (answers.get(timeout=60), answers.get(timeout=60)) if lock]
        for run in runs:
            run.join(60)
        assert len(given) == 1
        counters.append(given[0]["fence"])
        free = {"state": "released", "fence": given[0]["fence"]}
        change_lock(Ledger("demo", str(tmp_path)), free, check_mode=False)
    assert counters == list(range(counters[0], counters[0] + ROUNDS))


def command(place: pathlib.Path, run_id: str, *, stay: bool) -> list[str]:
    """A run of C(ansible-playbook) on this machine."""
    beside = pathlib.Path(sys.executable).with_name("ansible-playbook")
    program = str(beside) if beside.exists() else shutil.which("ansible-playbook")
    assert program
    (place / "play.yml").write_text(PLAY)
    variables = {"place": str(place), "run_id": run_id, "stay": stay}
    variables["ansible_python_interpreter"] = sys.executable
    play = str(place / "play.yml")
    return [program, "-i", "localhost,", "-c", "local", play, "-e", json.dumps(variables)]


def environment() -> dict[str, str]:
    return {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "LC_ALL": "C.UTF-8"}


def heard(fifo: pathlib.Path, seconds: float = 60.0) -> str:
    """What comes through C(fifo); empty when nothing comes, so a run that failed cannot hang us."""
    handle = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(handle, 100).decode() if select.select([handle], [], [], seconds)[0] else ""
    finally:
        os.close(handle)


def test_lock_of_a_killed_run_is_taken_over_at_once(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    os.mkfifo(tmp_path / "hold")
    with subprocess.Popen(
        command(tmp_path, "r1", stay=True),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as first:
        try:
            assert heard(tmp_path / "fifo") == "taken\n", "the first run never took the lock"
            second = subprocess.run(
                command(tmp_path, "r2", stay=False),
                cwd=ROOT,
                env=environment(),
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait(60)
    assert second.returncode != 0, "the first run lived"
    assert "another run is at work" in second.stdout
    third = subprocess.run(
        command(tmp_path, "r3", stay=False),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    (tmp_path / "hold").open("w").close()  # lets the orphaned task of the first run end
    assert third.returncode == 0, third.stdout
    lock = json.loads((tmp_path / "r3.json").read_text())
    taken = json.loads((tmp_path / "r1.json").read_text())
    assert (lock["fence"], lock["taken_over_from"]) == (taken["fence"] + 1, "r1")
