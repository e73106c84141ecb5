# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The maintenance switch, against an edge in memory and real files."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import maintenance
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    AbsentError,
    MainstayError,
)

from .fakes import FakeClock, FakeEdge


def request(tmp_path: pathlib.Path, on: bool, **more: object) -> maintenance.Request:
    """A request for the page, or for none."""
    base = maintenance.Request("shop-production", on, 1, str(tmp_path), 10.0, False)
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]


def kept(tmp_path: pathlib.Path) -> bool:
    """What a restart of Nginx would find."""
    return bool(json.loads((tmp_path / "maintenance.json").read_text())["on"])


def test_four_runs(tmp_path: pathlib.Path) -> None:
    """Check says change, run changes, check says nothing, run changes nothing."""
    edge = FakeEdge()
    clock = FakeClock(on_sleep=edge.advance)
    runs = [
        maintenance.apply(request(tmp_path, True, check=check), edge, clock)
        for check in (True, False, True, False)
    ]
    assert [run.changed for run in runs] == [True, True, False, False]
    assert runs[0].actions == runs[1].actions == ["show the maintenance page"]
    assert runs[0].diff == {"before": "maintenance off\n", "after": "maintenance on\n"}
    assert runs[3].diff["before"] == runs[3].diff["after"]
    assert edge.maintenance and kept(tmp_path) and edge.seen == [2, 2]


def test_the_file_comes_first(tmp_path: pathlib.Path) -> None:
    """A restart in between must not end the maintenance."""
    seen: list[bool] = []
    edge = FakeEdge(before_put=lambda: seen.append(kept(tmp_path)))
    clock = FakeClock(on_sleep=edge.advance)
    maintenance.apply(request(tmp_path, True), edge, clock)
    assert seen == [True]


def test_a_switch_that_only_the_file_lost_is_written_again(tmp_path: pathlib.Path) -> None:
    """The live switch is not touched."""
    edge = FakeEdge(maintenance=True)
    assert maintenance.apply(request(tmp_path, True), edge, FakeClock()).changed
    assert edge.puts == 0 and kept(tmp_path)


def test_a_worker_that_stays_behind_is_an_error(tmp_path: pathlib.Path) -> None:
    """The platform is only out of service when every worker says so."""
    with pytest.raises(MainstayError, match="not every Nginx worker"):
        maintenance.apply(request(tmp_path, True), FakeEdge(stuck=True), FakeClock())


def test_a_lower_fence_and_another_platform_are_refused(tmp_path: pathlib.Path) -> None:
    """As with members."""
    edge = FakeEdge(platform="other-staging")
    with pytest.raises(MainstayError, match="another platform"):
        maintenance.apply(request(tmp_path, True, fence=2), edge, FakeClock())
    with pytest.raises(MainstayError, match="lost its lock"):
        maintenance.apply(request(tmp_path, True, fence=1), edge, FakeClock())
    assert edge.puts == 0


def test_a_switch_that_fails_does_not_come_true_at_the_next_start(tmp_path: pathlib.Path) -> None:
    """Nginx that dies between the look and the switch would begin with the page alone."""
    edge = FakeEdge(failure=MainstayError("the edge does not answer"))
    with pytest.raises(MainstayError, match="does not answer"):
        maintenance.apply(request(tmp_path, True), edge, FakeClock())
    assert not kept(tmp_path)


def test_the_way_back_reaches_an_edge_that_died_after_its_switch(tmp_path: pathlib.Path) -> None:
    """Its file alone can be put back; nothing is claimed of an edge that was not asked to wait."""
    (tmp_path / "maintenance.json").write_text('{"on": true}')
    dead = FakeEdge(dead=True)
    with pytest.raises(AbsentError):
        maintenance.apply(request(tmp_path, False), dead, FakeClock())
    back = request(tmp_path, False, accept_stopped=True)
    assert maintenance.apply(dataclasses.replace(back, check=True), dead, FakeClock()).changed
    assert kept(tmp_path)
    result = maintenance.apply(back, dead, FakeClock())
    assert result.actions == ["stop showing the maintenance page from the next start of Nginx on"]
    assert not kept(tmp_path)
    assert not maintenance.apply(back, dead, FakeClock()).changed


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null"])
def test_a_damaged_file_is_replaced(tmp_path: pathlib.Path, text: str) -> None:
    """It holds nothing that this run does not know better."""
    (tmp_path / "maintenance.json").write_text(text)
    edge = FakeEdge()
    clock = FakeClock(on_sleep=edge.advance)
    assert maintenance.apply(request(tmp_path, True), edge, clock).changed
    assert kept(tmp_path)
