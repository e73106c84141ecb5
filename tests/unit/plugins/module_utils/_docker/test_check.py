# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional, cast

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._docker.check import (
    OwnCheck,
    command_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import DockerClient
from ansible_collections.mainstay.platform.plugins.module_utils._docker.health import (
    FAILED,
    READY,
    Seen,
    Wanted,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.watch import Watch
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


class Engine:
    """Answers to the check one after the other, the last one for ever; events that came before."""

    def __init__(self, *answers: Any, events: tuple[Mapping[str, Any], ...] = ()) -> None:
        self.answers, self.happened = list(answers), events
        self.asked: list[list[str]] = []
        self.inspected: Optional[dict[str, Any]] = {"State": {"Running": True}}

    def ask(self, name: str, command: list[str], limit: float) -> Optional[int]:
        self.asked.append(command)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return cast("Optional[int]", answer)

    def inspect(self, name: str) -> dict[str, Any]:
        """The events above end at once, so that this is looked at."""
        if self.inspected is None:
            raise MainstayError("the Engine is gone")
        return self.inspected

    def events(self, platform: str) -> Iterator[Mapping[str, Any]]:
        return iter(self.happened)

    def close(self) -> None:
        pass


def check_of(engine: Engine) -> OwnCheck:
    return OwnCheck(cast(DockerClient, engine), "w", ["/check"], 1.0)


CHECKED, STEADY = Wanted(check=True), Wanted(steady=0.05)


def waited(engine: Engine, seen: Seen, wanted: Wanted = CHECKED) -> tuple[str, str]:
    with Watch(cast(DockerClient, engine), "p") as watch:
        verdict, text, _seen = watch.until_ready(
            "w",
            wanted,
            None,
            interval=0.01,
            limit=0.5,
            seen=seen,
            check=check_of(engine),
        )
    return verdict, text


@pytest.mark.parametrize(
    ("config", "command"),
    [
        pytest.param({}, [], id="none"),
        pytest.param({"Healthcheck": {"Test": ["NONE"]}}, [], id="switched-off"),
        pytest.param({"Healthcheck": {"Test": []}}, [], id="inherited-of-nothing"),
        pytest.param({"Healthcheck": {"Test": ["CMD", "/a", "b c"]}}, ["/a", "b c"], id="words"),
        pytest.param(
            {"Healthcheck": {"Test": ["CMD-SHELL", "a | b"]}},
            ["/bin/sh", "-c", "a | b"],
            id="shell",
        ),
        pytest.param(
            {"Healthcheck": {"Test": ["CMD-SHELL", "a"]}, "Shell": ["/bin/bash", "-ec"]},
            ["/bin/bash", "-ec", "a"],
            id="shell-of-the-image",
        ),
    ],
)
def test_the_command_is_the_one_that_the_engine_runs(
    config: dict[str, Any], command: list[str]
) -> None:
    assert command_of({"Config": config}) == command


def test_a_check_that_passes_counts_before_the_engine_ran_it() -> None:
    assert waited(Engine(1, MainstayError("not up"), 0), Seen(check="starting"))[0] == READY


def test_a_check_that_never_passes_does_not_count() -> None:
    assert waited(Engine(1), Seen(check="starting")) == (
        FAILED,
        "waited 0 s for its health check to pass",
    )


def test_what_the_engine_found_is_not_asked_again() -> None:
    engine = Engine(0)
    assert waited(engine, Seen(check="unhealthy")) == (FAILED, "turned unhealthy")
    assert engine.asked == []


def test_a_check_that_hangs_is_asked_once() -> None:
    engine = Engine(None)
    check = check_of(engine)
    assert [check(), check()] == [False, False]
    assert len(engine.asked) == 1


def test_an_end_is_seen_although_the_events_ended() -> None:
    """The Engine was restarted: its events end, and nobody tells of a worker that exited."""
    engine = Engine(0)
    engine.inspected = {"State": {"Running": False, "ExitCode": 4}}
    assert waited(engine, Seen(), STEADY) == (FAILED, "exited")


def test_nothing_is_ready_while_the_engine_is_silent() -> None:
    engine = Engine(0)
    engine.inspected = None
    text = "waited 0 s for the Docker Engine to answer"
    assert waited(engine, Seen(), STEADY) == (FAILED, text)


def test_a_steady_worker_is_ready_without_events() -> None:
    assert waited(Engine(0), Seen(), STEADY)[0] == READY
