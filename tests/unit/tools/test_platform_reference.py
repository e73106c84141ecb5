# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The committed reference page and schema belong together."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import pathlib
from typing import Any

import jsonschema
import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform import (
    build,
    build_kubernetes,
    build_policy,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import encode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.schema import (
    SCHEMA_PATH,
    load_schema,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Edge,
    Gates,
    Health,
    Maintenance,
    Probe,
    ReleasePolicy,
    Tls,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_kubernetes import (
    Autoscaling,
    Ingress,
    Kubernetes,
    KubernetesService,
    KubernetesStore,
    LoadBalancer,
    Probes,
)

ROOT = pathlib.Path(__file__).resolve().parents[3]
_SPEC = importlib.util.spec_from_file_location(
    "platform_reference", ROOT / "tests/tools/platform_reference.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
reference = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(reference)


def test_the_committed_page_is_the_generated_one() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.render(load_schema())


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(load_schema())
    assert pathlib.Path(SCHEMA_PATH).resolve() == reference.SCHEMA


def test_editors_refuse_misspelt_variables_too() -> None:
    validator = jsonschema.Draft202012Validator(load_schema())
    assert validator.is_valid({"platform_name": "shop", "another_variable": 1})
    assert not validator.is_valid({"platform_nmae": "shop"})
    names = load_schema()["propertyNames"]["anyOf"][1]["enum"]
    assert names == list(load_schema()["properties"])


def test_every_property_is_described() -> None:
    for name, spec in load_schema()["$defs"].items():
        for key, value in reference.object_of(spec).get("properties", {}).items():
            referred = load_schema()["$defs"].get(value.get("$ref", "").rpartition("/")[2], {})
            assert value.get("description") or referred.get("description"), f"{name}.{key}"


@pytest.mark.parametrize(
    ("definition", "make", "plain"),
    [
        ("health", build.health, Health()),
        ("tls", build_policy.tls, Tls()),
        ("maintenance", build_policy.maintenance, Maintenance()),
        ("edge", build_policy.edge, Edge()),
        ("gates", build_policy.gates, Gates()),
        ("probe", build_policy.probe, Probe()),
        ("release", build_policy.release, ReleasePolicy()),
        ("kubernetes", build_kubernetes.kubernetes, Kubernetes()),
        ("kubernetesIngress", build_kubernetes.ingress, Ingress()),
        ("kubernetesService", build_kubernetes.service, KubernetesService()),
        ("loadBalancer", build_kubernetes.load_balancer, LoadBalancer()),
        (
            "livenessProbe",
            lambda raw: build_kubernetes.probe_times(raw, Probes().liveness),
            Probes().liveness,
        ),
        (
            "readinessProbe",
            lambda raw: build_kubernetes.probe_times(raw, Probes().readiness),
            Probes().readiness,
        ),
        (
            "scalingUp",
            lambda raw: build_kubernetes.scaling(raw, Autoscaling(1, 2).up),
            Autoscaling(1, 2).up,
        ),
        (
            "scalingDown",
            lambda raw: build_kubernetes.scaling(raw, Autoscaling(1, 2).down),
            Autoscaling(1, 2).down,
        ),
        ("kubernetesStore", lambda raw: build_kubernetes.store(raw, None), KubernetesStore()),
    ],
)
def test_documented_defaults_are_the_real_ones(definition: str, make: Any, plain: Any) -> None:
    """Writing every default of the schema out gives what leaving all of them out gives."""
    spec = reference.object_of(load_schema()["$defs"][definition])
    defaults = {k: v["default"] for k, v in spec["properties"].items() if "default" in v}
    assert defaults
    assert dataclasses.is_dataclass(plain)
    assert json.dumps(encode(make(defaults))) == json.dumps(encode(plain))
