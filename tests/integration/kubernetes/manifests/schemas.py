# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict schemas of manifests, made from what an API server says of itself, and kubeconform."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
from typing import Any

import yaml

MODULE = "github.com/yannh/kubeconform/cmd/kubeconform"
VERSION = "v0.8.0"
GROUPS_OF_KIND = "x-kubernetes-group-version-kind"
#: Where the definitions of kinds come from that an API server does not have by itself.
DEFINITIONS = {
    "sigs.k8s.io/gateway-api@v1.3.0": (
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
    "github.com/prometheus-operator/prometheus-operator@v0.83.0": (
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
    ),
    "github.com/vmware-tanzu/velero@v1.16.2": ("config/crd/v1/bases/velero.io_schedules.yaml",),
}


def _cache() -> pathlib.Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")
    return pathlib.Path(home) / "mainstay"


def _go(*words: str, **environment: str) -> str:
    done = subprocess.run(
        ["go", *words],
        env={**os.environ, **environment},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def kubeconform() -> pathlib.Path:
    """Path of the program, built when it is not there (half a minute)."""
    program = _cache() / f"kubeconform-{VERSION}"
    if not program.exists():
        _cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_cache()) as folder:
            _go("install", f"{MODULE}@{VERSION}", GOBIN=folder, CGO_ENABLED="0")
            shutil.move(pathlib.Path(folder) / "kubeconform", program)
    return program


def definitions() -> list[dict[str, Any]]:
    """CustomResourceDefinitions of the Gateway API, the Prometheus operator and Velero."""
    found = []
    for module, files in DEFINITIONS.items():
        folder = pathlib.Path(json.loads(_go("mod", "download", "-json", module))["Dir"])
        found += [yaml.safe_load((folder / file).read_text()) for file in files]
    return found


def _strict(schema: Any) -> Any:
    """No unknown field anywhere, and a number where Kubernetes takes a number or a text."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _strict(value) for key, value in schema.items()}
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "integer"]}
    keeps = schema.get("x-kubernetes-preserve-unknown-fields")
    if "properties" in schema and "additionalProperties" not in schema and not keeps:
        found["additionalProperties"] = False
    return found


def write_schemas(openapi: dict[str, Any], folder: pathlib.Path) -> int:
    """One file for each kind, as kubeconform looks for them; how many."""
    known = {name: _strict(schema) for name, schema in openapi["definitions"].items()}
    count = 0
    for name, schema in openapi["definitions"].items():
        for kind in schema.get(GROUPS_OF_KIND) or []:
            group = kind["group"].split(".")[0]
            suffix = f"-{group}-{kind['version']}" if group else f"-{kind['version']}"
            needed = _closure(name, known)
            document = {
                "$ref": f"#/definitions/{name}",
                "definitions": {key: known[key] for key in needed},
            }
            place = folder / f"{kind['kind'].lower()}{suffix}.json"
            place.write_text(json.dumps(document))
            count += 1
    return count


def _closure(name: str, known: dict[str, Any]) -> set[str]:
    needed, open_ = {name}, [name]
    while open_:
        for other in _references(known[open_.pop()]):
            if other not in needed:
                needed.add(other)
                open_.append(other)
    return needed


def _references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {name for item in schema for name in _references(item)}
    if not isinstance(schema, dict):
        return set()
    found = {name for value in schema.values() for name in _references(value)}
    if isinstance(schema.get("$ref"), str):
        found.add(schema["$ref"].rpartition("/")[2])
    return found
