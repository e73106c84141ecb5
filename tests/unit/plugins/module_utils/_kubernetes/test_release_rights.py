# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A right that is missing is told before anything is changed."""

from __future__ import annotations

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake_cluster import FakeCluster
from test_engine import FIRST, SECOND, bring

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("patch", "deployments"),
        ("create", "configmaps"),
        ("update", "configmaps"),
        ("delete", "secrets"),
        ("watch", "deployments"),
        ("delete", "deployments"),
    ],
)
def test_a_missing_right_is_told_before_any_change(verb: str, resource: str) -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", FIRST)
    cluster.calls.clear()
    cluster.denied.add((verb, resource))
    with pytest.raises(MainstayError, match="nothing was changed") as told:
        bring(cluster, "r2", SECOND)
    group = ".apps" if resource == "deployments" else ""
    assert told.value.evidence == (f"{verb} {resource}{group} in namespace shop",)
    assert cluster.calls == []


def test_a_plan_asks_for_what_the_whole_release_will_need() -> None:
    cluster = FakeCluster()
    cluster.denied.add(("delete", "deployments"))
    with pytest.raises(MainstayError, match="rights are missing"):
        bring(cluster, "r1", FIRST, state="planned", prune=False)
    bring(cluster, "r1", FIRST, prune=False)


def test_what_is_not_needed_is_not_asked_for() -> None:
    cluster = FakeCluster()
    bring(cluster, "r1", FIRST)
    cluster.denied |= {("patch", "services"), ("delete", "deployments"), ("patch", "jobs")}
    assert bring(cluster, "r1", FIRST)["release"]["outcome"] == "unchanged"
