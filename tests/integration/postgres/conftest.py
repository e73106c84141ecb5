# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clusters of the PostgreSQL of this machine, with both engines."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from cluster import ROOT, Cluster, begin_cluster

PACKAGES = ("pgbackrest:pgbackrest", "pg_basebackup:postgresql")


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    """What the tests run. The package's own cluster, if it makes one, is never touched."""
    if os.geteuid() == 0:
        subprocess.run([str(ROOT / "tests" / "tools" / "packages"), *PACKAGES], check=True)


#: What both engines show in every run; the rest with pgBackRest takes longer than it tells.
BOTH = ("data_still_there", "a_bit_in_a_backup")
#: What is told again, with more, by the long stories or by another case.
LONG = (
    "[after-copied]",
    "[before-placed]",
    "[exit 126]",
    "[hanging]",
    "random_second",
    "[native-truncated]",
    "[500 for",
    "[403 for all]",
    "answers_slowly",
    "certificate_of_another",
    "both_ways",
    "secret_is_nowhere",
    "thief_deletes",
    "restore_from_bundles",
    "[answers cut",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is left out of the short form."""
    for item in items:
        here = str(item.path).startswith(str(pathlib.Path(__file__).parent))
        other = "[pgbackrest" in item.name and not any(part in item.name for part in BOTH)
        if here and (other or any(part in item.name for part in LONG)):
            item.add_marker(pytest.mark.long)


@pytest.fixture(params=["pgbackrest", "native"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """One with each engine."""
    made = begin_cluster(request.param)
    yield made
    made.remove()


@pytest.fixture
def pgbackrest() -> Iterator[Cluster]:
    """One with pgBackRest."""
    made = begin_cluster("pgbackrest")
    yield made
    made.remove()


@pytest.fixture
def native() -> Iterator[Cluster]:
    """One with PostgreSQL's own tools."""
    made = begin_cluster("native")
    yield made
    made.remove()
