# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WAL is handed over before the agreed time is over, and never not at all (which 0 would be)."""

from __future__ import annotations

import pathlib

from unit.support_description import ROOT
from unit.support_modules import play_with

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Backup


def test_three_quarters_of_what_was_agreed_and_at_least_a_second(tmp_path: pathlib.Path) -> None:
    stores = [{"backup": {"wal_seconds": seconds}} for seconds in (60, 900, 1)] + [{"backup": None}]
    assert Backup().wal_seconds == 60
    show = {
        "debug": {"msg": "found {{ item.backup }}: {{ postgres_archive_timeout }}."},
        "loop": stores,
        "vars": {"__postgres_store": "{{ item }}"},
    }
    empty = tmp_path / "roles" / "none"
    (empty / "defaults").mkdir(parents=True)
    (empty / "defaults" / "main.yml").symlink_to(ROOT / "roles/postgres/defaults/main.yml")
    role = {"name": str(empty)}
    done = play_with(tmp_path, {}, hosts=["db1"], variables={}, tasks=[{"import_role": role}, show])
    assert done.returncode == 0, done.stdout
    for words in ("60}: 45.", "900}: 675.", "1}: 1.", "found : 45."):
        assert words in done.stdout, done.stdout
