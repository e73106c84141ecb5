# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of two edges refuses the maintenance page: no edge keeps it.

The tasks are the role's own; the modules below write down what they were asked for.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
from unit.support_description import ROOT, environment

PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"
MODULE = """
import json, os, sys
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={{name: {{"type": "raw"}} for name in {names}}})
asked = {{k: v for k, v in module.params.items() if v is not None}}
with open(os.environ["ASKED"] + "." + os.environ["EDGE"], "a") as handle:
    handle.write(json.dumps(["{module}", asked]) + "\\n")
broken = os.environ["BROKEN"] == "{module}" and os.environ["EDGE"] == "edge2"
if broken and not asked.get("accept_stopped"):
    module.fail_json(msg="Nginx does not run")
module.exit_json(changed=True, lock={{"fence": 7}}, run={run})
"""
RUN = {"who": "", "controller": {}, "awx_job_id": "", "git_revision": ""}
NAMES = {
    "nginx_maintenance": ["platform", "fence", "state", "accept_stopped"],
    "release_lock": ["platform", "state", "purpose", "release_id", "fence"],
    "release_record": ["platform", "release_id", "fence", "state", "entry"],
}


def collection(place: pathlib.Path) -> pathlib.Path:
    """The collection with its roles and filters, and these modules instead of its own."""
    root = place / "ansible_collections" / "mainstay" / "platform"
    modules = root / "plugins" / "modules"
    modules.mkdir(parents=True)
    for part in ("roles", "meta", "plugins/filter", "plugins/module_utils", "plugins/plugin_utils"):
        (root / part).symlink_to(ROOT / part)
    for name, names in NAMES.items():
        text = MODULE.format(module=name, names=names, run=RUN)
        (modules / f"{name}.py").write_text(text)
    return place


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
    play = {
        "hosts": "edge",
        "gather_facts": False,
        "any_errors_fatal": True,
        "vars": {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "release_platform_id": "shop-production",
            "release_run_id": "20261121T010000Z-00000a",
            "release_maintenance": {
                "wanted": wanted,
                "before": {"edge1": not wanted, "edge2": not wanted},
                "steps": [],
            },
        },
        "environment": {
            "ASKED": str(tmp_path / "asked"),
            "EDGE": "{{ inventory_hostname }}",
            "BROKEN": "nginx_maintenance",
        },
        "tasks": [
            {
                "block": [
                    {"import_role": {"name": role, "tasks_from": "maintenance_switch"}},
                ],
                "rescue": [{"import_role": {"name": role, "tasks_from": "maintenance_back"}}],
            }
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    (tmp_path / "hosts").write_text("[edge]\nedge1\nedge2\n")
    place = collection(tmp_path / "collections")
    subprocess.run(
        [str(PLAYBOOK), "-i", str(tmp_path / "hosts"), str(tmp_path / "play.yml")],
        cwd=tmp_path,
        env={**environment(tmp_path), "ANSIBLE_COLLECTIONS_PATH": str(place)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    there, back = ("on", "off") if wanted else ("off", "on")
    assert asked(tmp_path, "edge1") == [(there, False), (back, True)]
    assert asked(tmp_path, "edge2") == [(there, False), (back, True)]
