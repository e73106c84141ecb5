# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands in a description, describe() answers with problems and never with a traceback."""

from __future__ import annotations

import copy
import pathlib
from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    decode,
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.describe import describe
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    errors_of,
    message,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform

SOUND: dict[str, Any] = yaml.safe_load(
    (pathlib.Path(__file__).parent / "descriptions.yml").read_text()
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a description, containers included."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


PLACES = sorted(places(SOUND), key=str)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.sampled_from(["", "/", "${", "${secret:x}", "0", "1h", "10%", "a:/b", "production", "'x"]),
    st.just([]),
    st.just({}),
    st.just({"junk": 1}),
    st.just(["junk"]),
    st.just([{"path": "/x", "service": "web"}]),
)


def with_change(variables: dict[str, Any], path: tuple[Any, ...], value: Any, drop: bool) -> None:
    """Set or drop one place, when it is still there."""
    place: Any = variables
    for key in path[:-1]:
        there = key in place if isinstance(place, dict) else isinstance(place, list) and key == 0
        if not there or not place:
            return
        place = place[key]
    if isinstance(place, dict) and drop:
        place.pop(path[-1], None)
    elif isinstance(place, dict if isinstance(path[-1], str) else list) and place:
        place[path[-1]] = copy.deepcopy(value)  # else a value can come to hold itself


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(PLACES), JUNK, st.booleans()), min_size=1, max_size=4
    )
)
def test_any_description_is_answered(changes: list[tuple[Any, Any, bool]]) -> None:
    variables = copy.deepcopy(SOUND)
    for path, value, drop in changes:
        with_change(variables, path, value, drop)
    before = copy.deepcopy(variables)
    platform, problems = describe(variables, {}, {"edge": ["e"], "app": ["a"]})
    assert variables == before
    assert (platform is None) == bool(errors_of(problems))
    assert message(problems)
    if platform is not None:
        assert decode(Platform, encode(platform)) == platform


@settings(max_examples=150, deadline=None)
@given(
    run=st.dictionaries(
        st.sampled_from(
            [
                "release_version",
                "release_versions",
                "release_replicas",
                "release_services",
                "release_strategy",
                "release_id",
                "restore_target",
                "ops_confirm",
            ]
        ),
        JUNK,
        min_size=1,
    )
)
def test_any_run_is_answered(run: dict[str, Any]) -> None:
    platform, problems = describe(SOUND, run, {}, list(run))
    assert (platform is None) == bool(errors_of(problems))
