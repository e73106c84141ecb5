# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every broken description for Kubernetes is refused, with exact paths; the sound one is not."""

from __future__ import annotations

import copy
import pathlib
from typing import Any, Optional

import pytest
import yaml

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.describe import describe
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    Problem,
    errors_of,
    warnings_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform

HERE = pathlib.Path(__file__).parent
SOUND: dict[str, Any] = yaml.safe_load((HERE / "kubernetes_descriptions.yml").read_text())
BROKEN: list[dict[str, Any]] = yaml.safe_load((HERE / "broken_kubernetes.yml").read_text())
GROUPS = {"cluster": ["localhost"], "edge": ["edge1"]}


def found(
    change: dict[str, Any], groups: Optional[dict[str, list[str]]] = None
) -> tuple[Optional[Platform], list[Problem]]:
    """What describe() says about a changed description."""
    variables = copy.deepcopy(SOUND)
    for path, value in change.items():
        parts = path.split(".")
        place: Any = variables
        for part in parts[:-1]:
            place = place.setdefault(part, {})
        if value is None:
            place.pop(parts[-1])
        else:
            place[parts[-1]] = value
    return describe(variables, {}, GROUPS if groups is None else groups)


def test_the_sound_description_has_no_problems() -> None:
    platform, problems = found({})
    assert problems == []
    assert platform is not None
    assert decode(Platform, encode(platform)) == platform


def test_there_are_enough_cases() -> None:
    assert len(BROKEN) >= 60
    assert len({case["id"] for case in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("case", BROKEN, ids=[case["id"] for case in BROKEN])
def test_broken_description(case: dict[str, Any]) -> None:
    platform, problems = found(case["change"])
    assert sorted(p.path for p in errors_of(problems)) == sorted(case["paths"])
    assert platform is None
    assert case.get("hint") in (None, *(p.hint for p in problems))


def test_a_cluster_needs_a_host_that_reaches_it() -> None:
    _platform, problems = found({}, {"app": ["app1"]})
    assert [p.path for p in errors_of(problems)] == ["groups.cluster"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param(
            {"platform_services.web.stop_signal": "SIGQUIT"},
            "platform_services.web.stop_signal",
            id="signal of the image",
        ),
        pytest.param(
            {"platform_services.web.kubernetes": {"disruption": 0}},
            "platform_services.web.kubernetes.disruption",
            id="nodes that cannot be drained",
        ),
        pytest.param(
            {"platform_kubernetes.quota.pods": 22},
            "platform_kubernetes.quota.pods",
            id="quota too small at the top",
        ),
    ],
)
def test_warning(change: dict[str, Any], path: str) -> None:
    platform, problems = found(change)
    assert platform is not None
    assert [p.path for p in warnings_of(problems)] == [path]


def test_a_blue_green_release_needs_room_for_both() -> None:
    """Pods at the least: 13 of stores, 3 + 2 + 1 of services, twice."""
    change = {
        "platform_kubernetes.quota.pods": 21,
        "platform_release.strategy": "blue_green",
        "platform_services.api.kubernetes.autoscaling": None,
    }
    _platform, problems = found(change)
    assert [p.path for p in errors_of(problems)] == ["platform_kubernetes.quota.pods"]
