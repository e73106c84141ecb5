# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not come along with a restore, and the file of the heartbeat."""

from __future__ import annotations

import json
import pathlib

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import heartbeat, kept


def made(place: pathlib.Path, **files: str) -> str:
    place.mkdir()
    for name, text in files.items():
        (place / name.replace("__", ".")).write_text(text)
    return str(place)


def test_settings_and_files_that_did_not_come_along(tmp_path: pathlib.Path) -> None:
    old = made(
        tmp_path / "old",
        postgresql__auto__conf="# own\nwork_mem = '64MB'\nprimary_conninfo = 'password=x'\n",
        pg_hba__conf="host all all 10.0.0.0/8 scram-sha-256\n",
    )
    new = made(tmp_path / "new", postgresql__auto__conf="Work_Mem = '4MB'\n", pg_hba__conf="\n")
    found = kept.not_kept(old, new)
    assert len(found) == 2
    assert "primary_conninfo, work_mem" in found[0]
    assert "password" not in "".join(found)
    assert found[1].startswith("pg_hba.conf is that of the backup")


def test_nothing_is_said_when_all_came_along(tmp_path: pathlib.Path) -> None:
    text = "work_mem = '64MB'\n"
    old = made(tmp_path / "old", postgresql__auto__conf=text)
    new = made(tmp_path / "new", postgresql__auto__conf="# other words\nwork_mem='64MB'\n")
    assert kept.not_kept(old, new) == []
    assert kept.not_kept("", new) == []
    assert kept.not_kept(str(tmp_path / "none"), new) == []


def test_the_heartbeat_keeps_what_was_committed(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "orders.json"
    lines = ["", "2026-11-21T14:00:00.5Z|0/5000090|745\n", "an error\n"]
    heartbeat.keep(lines, str(path))
    expected = {"at": "2026-11-21T14:00:00.5Z", "lsn": "0/5000090", "xid": 745}
    assert json.loads(path.read_text()) == expected
    assert [p.name for p in tmp_path.iterdir()] == ["orders.json"]
    heartbeat.keep(lines, "")
    heartbeat.keep(lines, str(tmp_path / "none" / "orders.json"))
