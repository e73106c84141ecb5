# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overrides of one stage, merged into the description. Pure.

Objects are merged key by key, everything else is replaced. C(platform_stages.<stage>) comes first,
the C(stages.<stage>) of a single service, store, edge or release after it: the nearer one wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: Key of C(platform_stages.<stage>) -> the variable it changes.
_TOP = {
    "domain": "platform_domain",
    "registry": "platform_registry",
    "env": "platform_env",
    "services": "platform_services",
    "stores": "platform_stores",
    "edge": "platform_edge",
    "release": "platform_release",
    "kubernetes": "platform_kubernetes",
}


@dataclass
class Staged:
    """The description of one stage, and where its overridden values were written."""

    variables: dict[str, Any]
    origins: dict[str, str] = field(default_factory=dict)

    def written_at(self, path: str) -> str:
        """Where the person wrote the value at C(path)."""
        probe = path
        while probe:
            if probe in self.origins:
                return self.origins[probe] + path[len(probe) :]
            cut = max(probe.rfind("."), probe.rfind("["))
            probe = probe[:cut] if cut > 0 else ""
        return path


def apply_stage(variables: dict[str, Any], stage: str) -> Staged:
    """The variables with the overrides of C(stage) applied and all C(stages) taken out."""
    staged = Staged({k: v for k, v in variables.items() if k != "platform_stages"})
    whole = (variables.get("platform_stages") or {}).get(stage) or {}
    for key, value in whole.items():
        name, written = _TOP.get(key), f"platform_stages.{stage}.{key}"
        if name:
            current = staged.variables.get(name)
            staged.variables[name] = _merged(current, value, name, written, staged.origins)
    for name in ("platform_edge", "platform_release", "platform_kubernetes"):
        if isinstance(staged.variables.get(name), dict):
            staged.variables[name] = _nearest(staged, staged.variables[name], name, stage)
    for name in ("platform_services", "platform_stores"):
        entries = staged.variables.get(name)
        if isinstance(entries, dict):
            staged.variables[name] = {
                key: _nearest(staged, entry, f"{name}.{key}", stage)
                for key, entry in entries.items()
            }
    return staged


def _nearest(staged: Staged, entry: dict[str, Any], path: str, stage: str) -> dict[str, Any]:
    own = {key: value for key, value in entry.items() if key != "stages"}
    override = (entry.get("stages") or {}).get(stage) or {}
    override = {key: value for key, value in override.items() if key != "stages"}
    merged: dict[str, Any] = _merged(own, override, path, f"{path}.stages.{stage}", staged.origins)
    return merged


def _merged(current: Any, value: Any, path: str, written: str, origins: dict[str, str]) -> Any:
    if not (isinstance(current, dict) and isinstance(value, dict)):
        origins[path] = written
        return value
    result = dict(current)
    for key, inner in value.items():
        where = f"{path}.{key}"
        result[key] = _merged(current.get(key), inner, where, f"{written}.{key}", origins)
    return result
