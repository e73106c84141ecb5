# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A runbook runs whole, on hosts that are there, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release import whole

GROUPS = {"all": ["edge1", "app1"], "ungrouped": [], "edge": ["edge1"], "app": ["app1"]}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param({}, [], id="nothing known"),
        pytest.param({"tags": ("all",), "skip_tags": (), "step": None}, [], id="as usual"),
        pytest.param({"tags": ("nginx", "x")}, ["--tags nginx,x"], id="tags"),
        pytest.param({"tags": ("all", "never")}, ["--tags all,never"], id="more than all"),
        pytest.param({"tags": ("all",), "skip_tags": ("always",)}, ["--skip-tags always"], id="no"),
        pytest.param({"start_at_task": "x y"}, ["--start-at-task 'x y'"], id="start"),
        pytest.param({"step": True}, ["--step"], id="step"),
    ],
)
def test_what_leaves_tasks_out(options: dict[str, Any], found: list[str]) -> None:
    assert whole.left_out(options) == found
    if found:
        with pytest.raises(MainstayError, match="nothing was changed"):
            whole.require_all_tasks(options)
    else:
        whole.require_all_tasks(options)


@pytest.mark.parametrize(
    ("wanted", "chosen", "text"),
    [
        pytest.param(["edge", "cluster"], ["edge1", "app1"], None, id="one group is enough"),
        pytest.param(["database"], ["edge1", "app1"], "hosts in: app, edge", id="other inventory"),
        pytest.param(["edge"], ["app1"], "--limit app1, which leaves out edge1", id="limit"),
    ],
)
def test_there_has_to_be_a_host(wanted: list[str], chosen: list[str], text: str | None) -> None:
    if text is None:
        whole.require_hosts(wanted, GROUPS, chosen, None)
        return
    with pytest.raises(MainstayError) as caught:
        whole.require_hosts(wanted, GROUPS, chosen, "app1")
    assert text in str(caught.value)
    assert f"at least one host in {' or '.join(wanted)}" in str(caught.value)
