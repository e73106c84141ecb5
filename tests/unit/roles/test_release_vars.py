# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the flow of a release looks for the edge, on each runtime."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest
from unit.support_description import ROOT, environment

PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"
EDGE = {"tls": {"mode": "private_ca"}, "https_port": 443, "http_port": 80}
OPEN = {**EDGE, "tls": {"mode": "off"}}


@pytest.mark.parametrize(
    ("runtime", "edge", "more", "expected"),
    [
        # The address of a host's containers is not that of the edge.
        ("docker", EDGE, {"release_docker_address": "10.9.9.9"}, ["127.0.0.1", 443]),
        ("docker", OPEN, {}, ["127.0.0.1", 80]),
        ("kubernetes", EDGE, {}, ["shop.test", 443]),
        (
            "kubernetes",
            OPEN,
            {"release_kubernetes_address": "192.0.2.7", "release_kubernetes_port": "8443"},
            ["192.0.2.7", 8443],
        ),
        ("kubernetes", OPEN, {"release_kubernetes_address": ""}, ["shop.test", 80]),
    ],
)
def test_edge(
    tmp_path: pathlib.Path, runtime: str, edge: Any, more: dict[str, str], expected: list[Any]
) -> None:
    platform = {"runtime": runtime, "domain": "shop.test", "edge": edge}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "ansible_python_interpreter": sys.executable,
            "release_platform": platform,
            **more,
        },
        "vars_files": [str(ROOT / "roles/release/vars/main.yml")],
        "tasks": [
            {
                "ansible.builtin.copy": {
                    "content": "{{ [release_edge_address, release_edge_port] | to_json }}",
                    "dest": str(tmp_path / "found.json"),
                    "mode": "0600",
                }
            }
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    done = subprocess.run(
        [str(PLAYBOOK), "-i", "localhost,", "-c", "local", str(tmp_path / "play.yml")],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "found.json").read_text()) == expected
