# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host has of a cluster."""

from __future__ import annotations

import json
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import cluster

PARAMS = {
    "data_directory": "/data",
    "config_directory": "/conf",
    "bin_directory": "/bin/17",
}
CONTROL = {
    "Database system identifier": "7710559220978378449",
    "Latest checkpoint's TimeLineID": "3",
    "Data page checksum version": "1",
    "Database cluster state": "shut down",
    "Latest checkpoint location": "0/5000028",
}


class FakeHost:
    """A host of files and answers."""

    def __init__(self, files: dict[str, str], answer: Optional[dict[str, Any]] = None) -> None:
        self.files, self.answer, self.asked = files, answer, 0

    def exists(self, path: str) -> bool:
        return path in self.files

    def read(self, path: str) -> str:
        return self.files.get(path, "")

    def control(self, program: str, data_directory: str) -> dict[str, str]:
        assert (program, data_directory) == ("/bin/17/pg_controldata", "/data")
        return CONTROL

    def query(self, sql: str) -> Optional[str]:
        self.asked += 1
        return None if self.answer is None else json.dumps(self.answer)


MADE = {"/bin/17/postgres": "", "/data/PG_VERSION": "17", "/conf/pg_hba.conf": "local all all peer"}


def test_a_fresh_host_is_not_asked() -> None:
    host = FakeHost({})
    found = cluster.observe(PARAMS, host)
    assert (found["installed"], found["exists"], found["running"]) == (False, False, False)
    assert host.asked == 0


def test_a_server_that_runs_tells_about_itself() -> None:
    answer = {"in_recovery": True, "timeline": 2, "received": "0/3000000"}
    found = cluster.observe(PARAMS, FakeHost({**MADE, "/data/standby.signal": ""}, answer))
    assert found["running"] and found["in_recovery"] and found["standby"]
    assert found["received"] == "0/3000000"
    assert found["hba"] == "local all all peer"


def test_of_a_server_that_is_down_the_control_file_is_read() -> None:
    found = cluster.observe(PARAMS, FakeHost(MADE))
    assert not found["running"]
    assert found["system_identifier"] == "7710559220978378449"
    assert (found["timeline"], found["lsn"], found["checksums"]) == (3, "0/5000028", True)
