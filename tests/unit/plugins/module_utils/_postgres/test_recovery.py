# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program behind restore_command, and what a server's log says of the end."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import recovery

LOG = """
2026-11-21 10:16:49.1 UTC LOG:  recovery stopping before commit of transaction 745, time 2026-11-21
2026-11-21 10:16:49.1 UTC LOG:  redo done at 0/4025B00 system usage: CPU: user: 0.00 s
2026-11-21 10:16:49.1 UTC LOG:  last completed transaction was at log time 2026-11-21 10:16:45.5+00
"""


@pytest.mark.parametrize(
    ("program", "status"),
    [("exit 0", 0), ("exit 1", 1), ("exit 2", 200), ("exit 41", 200), ("kill -9 $$", 200)],
)
def test_only_one_means_the_end_of_the_wal(
    tmp_path: pathlib.Path, program: str, status: int
) -> None:
    script = tmp_path / "fetch"
    script.write_text(recovery.fetch_script(["/bin/sh", "-c", program], "", 5))
    done = subprocess.run(["/bin/sh", str(script), "SEGMENT", "x"], check=False)
    assert done.returncode == status


def test_a_program_that_hangs_is_not_the_end_either(tmp_path: pathlib.Path) -> None:
    script = tmp_path / "fetch"
    script.write_text(recovery.fetch_script(["sleep", "100"], "", 1).replace('"$1" "$2"', ""))
    assert subprocess.run(["/bin/sh", str(script), "a", "b"], check=False).returncode == 200


def test_the_saved_tail_comes_first(tmp_path: pathlib.Path) -> None:
    tail = tmp_path / "tail of it"
    tail.mkdir()
    (tail / "SEGMENT").write_text("saved")
    script = tmp_path / "fetch"
    script.write_text(recovery.fetch_script(["/bin/false"], str(tail), 5))
    target = tmp_path / "target"
    assert (
        subprocess.run(["/bin/sh", str(script), "SEGMENT", str(target)], check=False).returncode
        == 0
    )
    assert target.read_text() == "saved"


def test_the_log() -> None:
    found = recovery.from_log(LOG)
    assert found["lsn"] == "0/4025B00"
    assert found["time"] == "2026-11-21T10:16:45.5Z"
    assert found["stopped"].startswith("recovery stopping before commit of transaction 745")


@pytest.mark.parametrize(
    ("lsn", "newest", "whole"),
    [
        ("0/5000000", "000000010000000000000004", True),
        ("0/4000100", "000000010000000000000004", True),
        ("0/3FFFFFF", "000000010000000000000004", False),
        (None, "000000010000000000000004", False),
        (None, "", True),
    ],
)
def test_whether_all_wal_was_read(lsn: str | None, newest: str, whole: bool) -> None:
    assert recovery.read_all({"lsn": lsn}, newest, 1 << 24) is whole


def test_settings_of_a_former_recovery_do_not_come_back(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "postgresql.auto.conf"
    path.write_text(
        "work_mem = '4MB'\nrecovery_target_time = 'x'\n primary_conninfo = 'host=old password=x'\n"
        "restore_command = 'false'\nrecovery_target_timeline = 'latest'\nport = 1\n"
    )
    assert recovery._without_stale(str(path)) == b"work_mem = '4MB'\nport = 1\n"
