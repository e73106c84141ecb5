# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's defaults equal its argument specification, and every default says what it is for.

    python tests/lint/role_defaults.py roles

The two are read by different programs (Ansible reads the defaults, people and ansible-doc read the
specification), so nothing else notices when they drift apart. A default that is a template and
makes no text cannot stand in the specification, where it would be text: the description says it.
"""

from __future__ import annotations

import pathlib
import re
import sys
from typing import Any, Optional

import yaml

KEY = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*):")
# Types of options that a template as such is not.
NOT_TEXT = frozenset({"bool", "dict", "float", "int", "list"})


class Loader(yaml.SafeLoader):
    """YAML as roles have it: Ansible's own tags are kept as text."""


def _tagged(loader: Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return f"!{suffix} {loader.construct_scalar(node)}"
    raise yaml.constructor.ConstructorError(None, None, f"unexpected !{suffix}", node.start_mark)


Loader.add_multi_constructor("!", _tagged)


def load(path: pathlib.Path) -> dict[str, Any]:
    """The mapping in C(path); a missing or empty file is an empty one."""
    if not path.is_file():
        return {}
    return yaml.load(path.read_text(encoding="utf-8"), Loader) or {}


def uncommented(text: str) -> list[str]:
    """Top-level keys with no comment on the line before them or behind them."""
    found: list[str] = []
    before = ""
    for line in text.splitlines():
        match = KEY.match(line)
        if match and not before.startswith("#") and " # " not in line:
            found.append(match.group(1))
        before = line
    return found


def _computed(default: Any, option: dict[str, Any]) -> bool:
    """Whether only the defaults can say C(default): a template that makes something but text."""
    return isinstance(default, str) and "{{" in default and option.get("type") in NOT_TEXT


def _difference(name: str, option: dict[str, Any], defaults: dict[str, Any]) -> Optional[str]:
    """What is wrong with the default of one option of the specification."""
    if name not in defaults:
        said = "default" in option
        return f"{name}: default {option['default']!r} only in the specification" if said else None
    default = defaults[name]
    if "default" not in option:
        hidden = not _computed(default, option)
        return f"{name}: default {default!r} only in defaults" if hidden else None
    if _computed(default, option):
        return f"{name}: its default is a template: only the description can say it"
    if default != option["default"]:
        return f"{name}: {default!r} in defaults, {option['default']!r} in the specification"
    return None


def differences(defaults: dict[str, Any], spec: dict[str, Any]) -> list[str]:
    """Sentences about options whose default is missing, unknown or another one."""
    options: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for name, entry in (spec.get("argument_specs") or {}).items():
        for option, value in (entry.get("options") or {}).items():
            known = options.setdefault(option, value)
            if known.get("default") != value.get("default"):
                problems.append(f"{option}: entry point {name} has another default than the others")
    found = [_difference(name, option, defaults) for name, option in options.items()]
    problems += [problem for problem in found if problem]
    problems += [f"{option}: not in the specification" for option in defaults.keys() - options]
    return sorted(problems)


def check_role(role: pathlib.Path) -> list[str]:
    """All problems of one role, each with the path of the file to look at."""
    specification = role / "meta" / "argument_specs.yml"
    path = role / "defaults" / "main.yml"
    if not specification.is_file():
        return [f"{specification}: missing"]
    problems = [f"{path}: {text}" for text in differences(load(path), load(specification))]
    if path.is_file():
        text = path.read_text(encoding="utf-8")
        problems += [f"{path}: {key}: no comment above it" for key in uncommented(text)]
    return problems


def main(arguments: list[str]) -> int:
    """Print every problem of every role; 1 when there is one."""
    roles = sorted(path for path in pathlib.Path(arguments[0]).iterdir() if path.is_dir())
    problems = [problem for role in roles for problem in check_role(role)]
    print(
        "\n".join(problems) if problems else f"{len(roles)} roles agree with their specifications"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
