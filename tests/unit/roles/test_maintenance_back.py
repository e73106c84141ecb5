# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of two edges refuses the maintenance page: no edge keeps it.

The tasks are the role's own; the modules below write down what they were asked for.
"""

from __future__ import annotations

import json
import pathlib

import pytest
from unit.support_modules import play_with

NAMES = {
    "nginx_maintenance": ["platform", "fence", "state", "accept_stopped"],
    "release_lock": ["platform", "state", "purpose", "release_id", "fence"],
    "release_record": ["platform", "release_id", "fence", "state", "entry"],
}


def asked(place: pathlib.Path, edge: str) -> list[tuple[str, object]]:
    """What was done to the page of an edge, in order."""
    lines = (place / f"asked.{edge}").read_text().splitlines()
    return [
        (given["state"], given.get("accept_stopped", False))
        for name, given in map(json.loads, lines)
        if name == "nginx_maintenance"
    ]


@pytest.mark.parametrize("wanted", [True, False], ids=["on", "off"])
def test_every_edge_goes_back_when_one_refuses(tmp_path: pathlib.Path, wanted: bool) -> None:
    """Seen failing without the task that brings the edges back."""
    role = "mainstay.platform.release"
    play_with(
        tmp_path,
        NAMES,
        hosts=["edge1", "edge2"],
        broken="nginx_maintenance on edge2",
        variables={
            "release_platform_id": "shop-production",
            "release_run_id": "20261121T010000Z-00000a",
            "release_maintenance": {
                "wanted": wanted,
                "before": {"edge1": not wanted, "edge2": not wanted},
                "steps": [],
            },
        },
        tasks=[
            {
                "block": [
                    {"import_role": {"name": role, "tasks_from": "maintenance_switch"}},
                ],
                "rescue": [{"import_role": {"name": role, "tasks_from": "maintenance_back"}}],
            }
        ],
    )
    there, back = ("on", "off") if wanted else ("off", "on")
    assert asked(tmp_path, "edge1") == [(there, False), (back, True)]
    assert asked(tmp_path, "edge2") == [(there, False), (back, True)]
