# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the metadata names is there, and what is there is named.

    python tests/lint/declared.py

- The action group C(all) of meta/runtime.yml is exactly the modules of plugins/modules.
- Every collection that roles and playbooks use is in requirements.yml; what galaxy.yml depends on
  is there with the same version.
"""

from __future__ import annotations

import pathlib
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

#: A task's module key or a role's name: namespace.collection.name.
USED = re.compile(
    r"^\s*(?:- )?(?:(?:role|name): (?=\S+$)|(?=\S+:$))([a-z][a-z0-9_]*\.[a-z0-9_]+)\.[a-z_0-9]+:?$",
    re.MULTILINE,
)
#: A plugin in an expression: a lookup, a query or a filter by its full name.
IN_EXPRESSION = re.compile(r"(?:(?:lookup|query)\(\s*['\"]|\|\s*)([a-z_]+\.[a-z_]+)\.[a-z_0-9]+\b")
OURS = frozenset({"ansible.builtin", "mainstay.platform"})


def group_problems(group: Iterable[str], modules: Iterable[str]) -> list[str]:
    """Modules that the action group lacks, and names in it that are no module."""
    listed, present = set(group), set(modules)
    lacking = [f"meta/runtime.yml: action group all lacks {name}" for name in present - listed]
    unknown = [f"meta/runtime.yml: action group all names {name}" for name in listed - present]
    return sorted(lacking + unknown)


def used_collections(text: str) -> set[str]:
    """Collections other than Ansible's and ours that a YAML file uses."""
    found = set(USED.findall(text)) | set(IN_EXPRESSION.findall(text))
    return {name for name in found if name not in OURS}


def dependency_problems(
    used: Mapping[str, str], dependencies: Mapping[str, str], requirements: Mapping[str, str]
) -> list[str]:
    """C(used) maps a collection to one file that uses it; the others map to version ranges."""
    problems = [
        f"{path}: uses {name}, which requirements.yml does not name"
        for name, path in used.items()
        if name not in requirements
    ]
    problems += [
        f"galaxy.yml: {name} {version}, but {requirements.get(name)} in requirements.yml"
        for name, version in dependencies.items()
        if requirements.get(name) != version
    ]
    return sorted(problems)


def _yaml(path: str) -> Any:
    return yaml.safe_load(pathlib.Path(path).read_text(encoding="utf-8"))


def main() -> int:
    """Print every problem; 1 when there is one."""
    modules = [path.stem for path in pathlib.Path("plugins/modules").glob("*.py")]
    group = _yaml("meta/runtime.yml")["action_groups"]["all"]
    used: dict[str, str] = {}
    for folder in ("roles", "playbooks"):
        for path in sorted(pathlib.Path(folder).rglob("*.yml")):
            for name in used_collections(path.read_text(encoding="utf-8")):
                used.setdefault(name, str(path))
    requirements = {
        item["name"]: item["version"] for item in _yaml("requirements.yml")["collections"]
    }
    problems = group_problems(group, (name for name in modules if name != "__init__"))
    problems += dependency_problems(used, _yaml("galaxy.yml")["dependencies"], requirements)
    print("\n".join(problems) if problems else f"{len(modules)} modules, {len(used)} collections")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
