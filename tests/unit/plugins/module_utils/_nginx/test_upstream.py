# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx_upstream from request to facts, against an edge in memory and real files."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import document, upstream
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    AbsentError,
    MainstayError,
)

from .fakes import FakeClock, FakeEdge

OLD, NEW = "10.0.0.1:80", "10.0.0.2:80"


def to(address: str) -> dict[str, Any]:
    """The document with one member."""
    members = [{"address": address}]
    return document.normalise({"api": {"groups": [{"release": "r1", "members": members}]}})


def request(tmp_path: pathlib.Path, address: str = NEW, **more: Any) -> upstream.Request:
    """A request to have C(address) serve."""
    return dataclasses.replace(
        upstream.Request(
            "shop-production", to(address), fence=1, directory=str(tmp_path / "state")
        ),
        **more,
    )


def kept(tmp_path: pathlib.Path) -> Any:
    """What a restart of Nginx would find."""
    path = tmp_path / "state" / "upstreams.json"
    return json.loads(path.read_text())["upstreams"] if path.exists() else None


def test_waits_until_every_worker_chooses_by_the_new_document(tmp_path: pathlib.Path) -> None:
    """The module must not return while a worker still sends requests to the old members."""
    edge = FakeEdge(upstreams=to(OLD))
    clock = FakeClock(on_sleep=edge.advance)
    result = upstream.apply(request(tmp_path), edge, clock)
    assert result.changed
    assert edge.seen == [2, 2]
    assert result.facts["edge"]["generation"] == 2
    assert result.facts["edge"]["upstreams"] == to(NEW)
    assert NEW in result.diff["after"] and OLD in result.diff["before"]


class Stopped(FakeEdge):
    """An edge whose Nginx does not run."""

    def status(self, since: Any = None) -> Any:
        raise AbsentError("Nginx does not run")


def test_a_stopped_edge_gets_the_members_for_its_next_start(tmp_path: pathlib.Path) -> None:
    """Seen failing without it: one dead edge kept all hosts from going back."""
    edge = FakeEdge(upstreams=to(OLD))
    upstream.apply(request(tmp_path), edge, FakeClock(on_sleep=edge.advance))
    asked = request(tmp_path, OLD, accept_stopped=True)
    would = upstream.apply(dataclasses.replace(asked, check=True), Stopped(), FakeClock())
    assert kept(tmp_path) == to(NEW)
    done = upstream.apply(asked, Stopped(), FakeClock())
    assert would.actions == done.actions
    assert "for its next start" in done.actions[0]
    assert kept(tmp_path) == to(OLD)
    assert not upstream.apply(asked, Stopped(), FakeClock()).changed


def test_a_stopped_edge_refuses_a_switch_and_a_host_that_is_no_edge(tmp_path: pathlib.Path) -> None:
    with pytest.raises(MainstayError, match="does not run"):
        upstream.apply(request(tmp_path), Stopped(), FakeClock())
    with pytest.raises(MainstayError, match="never was an edge"):
        upstream.apply(request(tmp_path, accept_stopped=True), Stopped(), FakeClock())
    assert kept(tmp_path) is None


def test_the_file_is_there_before_the_edge_changes(tmp_path: pathlib.Path) -> None:
    """Nginx may be restarted at any instant: it must never come up with an older document."""
    seen: list[Any] = []
    edge = FakeEdge(upstreams=to(OLD), before_put=lambda: seen.append(kept(tmp_path)))
    upstream.apply(request(tmp_path), edge, FakeClock(on_sleep=edge.advance))
    assert seen == [to(NEW)]


@pytest.mark.parametrize("existed", [True, False], ids=["file-before", "no-file-before"])
def test_the_file_is_put_back_when_the_edge_refuses(tmp_path: pathlib.Path, existed: bool) -> None:
    """A restart must not bring members that were never accepted."""
    edge = FakeEdge(upstreams=to(OLD))
    if existed:
        upstream.apply(request(tmp_path, OLD), edge, FakeClock())
    edge.failure = MainstayError("no room")
    with pytest.raises(MainstayError, match="no room"):
        upstream.apply(request(tmp_path), edge, FakeClock())
    assert kept(tmp_path) == (to(OLD) if existed else None)


def test_the_same_document_changes_nothing(tmp_path: pathlib.Path) -> None:
    """Four runs: check says change, run changes, check says nothing, run changes nothing."""
    edge = FakeEdge(upstreams=to(OLD))
    clock = FakeClock(on_sleep=edge.advance)
    first = upstream.apply(request(tmp_path, check=True), edge, clock)
    assert first.changed and edge.puts == 0 and kept(tmp_path) is None
    second = upstream.apply(request(tmp_path), edge, clock)
    assert second.changed and second.actions == first.actions
    third = upstream.apply(request(tmp_path, check=True), edge, clock)
    fourth = upstream.apply(request(tmp_path), edge, clock)
    assert not third.changed and not fourth.changed
    assert edge.puts == 1


def test_a_lost_file_is_written_again_without_touching_the_edge(tmp_path: pathlib.Path) -> None:
    """A restart would otherwise lose the members."""
    edge = FakeEdge(upstreams=to(NEW))
    result = upstream.apply(request(tmp_path), edge, FakeClock())
    assert result.changed and edge.puts == 0
    assert kept(tmp_path) == to(NEW)


def test_a_worker_that_stays_behind_is_named(tmp_path: pathlib.Path) -> None:
    """After the timeout the document is in place, but it is not certain who serves by it."""
    edge = FakeEdge(upstreams=to(OLD), stuck=True)
    with pytest.raises(MainstayError, match="10, 11"):
        upstream.apply(request(tmp_path), edge, FakeClock())


def test_another_run_that_replaces_the_document_is_noticed(tmp_path: pathlib.Path) -> None:
    """Two runs must not both believe that they have won."""
    edge = FakeEdge(upstreams=to(OLD))

    def interfere() -> None:
        edge.upstreams = to(OLD)

    with pytest.raises(MainstayError, match="replaced by somebody else"):
        upstream.apply(request(tmp_path), edge, FakeClock(on_sleep=interfere))


def test_drain_waits_for_what_is_open(tmp_path: pathlib.Path) -> None:
    """A container may be stopped when this says drained."""
    edge = FakeEdge(upstreams=to(NEW), open={OLD: 3})

    def finish_one() -> None:
        edge.open[OLD] = max(0, edge.open[OLD] - 1)

    clock = FakeClock(on_sleep=finish_one)
    result = upstream.apply(request(tmp_path, drain=(OLD,)), edge, clock)
    assert result.facts["edge"]["drained"] is True
    assert clock.now == pytest.approx(100.0 + 3 * upstream.INTERVAL)


def test_drain_ends_at_its_timeout(tmp_path: pathlib.Path) -> None:
    """A socket may stay open for ever; the caller decides what then."""
    edge = FakeEdge(upstreams=to(NEW), open={OLD: 1})
    result = upstream.apply(request(tmp_path, drain=(OLD,), drain_timeout=1.0), edge, FakeClock())
    assert result.facts["edge"]["drained"] is False
    assert any("still has 1 open" in action for action in result.actions)


def test_drain_is_not_over_while_a_worker_may_still_choose_the_member(
    tmp_path: pathlib.Path,
) -> None:
    """Nothing open proves nothing as long as a worker has not seen the new document."""
    edge = FakeEdge(upstreams=to(NEW))
    upstream.apply(request(tmp_path), edge, FakeClock())
    edge.generation, edge.seen, edge.stuck = 2, [2, 1], True
    result = upstream.apply(request(tmp_path, drain=(OLD,), drain_timeout=1.0), edge, FakeClock())
    assert result.facts["edge"]["drained"] is False


def test_a_member_that_stays_is_not_waited_for(tmp_path: pathlib.Path) -> None:
    """It would never be free of requests."""
    edge = FakeEdge(upstreams=to(NEW), open={NEW: 9})
    clock = FakeClock()
    result = upstream.apply(request(tmp_path, drain=(NEW,)), edge, clock)
    assert result.facts["edge"]["drained"] is False
    assert clock.now == 100.0


def test_a_lower_fence_changes_nothing(tmp_path: pathlib.Path) -> None:
    """A run that lost its lock must not move traffic."""
    edge = FakeEdge(upstreams=to(OLD))
    upstream.apply(request(tmp_path, fence=5), edge, FakeClock(on_sleep=edge.advance))
    with pytest.raises(MainstayError, match="lost its lock"):
        upstream.apply(request(tmp_path, OLD, fence=4), edge, FakeClock())
    assert edge.upstreams == to(NEW)


def test_the_edge_of_another_platform_is_left_alone(tmp_path: pathlib.Path) -> None:
    """A wrong inventory must not send one platform's clients to another."""
    edge = FakeEdge(platform="other-staging")
    with pytest.raises(MainstayError, match="another platform"):
        upstream.apply(request(tmp_path), edge, FakeClock())
    assert edge.puts == 0


def test_an_empty_document_is_a_document(tmp_path: pathlib.Path) -> None:
    """Before the first release, and when a platform is taken down."""
    edge = FakeEdge(upstreams=to(OLD))
    clock = FakeClock(on_sleep=edge.advance)
    result = upstream.apply(request(tmp_path, upstreams={}), edge, clock)
    assert result.actions == ["stop sending requests to api"]
    assert edge.upstreams == {} and kept(tmp_path) == {}


def test_info_tells_what_the_gate_needs() -> None:
    """Names of the facts are a contract with the release."""
    facts = upstream.info("shop-production", FakeEdge(upstreams=to(OLD), open={OLD: 2}))
    assert facts["active"] == {OLD: 2}
    assert set(facts) == {
        "generation",
        "upstreams",
        "active",
        "mark",
        "statistics",
        "maintenance",
        "nginx",
        "settled",
    }


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null"])
def test_a_damaged_file_is_replaced(tmp_path: pathlib.Path, text: str) -> None:
    """It must not hold up a switch, and even less the way back."""
    path = tmp_path / "state" / "upstreams.json"
    path.parent.mkdir()
    path.write_text(text)
    edge = FakeEdge(upstreams=to(OLD))
    assert upstream.apply(request(tmp_path), edge, FakeClock(on_sleep=edge.advance)).changed
    assert kept(tmp_path) == to(NEW)
