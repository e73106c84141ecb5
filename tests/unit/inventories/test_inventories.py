# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every inventory of the collection validates, for every stage, and carries its papers' figures."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import pytest
import yaml
from unit.support_description import ROOT
from unit.support_inventories import NAMES, STAGES, described

#: Stages of single inventories.
FURTHER_STAGES = {"thedot": ("gke", "aks", "onpremises")}
FIGURES: list[dict[str, Any]] = yaml.safe_load(
    (pathlib.Path(__file__).parent / "figures.yml").read_text()
)


def value_at(platform: Any, path: str) -> Any:
    """C(services.api.port): items of lists by their name, server or index."""
    place, rest = platform, path
    while rest:
        if isinstance(place, dict):
            key = next(
                k for k in sorted(place, key=len, reverse=True) if f"{rest}.".startswith(f"{k}.")
            )
            place = place[key]
        else:
            labels = [str(i.get("name") or i.get("server") or n) for n, i in enumerate(place)]
            key = next(label for label in labels if f"{rest}.".startswith(f"{label}."))
            place = place[labels.index(key)]
        rest = rest[len(key) + 1 :]
    return place


def test_all_inventories_are_looked_at() -> None:
    assert {"demo", "solo", "quality", "daira", "nestjs", "rez", "thedot"} <= set(NAMES)
    on_kubernetes = {
        n for n in NAMES if described(n, "production")["platform"]["runtime"] != "docker"
    }
    assert on_kubernetes == {
        "rez",
        "thedot",
        *(f"{name}_kubernetes" for name in ("demo", "quality", "daira", "nestjs")),
    }


@pytest.mark.parametrize(
    ("name", "stage"),
    [(name, stage) for name in NAMES for stage in (*STAGES, *FURTHER_STAGES.get(name, ()))],
)
def test_inventory_validates(name: str, stage: str) -> None:
    result = described(name, stage)
    assert not result.get("failed"), result.get("msg")
    assert result["platform"]["stage"] == stage
    assert result["platform_id"] == f"{result['platform']['name']}-{stage}"
    if stage == "production":
        assert result["problems"] == []


@pytest.mark.parametrize(
    "figure",
    FIGURES,
    ids=[f"{f['platform']}-{f.get('stage', 'production')}-{f['path']}" for f in FIGURES],
)
def test_figure(figure: dict[str, Any]) -> None:
    platform = described(figure["platform"], figure.get("stage", "production"))["platform"]
    assert value_at(platform, figure["path"]) == figure["is"]


@pytest.mark.parametrize("name", NAMES)
def test_editors_find_the_schema(name: str) -> None:
    files = list((ROOT / "inventories" / name / "group_vars/all").glob("*.yml"))
    assert files
    for path in files:
        match = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
        assert match, path
        assert (path.parent / match.group(1)).resolve().name == "schema.json"
        assert (path.parent / match.group(1)).resolve().is_file()


def test_no_inventory_holds_a_secret() -> None:
    for name in NAMES:
        for path in (ROOT / "inventories" / name).rglob("*.yml"):
            values = (yaml.safe_load(path.read_text()) or {}).get("platform_secrets") or {}
            for secret, value in values.items():
                assert "lookup(" in value, f"{path}: {secret}"
