# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every broken description and run is refused, with the exact paths; the sound one is not."""

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
    message,
    warnings_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform

HERE = pathlib.Path(__file__).parent
SOUND: dict[str, Any] = yaml.safe_load((HERE / "descriptions.yml").read_text())
BROKEN: list[dict[str, Any]] = yaml.safe_load((HERE / "broken_descriptions.yml").read_text())
BROKEN_RUNS: list[dict[str, Any]] = yaml.safe_load((HERE / "broken_runs.yml").read_text())
GROUPS = {"edge": ["edge1"], "app": ["app1", "app2"], "database": ["db1"]}


def changed(change: dict[str, Any]) -> dict[str, Any]:
    """The sound description with C(change): dotted path to value, None takes the place away."""
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
    return variables


def found(
    change: dict[str, Any], run: Optional[dict[str, Any]] = None
) -> tuple[Optional[Platform], list[Problem]]:
    """What describe() says about a changed description."""
    return describe(changed(change), run or {}, GROUPS, list(run or {}))


def test_the_sound_description_has_no_problems() -> None:
    platform, problems = found({})
    assert problems == []
    assert platform is not None
    assert platform.id == "shop-production"


def test_there_are_enough_cases() -> None:
    assert len(BROKEN) >= 40
    assert len(BROKEN_RUNS) >= 20
    assert len({case["id"] for case in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("case", BROKEN, ids=[case["id"] for case in BROKEN])
def test_broken_description(case: dict[str, Any]) -> None:
    platform, problems = found(case["change"])
    assert sorted(p.path for p in errors_of(problems)) == sorted(case["paths"])
    assert platform is None
    assert case.get("hint") in (None, *(p.hint for p in problems))


@pytest.mark.parametrize("case", BROKEN_RUNS, ids=[case["id"] for case in BROKEN_RUNS])
def test_broken_run(case: dict[str, Any]) -> None:
    platform, problems = found(case.get("change") or {}, case["run"])
    assert sorted(p.path for p in errors_of(problems)) == sorted(case["paths"])
    assert platform is None
    assert case.get("hint") in (None, *(p.hint for p in problems))


def test_all_problems_in_one_message() -> None:
    wanted = [
        "misspelt key of a service",
        "misspelt strategy",
        "health path without a slash",
        "password in clear text",
        "no encryption in production",
        "unknown store in the environment",
        "placeholder as a secret",
        "canary that does not rise",
        "managed store without an address",
        "worker with routes",
        "port out of range",
        "volume of a store in a service",
    ]
    cases = [case for case in BROKEN if case["id"] in wanted]
    assert len(cases) == len(wanted)
    change = {path: value for case in cases for path, value in case["change"].items()}
    run = {"release_verison": "2.4.2", "release_versions": {"apy": "1"}}
    _platform, problems = found(change, run)
    paths = {path for case in cases for path in case["paths"]}
    paths |= {"release_verison", "release_versions.apy"}
    assert {p.path for p in errors_of(problems)} == paths
    text = message(errors_of(problems))
    assert f"has {len(paths)} problems; nothing was changed" in text
    for path in paths:
        assert f". {path}: " in text


def test_no_secret_value_is_ever_told() -> None:
    secrets = {
        "jwt_secret": "canary-value-1",
        "db_password": "canary value/2@",
        "redis_password": 31337_31337,
        "registry_token": ["canary-value-4"],
    }
    change = {
        "platform_secrets": secrets,
        "platform_services.api.env.COPY": "canary-value-1",
        "platform_services.api.env.SMTP_PASSWORD": "canary-value-5",
        "platform_env.URL": "redis://:canary-value-6@host",
    }
    _platform, problems = found(change)
    told = message(problems) + repr(problems)
    assert len(errors_of(problems)) >= 6
    for value in ("canary-value", "canary value", "3133731337"):
        assert value not in told


def test_the_platform_holds_no_secret_value_and_survives_a_round_trip() -> None:
    platform, _problems = found({})
    data = encode(platform)
    for value in SOUND["platform_secrets"].values():
        assert value not in str(data)
    assert decode(Platform, data) == platform


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (
            {"platform_services.api.routes": [{"path": "/socket.io", "websocket": True}]},
            "platform_services.api.routes[0]",
        ),
        (
            {"platform_services.api.migration.reversible": False},
            "platform_services.api.migration.reversible",
        ),
        ({"platform_secrets.spare": "Kq7wRt5yUi3oPa9s"}, "platform_secrets.spare"),
        ({"platform_services.api.stop_grace": "5s"}, "platform_services.api.stop_grace"),
        (
            {"platform_services.worker.volumes": ["files:/files"]},
            "platform_services.worker.volumes[0]",
        ),
    ],
)
def test_what_is_only_a_warning(change: dict[str, Any], path: str) -> None:
    platform, problems = found(change)
    assert [p.path for p in warnings_of(problems)] == [path]
    assert platform is not None


@pytest.mark.parametrize("group", ["edge", "app"])
def test_an_empty_group_is_refused(group: str) -> None:
    _platform, problems = describe(SOUND, {}, {**GROUPS, group: []})
    assert [p.path for p in errors_of(problems)] == [f"groups.{group}"]


def test_rules_of_production_are_warnings_elsewhere() -> None:
    change = {
        "platform_stage": "staging",
        "platform_services.web.replicas": 1,
        "platform_services.web.version": "latest",
        "platform_stores.db.backup": None,
    }
    platform, problems = found(change)
    assert platform is not None
    assert len(warnings_of(problems)) == 3


def test_the_example_of_the_guide_is_sound() -> None:
    guide = (HERE.parents[4] / "docs/guides/describe.md").read_text()
    block = guide[guide.index("    platform_name: shop") : guide.index("The hosts stand in")]
    variables = yaml.safe_load(block)
    assert set(variables["platform_secrets"]) == {"jwt_secret", "db_password"}
    variables["platform_secrets"] = {
        k: SOUND["platform_secrets"][k] for k in ("jwt_secret", "db_password")
    }
    platform, problems = describe(variables, {}, GROUPS)
    assert problems == []
    assert platform is not None


@pytest.mark.parametrize(
    ("run", "replicas", "selected"),
    [
        pytest.param({"release_replicas": {"api": 5}}, 5, ("api",), id="an object"),
        pytest.param({"release_replicas": '{"api":5}'}, 5, ("api",), id="its JSON text"),
        pytest.param({"release_replicas": ""}, 3, (), id="a survey nobody filled in"),
        pytest.param(
            {"release_replicas": {"api": 5}, "release_versions": {"web": "2.5.0"}},
            5,
            ("web", "api"),
            id="beside the version of another service",
        ),
        pytest.param(
            {"release_replicas": {"api": 5}, "release_version": "2.5.0"},
            5,
            (),
            id="and a version for all",
        ),
    ],
)
def test_a_run_scales_a_service(
    run: dict[str, Any], replicas: int, selected: tuple[str, ...]
) -> None:
    platform, problems = found({}, run)
    assert problems == []
    assert platform is not None
    assert platform.service("api").replicas == replicas
    assert platform.selected == selected


def variable(value: str) -> list[Problem]:
    """What is said about C(api) with this value in its environment."""
    return errors_of(found({"platform_services.api.env.TEXT": value})[1])


@pytest.mark.parametrize(("length", "problems"), [(131_066, 0), (131_067, 1), (2_000_000, 1)])
def test_a_variable_is_as_long_as_a_program_can_be_started_with(length: int, problems: int) -> None:
    """131,071 bytes with C(TEXT=). Seen not to end when the time grew with the square."""
    assert len(variable("a" * length)) == problems
    assert len(variable("\u00e9" * (length // 2 + length % 2))) == problems


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("redis://:canary@cache", id="without-a-user"),
        pytest.param("a 1redis://me:canary@cache b", id="digit-before"),
        pytest.param("redis://me:${secret:jwt}@cache,redis://me:canary@other", id="second-url"),
    ],
)
def test_a_password_in_any_url_is_refused(value: str) -> None:
    text = message(variable(value))
    assert "a URL with a password in clear text" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    "change",
    [
        {
            "platform_registries": {
                "ghcr.io": {"kind": "ghcr", "username": "a", "password": "VALUE"}
            }
        },
        {"platform_stores.db.password": "VALUE"},
        {"platform_stores.db.password": "VALUE and more"},
        {"platform_stores.db": {"password": ["VALUE"]}},
        {"platform_stores.db": [{"password": "VALUE"}]},
        {"platform_services.api.secrets": ["VALUE!"]},
        {"platform_services.api.env": {"DB": {"password": "VALUE"}}},
        {"platform_services.api": ["VALUE"]},
        {"platform_release.gates": {"prometheus_url": "https://user:VALUE@prometheus"}},
        {"platform_secrets.db_password": ["VALUE"]},
    ],
)
def test_what_may_be_a_secret_is_not_shown(change: dict[str, Any]) -> None:
    """A password that was written where its name belongs must not be in the message."""
    for secret in ("hunter2", "Tr0ub4dor&3"):
        text = str(change).replace("VALUE", secret)
        _platform, problems = found(yaml.safe_load(text))
        assert problems
        assert secret not in message(problems), message(problems)
        assert secret not in str([problem.as_dict() for problem in problems])


def test_dumps_that_stay_on_their_host_are_a_warning_in_production() -> None:
    store = {
        "kind": "postgres",
        "mode": "docker",
        "version": "17",
        "volume": "data:/var/lib/postgresql/data",
        "password": "db_password",
        "backup": {},
    }
    _platform, problems = found({"platform_stores.own": store})
    assert [p.path for p in warnings_of(problems)] == ["platform_stores.own.backup.repositories"]
    _platform, problems = found({"platform_stores.own": store, "platform_stage": "staging"})
    assert warnings_of(problems) == []
