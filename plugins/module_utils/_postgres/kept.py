# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the data is after a restore that failed, and what of the old cluster did not come along."""

from __future__ import annotations

import os
import re

from ansible_collections.mainstay.platform.plugins.module_utils._postgres.journal import Journal

AUTO = "postgresql.auto.conf"
#: Files that a cluster may have in its data directory; elsewhere a restore never touches them.
FILES = ("postgresql.conf", "pg_hba.conf", "pg_ident.conf")
_SETTING = re.compile(r"^\s*([A-Za-z_][\w.]*)\s*=?\s*(.*?)\s*$")


def where(record: Journal) -> str:
    """In which directories the data is while a restore is half done."""
    old = record.old_directory
    if os.path.isdir(old) and os.path.isdir(record.data_directory):
        return (
            f"the data before is whole in {old}; what is being restored is in "
            f"{record.data_directory}, and nobody can reach it"
        )
    if os.path.isdir(old):
        return f"the data before is whole in {old}; nothing is in {record.data_directory}"
    if os.path.isdir(record.data_directory) and record.had_cluster:
        return f"the data before is still in {record.data_directory}; its server is stopped"
    return f"nothing was in {record.data_directory} before; what is restored is nobody's yet"


def not_kept(old: str, new: str) -> list[str]:
    """What the data directory before had and the restored one has otherwise, in sentences.

    Names only: the values of settings may be secret.
    """
    if not old or not (os.path.isdir(old) and os.path.isdir(new)):
        return []
    before, after = _settings(os.path.join(old, AUTO)), _settings(os.path.join(new, AUTO))
    names = sorted(n for n in {*before, *after} if before.get(n) != after.get(n))
    found = []
    if names:
        found.append(
            f"settings of ALTER SYSTEM are those of the restored moment: {', '.join(names)}; the "
            f"ones before are in {os.path.join(old, AUTO)}"
        )
    found += [
        f"{name} is that of the backup; the one before is {os.path.join(old, name)}"
        for name in FILES
        if _read(os.path.join(old, name)) != _read(os.path.join(new, name))
    ]
    return found


def _settings(path: str) -> dict[str, str]:
    lines = (line for line in _read(path).splitlines() if not line.lstrip().startswith("#"))
    matches = (_SETTING.match(line) for line in lines)
    return {m.group(1).lower(): m.group(2) for m in matches if m}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read()
    except FileNotFoundError:
        return ""
