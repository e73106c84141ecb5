#!/usr/bin/env python3
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/reference/platform.md from the schema of the description.

tests/tools/platform_reference.py          writes the page
tests/tools/platform_reference.py --check  fails when the page is not what would be written
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "plugins/module_utils/_platform/schema.json"
PAGE = ROOT / "docs/reference/platform.md"

INTRODUCTION = """\
# Reference: the description of a platform

<!-- Made by tests/tools/platform_reference.py from the schema of the description. -->

Variables of the inventory that begin with `platform_`, and variables of one run. The same schema
checks them, so this page cannot be out of date. How to write them is told in
[Describe a platform](../guides/describe.md).

Where a type says *duration*, *size*, *cpu* or *rate*, these forms are allowed:
"""
UNITS = ("duration", "size", "cpu", "rate")
#: Objects with a section of their own, in the order of the page.
SECTIONS = (
    ("service", "Services", "platform_services.<name>"),
    ("health", "Health", "platform_services.<name>.health"),
    ("route", "Routes", "platform_services.<name>.routes[]"),
    ("secretUse", "Secrets of a service", "platform_services.<name>.secrets[]"),
    ("resources", "Resources", "resources"),
    ("volume", "Volumes", "volumes[]"),
    ("migration", "Migration", "platform_services.<name>.migration"),
    ("smoke", "Smoke checks", "platform_services.<name>.smoke[]"),
    ("metrics", "Metrics", "platform_services.<name>.metrics"),
    ("store", "Stores", "platform_stores.<name>"),
    ("postgres", "PostgreSQL on hosts", "platform_stores.<name>.postgres"),
    ("postgresDatabase", "Databases", "platform_stores.<name>.postgres.databases[]"),
    ("postgresRole", "Roles", "platform_stores.<name>.postgres.roles.<name>"),
    ("postgresTuning", "Tuning", "platform_stores.<name>.postgres.tuning"),
    ("postgresPooler", "Pooler", "platform_stores.<name>.postgres.pooler"),
    ("backup", "Backups", "platform_stores.<name>.backup"),
    ("repository", "Repositories", "platform_repositories.<name>"),
    ("registry", "Registries", "platform_registries.<server>"),
    ("edge", "Edge", "platform_edge"),
    ("tls", "Encryption", "platform_edge.tls"),
    ("rateLimit", "Rate limits", "platform_edge.rate_limits.<name>"),
    ("edgeRoute", "Routes at the edge", "platform_edge.routes[]"),
    ("maintenance", "Maintenance page", "platform_edge.maintenance"),
    ("release", "Release policy", "platform_release"),
    ("canaryStep", "Canary steps", "platform_release.canary[]"),
    ("gates", "Gates", "platform_release.gates"),
    ("probe", "Probe", "platform_release.probe"),
    ("kubernetes", "Kubernetes", "platform_kubernetes"),
    ("kubernetesIngress", "Ingress", "platform_kubernetes.ingress"),
    ("kubernetesQuota", "Quota", "platform_kubernetes.quota"),
    ("kubernetesLimitRange", "Limit range", "platform_kubernetes.limit_range"),
    ("kubernetesAmounts", "Amounts", "platform_kubernetes.quota.requests"),
    ("kubernetesNetwork", "Network", "platform_kubernetes.network"),
    ("kubernetesEgress", "Networks outside", "platform_kubernetes.network.egress[]"),
    ("kubernetesPriority", "Priority class", "platform_kubernetes.priority_class"),
    ("kubernetesStorageClass", "Storage class", "platform_kubernetes.storage_class"),
    ("kubernetesMonitors", "Monitors", "platform_kubernetes.monitors"),
    ("kubernetesVelero", "Velero", "platform_kubernetes.velero"),
    ("kubernetesAccess", "Access", "platform_kubernetes.access"),
    ("kubernetesService", "Services on Kubernetes", "platform_services.<name>.kubernetes"),
    ("autoscaling", "Autoscaling", "platform_services.<name>.kubernetes.autoscaling"),
    ("scalingUp", "Scaling up", "platform_services.<name>.kubernetes.autoscaling.up"),
    ("scalingDown", "Scaling down", "platform_services.<name>.kubernetes.autoscaling.down"),
    ("probes", "Probes of Kubernetes", "platform_services.<name>.kubernetes.probes"),
    ("livenessProbe", "Liveness", "platform_services.<name>.kubernetes.probes.liveness"),
    ("readinessProbe", "Readiness", "platform_services.<name>.kubernetes.probes.readiness"),
    ("loadBalancer", "Load balancer", "platform_services.<name>.kubernetes.load_balancer"),
    ("kubernetesStore", "Stores on Kubernetes", "platform_stores.<name>.kubernetes"),
    ("kubernetesDump", "Dumps", "platform_stores.<name>.kubernetes.dump"),
    ("kubernetesUpkeep", "Upkeep", "platform_stores.<name>.kubernetes.upkeep"),
)


def object_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The object form of a definition that may also be written shorter."""
    for form in schema.get("anyOf", []):
        if form.get("type") == "object":
            return dict(form)
    return schema


def type_of(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """The type of a property in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return name if name in UNITS else _named(name, definitions)
    if "allOf" in schema:
        return type_of(schema["allOf"][0], definitions)
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "object")
    if kind == "array":
        return f"list of {type_of(schema['items'], definitions)}"
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"name: {type_of(schema['additionalProperties'], definitions)}"
    return str(kind)


def _named(name: str, definitions: dict[str, Any]) -> str:
    title = next((title for key, title, _path in SECTIONS if key == name), "")
    if title:
        return f"[{name}](#{title.lower().replace(' ', '-')})"
    return type_of(definitions[name], definitions)


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def rows(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """One line for each property."""
    required = schema.get("required", [])
    yield "| key | type | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for key, value in schema["properties"].items():
        referred = definitions.get(value.get("$ref", "").rpartition("/")[2], {})
        meaning = value.get("description") or referred.get("description", "")
        default = f"`{json.dumps(value['default'])}`" if "default" in value else ""
        default = "required" if key in required else default
        if "enum" not in value and "x-allowed" in value:
            meaning = f"{meaning} Allowed: {value['x-allowed']}."
        for example in value.get("examples", [])[:1]:
            meaning = f"{meaning} Example: `{json.dumps(example, ensure_ascii=False)}`"
        yield f"| `{key}` | {type_of(value, definitions)} | {default} | {cell(meaning)} |"


def render(schema: dict[str, Any]) -> str:
    """The whole page."""
    definitions = schema["$defs"]
    whole = {"properties": schema["properties"], "required": definitions["whole"]["required"]}
    lines = [INTRODUCTION, "| type | written as | examples |", "| --- | --- | --- |"]
    for name in UNITS:
        spec = definitions[name]
        examples = ", ".join(f"`{json.dumps(e)}`" for e in spec["examples"])
        lines.append(f"| {name} | {cell(spec['x-allowed'])} | {examples} |")
    lines += ["", "## Variables of the inventory", "", *rows(whole, definitions)]
    lines += ["", "## Variables of a run", "", definitions["run"]["description"], ""]
    lines += rows(definitions["run"], definitions)
    for name, title, path in SECTIONS:
        spec = definitions[name]
        described = spec.get("description") or object_of(spec).get("description", "")
        lines += ["", f"## {title}", "", f"`{path}`: {described}", ""]
        short = [f.get("x-allowed") or f.get("description") for f in spec.get("anyOf", [])[:-1]]
        if short:
            lines += [f"Also written in short, such as `{json.dumps(spec['examples'][0])}`.", ""]
        lines += rows(object_of(spec), definitions)
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write or compare the page."""
    page = render(json.loads(SCHEMA.read_text(encoding="utf-8")))
    if "--check" in arguments:
        same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page
        if not same:
            print(f"{PAGE.relative_to(ROOT)} is not what the schema says; run {sys.argv[0]}")
        return 0 if same else 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
