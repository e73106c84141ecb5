# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumping and restoring a store in Docker say what is true at their end, and fail when it is bad.

The tasks are the role's own; the modules write down what they were asked for.
"""

from __future__ import annotations

import pathlib
import subprocess
from typing import Any

import pytest
from unit.support_modules import play_with

ROLE = "mainstay.platform.docker_store_backup"
COMMON = ["platform", "store", "username", "directory", "timeout", "state", "repositories"]
NAMES = {
    "docker_store_backup": [*COMMON, "prove_restore", "retention"],
    "nginx_maintenance": ["platform", "fence", "state"],
    "release_lock": ["platform", "state", "release_id", "fence"],
    "release_record": ["platform", "release_id", "fence", "state", "entry"],
}
STORE = {
    "store": "db",
    "username": "u",
    "directory": "/d",
    "database": "",
    "retention": {},
    "repositories": [],
}
RESTORED = {
    "restore": {
        "recovered_to": "then",
        "lost": {"text": "little"},
        "old_database": "shop__old_1",
    }
}
LABEL = "20261121T020004Z"


def part(name: str) -> dict[str, Any]:
    return {"include_role": {"name": ROLE, "tasks_from": name}}


def backed_up(place: pathlib.Path, broken: str) -> subprocess.CompletedProcess[str]:
    """What docker_backup.yml does on two hosts."""
    failed = {"name": "mainstay.platform.release", "tasks_from": "operation_failed"}
    return play_with(
        place,
        NAMES,
        hosts=["app1", "app2"],
        broken=broken,
        answers={
            "docker_store_backup": {
                "backup": {"label": LABEL},
                "actions": ["dump the database shop of db", f"copy {LABEL} to far"],
                "retention": {},
            }
        },
        variables={
            "release_platform_id": "shop-test",
            "docker_store_backup_stores": [STORE],
        },
        tasks=[
            {
                "block": [part("take")],
                "rescue": [{"import_role": failed}],
                "always": [part("close_backup")],
            }
        ],
    )


def test_a_backup_says_what_it_took(tmp_path: pathlib.Path) -> None:
    done = backed_up(tmp_path, "")
    assert done.returncode == 0, done.stdout
    assert "taken: shop-test" in done.stdout
    assert f"restored on trial: {LABEL}, {LABEL}" in done.stdout
    assert done.stdout.count(f"copy {LABEL} to far") == 2


def test_a_backup_that_fails_on_one_host_says_what_the_other_has(tmp_path: pathlib.Path) -> None:
    done = backed_up(tmp_path, "docker_store_backup on app2")
    assert done.returncode != 0
    assert "failed: shop-test" in done.stdout
    assert f"restored on trial: {LABEL}" in done.stdout
    assert "docker_store_backup is broken here" in done.stdout
    assert "earlier dumps are untouched" in done.stdout


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("", ""),
        ("nginx_maintenance on app2", "app2 still shows the maintenance page"),
        ("release_record on app1", "the record is still open"),
        ("release_lock on app1", "the lock is still held"),
    ],
    ids=["nothing", "page", "record", "lock"],
)
def test_an_ending_of_a_restore_that_fails_is_said(
    tmp_path: pathlib.Path, broken: str, told: str
) -> None:
    done = play_with(
        tmp_path,
        NAMES,
        hosts=["app1", "app2"],
        broken=broken,
        variables={
            "release_platform_id": "shop-test",
            "release_kind": "restore",
            "release_run_id": "20261121T010000Z-00000a",
            "release_locked": {"lock": {"fence": 7}},
            "release_operation_opened": {"entry": {}},
            "release_operation_keeper": "app1",
            "postgres_backup_page_shown": True,
            "docker_store_backup_state": "restored",
            "docker_store_backup_began": 0,
            "docker_store_backup_chosen": {**STORE, "host": "app1"},
        },
        tasks=[{"set_fact": {"docker_store_backup_restored": RESTORED}}, part("close")],
    )
    # What was restored is said in any case, and whatever could still be ended was ended.
    assert "recovered up to: then" in done.stdout
    assert "the data of before is in shop__old_1" in done.stdout
    assert '"release_lock"' in (tmp_path / "asked.app1").read_text()
    assert (done.returncode != 0) == bool(told), done.stdout
    assert told in done.stdout
