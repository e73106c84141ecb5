# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own roles with other modules, which write down what they were asked for."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from unit.support_description import ROOT, environment

PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"
#: One that is broken fails until somebody accepts it.
MODULE = """
import json, os, sys
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(
    argument_spec={{name: {{"type": "raw"}} for name in {names}}}, supports_check_mode=True
)
asked = {{k: v for k, v in module.params.items() if v is not None}}
with open(os.environ["ASKED"] + "." + os.environ["HOST"], "a") as handle:
    handle.write(json.dumps(["{module}", asked]) + "\\n")
broken = os.environ["BROKEN"] == "{module} on " + os.environ["HOST"]
if broken and not asked.get("accept_stopped"):
    module.fail_json(msg="{module} is broken here")
module.exit_json(changed=True, **json.loads({answer!r}))
"""
RUN = {"who": "", "controller": {}, "awx_job_id": "", "git_revision": ""}
ANSWERS: dict[str, Any] = {"lock": {"fence": 7}, "run": RUN}


def collection(
    place: pathlib.Path, names: Mapping[str, Sequence[str]], answers: Mapping[str, Any]
) -> pathlib.Path:
    """The collection with its roles and filters, and the modules C(names) instead of its own.

    C(names) holds their arguments, C(answers) what one returns when it is not the usual.
    """
    root = place / "ansible_collections" / "mainstay" / "platform"
    modules = root / "plugins" / "modules"
    modules.mkdir(parents=True)
    for part in ("roles", "meta", "plugins/filter", "plugins/module_utils", "plugins/plugin_utils"):
        (root / part).symlink_to(ROOT / part)
    for name, arguments in names.items():
        answer = json.dumps(answers.get(name, ANSWERS))
        text = MODULE.format(module=name, names=list(arguments), answer=answer)
        (modules / f"{name}.py").write_text(text)
    return place


def play_with(
    place: pathlib.Path,
    names: Mapping[str, Sequence[str]],
    *,
    hosts: Sequence[str],
    tasks: Sequence[Mapping[str, Any]],
    variables: Mapping[str, Any],
    broken: str = "",
    answers: Mapping[str, Any] | None = None,
    arguments: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """One play of tasks on hosts of a group C(edge); C(broken) is C(<module> on <host>).

    What a host's modules were asked for is in C(asked.<host>), one JSON list a line.
    """
    play = {
        "hosts": "edge",
        "gather_facts": False,
        "any_errors_fatal": True,
        "vars": {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            **variables,
        },
        "environment": {
            "ASKED": str(place / "asked"),
            "HOST": "{{ inventory_hostname }}",
            "BROKEN": broken,
        },
        "tasks": list(tasks),
    }
    (place / "play.yml").write_text(json.dumps([play]))
    (place / "hosts").write_text("[edge]\n" + "".join(f"{host}\n" for host in hosts))
    made = collection(place / "collections", names, answers or {})
    return subprocess.run(
        [str(PLAYBOOK), "-i", str(place / "hosts"), str(place / "play.yml"), *arguments],
        cwd=place,
        env={**environment(place), "ANSIBLE_COLLECTIONS_PATH": str(made)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
