# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories for Kubernetes as objects: safe, with their papers' figures, open where needed."""

from __future__ import annotations

import functools
import pathlib
from typing import Any

import pytest
import yaml
from unit.plugins.module_utils._kubernetes.kubernetes_support import (
    allowed,
    containers,
    not_restricted,
    pod_templates,
)
from unit.support_inventories import NAMES, STAGES, described

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import view
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import decode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform

HERE = pathlib.Path(__file__).parent
FIGURES = [
    {**entry, "path": path, "is": value}
    for entry in yaml.safe_load((HERE / "kubernetes_figures.yml").read_text())
    for path, value in entry["figures"].items()
]
ALLOWED: dict[str, list[str]] = yaml.safe_load((HERE / "kubernetes_allowed.yml").read_text())
PLACES = [
    *((f"{name}_kubernetes", stage) for name in ("demo", "quality") for stage in STAGES),
    *((name, stage) for name in ("rez", "thedot") for stage in STAGES),
    *(("thedot", stage) for stage in ("gke", "aks", "onpremises")),
    *((f"{name}_kubernetes", stage) for name in ("daira", "nestjs") for stage in STAGES),
]


@functools.cache
def rendered(name: str, stage: str) -> list[dict[str, Any]]:
    """All objects, with secrets made up; they are not looked at."""
    platform = decode(Platform, described(name, stage)["platform"])
    secrets = {secret: f"value-of-{secret}" for secret in platform.secret_names}
    return view.manifests(platform, secrets) + view.migrations(
        platform, secrets, "20261121T101500Z-4f2a91"
    )


def at(document: Any, path: str) -> Any:
    """C(spec.rules[0].host); C([name=x]) is the item of a list that has this name."""
    place = document
    for part in path.replace("]", "").replace("[", ".").split("."):
        if "=" in part:
            key, _equals, wanted = part.partition("=")
            place = next(item for item in place if item[key] == wanted)
        else:
            place = place[int(part)] if part.isdigit() else place[part.replace("~", ".")]
    return place


def test_every_inventory_for_kubernetes_is_looked_at() -> None:
    found = {n for n in NAMES if described(n, "production")["platform"]["runtime"] == "kubernetes"}
    assert {name for name, _stage in PLACES} == found


@pytest.mark.parametrize(("name", "stage"), PLACES)
def test_pods_meet_the_level_of_their_namespace(name: str, stage: str) -> None:
    found = rendered(name, stage)
    namespace = next(m for m in found if m["kind"] == "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    templates = list(pod_templates(found))
    assert templates
    for where, template in templates:
        assert not_restricted(template) == [], where
        for container in containers(template):
            assert container["resources"]["limits"], where


@pytest.mark.parametrize(("name", "stage"), PLACES)
def test_each_object_once(name: str, stage: str) -> None:
    names = [
        (m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"])
        for m in rendered(name, stage)
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "figure",
    FIGURES,
    ids=[f"{f['platform']}-{f['object']}-{f['path']}" for f in FIGURES],
)
def test_figure(figure: dict[str, Any]) -> None:
    kind, _slash, name = figure["object"].partition("/")
    item = next(
        m
        for m in rendered(figure["platform"], figure.get("stage", "production"))
        if m["kind"] == kind and m["metadata"]["name"] == name
    )
    assert at(item, figure["path"]) == figure["is"]


@pytest.mark.parametrize("place", sorted(ALLOWED))
def test_exactly_these_may_talk(place: str) -> None:
    """The whole matrix: every pair of parts and of what lies around, on every port."""
    name, _slash, stage = place.partition("/")
    assert allowed(rendered(name, stage)) == sorted(ALLOWED[place])


def test_the_matrix_is_there_for_every_platform() -> None:
    assert {place.partition("/")[0] for place in ALLOWED} == {name for name, _stage in PLACES}
