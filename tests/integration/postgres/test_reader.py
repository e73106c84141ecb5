# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories that are no directory of this host are read through pgBackRest itself."""

from __future__ import annotations

from cluster import USER, Cluster, flip

from ansible_collections.mainstay.platform.plugins.module_utils._postgres.backrest_access import (
    Access,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
    OwnedPrograms,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.pgbackrest import (
    PgBackRest,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import (
    ProgramReader,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import Catalog


def engines(cluster: Cluster) -> tuple[PgBackRest, PgBackRest]:
    """The same repository, read as a directory and through the program."""
    programs = OwnedPrograms(USER)
    access = Access(str(cluster.config), "db", 1)
    straight, through = (PgBackRest(access, programs, str(cluster.data)) for dummy in range(2))
    through._reader = ProgramReader(programs, through.reading())
    return straight, through


def names(catalog: Catalog) -> list[str]:
    return [f.name for f in catalog.archive]


def test_both_ways_see_the_same(pgbackrest: Cluster) -> None:
    pgbackrest.good("postgres_backup", state="marked", point="a")
    straight, through = engines(pgbackrest)
    first, second = straight.catalog(), through.catalog()
    assert names(first) == names(second) != []
    assert first.backups == second.backups
    segment = names(second)[-1]
    assert through.archived(segment).path == straight.archived(segment).path
    assert through.archived("000000010000000000000099") is None
    label = second.backups[0].label
    assert through.control_file(label) == straight.control_file(label)
    assert through.verify_segment(second.archive[-1], second, 1 << 24) is None
    assert through.verify_records() == []
    path = next(p for p in pgbackrest.repo.rglob("pg_filenode.map.gz"))
    flip(path)
    assert [f.subject for f in through.verify(label)] == [f.subject for f in straight.verify(label)]
    assert len(through.verify(label)) == 1
