# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries as files: their shape, their life, what is kept, what is asked."""

from __future__ import annotations

import datetime
import pathlib
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.entry import (
    closed,
    current_of,
    interrupted_of,
    merged,
    opened,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Ledger
from ansible_collections.mainstay.platform.plugins.module_utils._release.locking import change_lock
from ansible_collections.mainstay.platform.plugins.module_utils._release.recording import (
    ask,
    record,
    select,
)

FIRST = opened("demo-test", "r1", 1, "2026-11-21T06:00:00.000000Z", {})


@pytest.fixture
def ledger(tmp_path: pathlib.Path) -> Ledger:
    return Ledger("demo-test", str(tmp_path))


def put(ledger: Ledger, name: str, state: str, **entry: Any) -> dict[str, Any]:
    params = {
        "platform": "demo-test",
        "release_id": name,
        "fence": 1,
        "state": state,
        "entry": entry,
        "keep": 3,
    }
    return record(ledger, params, check_mode=False).as_dict()


def test_lists_grow_and_dictionaries_merge() -> None:
    one = merged(FIRST, {"steps": [{"name": "a"}], "services": {"api": {"version": "1"}}})
    two = merged(one, {"steps": [{"name": "b"}], "services": {"web": {"version": "2"}}})
    assert [s["name"] for s in two["steps"]] == ["a", "b"]
    assert sorted(two["services"]) == ["api", "web"]
    assert FIRST["steps"] == []


@pytest.mark.parametrize(
    "part",
    [
        pytest.param({"password": "x"}, id="a key the shape does not have"),
        pytest.param({"outcome": "perfect"}, id="an outcome that does not exist"),
        pytest.param({"kind": "magic"}, id="a kind that does not exist"),
    ],
)
def test_nothing_arbitrary_lands_in_the_ledger(part: dict[str, Any]) -> None:
    with pytest.raises(MainstayError):
        merged(FIRST, part)


def test_finished_needs_an_outcome() -> None:
    with pytest.raises(MainstayError, match="needs an outcome"):
        closed(FIRST, "2026-11-21T06:01:00.000000Z", {})


def test_life_of_an_entry(ledger: Ledger) -> None:
    assert put(ledger, "r1", "started", kind="deploy")["changed"]
    with pytest.raises(MainstayError, match="already has a record"):
        put(ledger, "r1", "started")
    put(ledger, "r1", "running", committed=True)
    assert put(ledger, "r1", "finished", outcome="deployed")["entry"]["ended"]
    assert not put(ledger, "r1", "finished", outcome="deployed")["changed"]
    with pytest.raises(MainstayError, match="no record"):
        put(ledger, "r2", "running")


def test_check_mode_writes_nothing(ledger: Ledger) -> None:
    params = {
        "platform": "demo-test",
        "release_id": "r1",
        "fence": 1,
        "state": "started",
        "entry": {},
        "keep": 3,
    }
    assert record(ledger, params, check_mode=True).changed
    assert ledger.entry("r1") is None


@pytest.mark.parametrize("name", ["../r1", "", ".hidden", "a/b"])
def test_id_that_leaves_the_directory_is_refused(ledger: Ledger, name: str) -> None:
    with pytest.raises(MainstayError, match="not a release id"):
        ledger.path(name)


def test_lower_counter_is_refused(ledger: Ledger) -> None:
    put(ledger, "r1", "started")
    params = {"platform": "demo-test", "release_id": "r1", "state": "running", "keep": 3}
    record(ledger, {**params, "fence": 5, "entry": {}}, check_mode=False)
    with pytest.raises(MainstayError, match="lost its lock"):
        record(ledger, {**params, "fence": 4, "entry": {"committed": True}}, check_mode=False)
    assert ledger.entry("r1")["committed"] is False  # type: ignore[index]


def take(ledger: Ledger, release_id: str) -> int:
    """The counter of a lock just taken."""
    params = {
        "state": "acquired",
        "release_id": release_id,
        "purpose": f"deploy {release_id}",
        "step": "",
        "ttl": 60.0,
        "fence": 0,
        "holder": "ada",
        "controller": {
            "machine": "m",
            "boot": "b",
            "hostname": "here",
            "pid": 1,
            "started": 1,
        },
        "takeover_of": None,
    }
    return int(change_lock(ledger, params, check_mode=False).facts["lock"]["fence"])


def test_closing_the_record_can_give_the_lock_back(ledger: Ledger) -> None:
    """Seen failing with the lock kept, and with it given back before the entry was written."""
    fence = take(ledger, "r1")
    common = {"platform": "demo-test", "release_id": "r1", "fence": fence, "keep": 3}
    record(ledger, {**common, "state": "started", "entry": {}}, check_mode=False)
    closing = {**common, "state": "finished", "entry": {"outcome": "deployed"}, "unlock": True}
    assert "give the lock back" in record(ledger, closing, check_mode=True).actions[-1]
    assert ledger.lock_state().lease is not None, "check mode gives nothing back"
    nothing = {**closing, "entry": {}}
    with pytest.raises(MainstayError, match="needs an outcome"):
        record(ledger, nothing, check_mode=False)
    assert ledger.lock_state().lease is not None, "the entry is still open"
    assert record(ledger, closing, check_mode=False).changed
    assert ledger.lock_state().lease is None
    assert not record(ledger, closing, check_mode=False).changed


def test_a_lock_that_another_run_holds_is_not_given_back(ledger: Ledger) -> None:
    params = {
        "platform": "demo-test",
        "release_id": "r1",
        "fence": 7,
        "keep": 3,
        "entry": {"outcome": "deployed"},
        "unlock": True,
    }
    opening = {**params, "state": "started", "unlock": False, "entry": {}}
    record(ledger, opening, check_mode=False)
    taken = take(ledger, "r2")
    with pytest.raises(MainstayError, match="lost its lock"):
        record(ledger, {**params, "state": "finished"}, check_mode=False)
    assert ledger.lock_state().fence == taken
    assert ledger.lock_state().lease is not None


def test_broken_file_stops_the_writer_and_warns_the_reader(ledger: Ledger) -> None:
    put(ledger, "r1", "started")
    path = pathlib.Path(ledger.path("r2"))
    path.write_text("{torn")
    (path.parent / "r3.json").mkdir()
    with pytest.raises(MainstayError, match=r"r2\.json"):
        put(ledger, "r2", "running")
    facts = ask(ledger, {})
    assert [e["id"] for e in facts["releases"]] == ["r1"]
    assert len(facts["ledger_warnings"]) == 2
    assert "r2.json" in facts["ledger_warnings"][0] + facts["ledger_warnings"][1]


def test_broken_lock_file_does_not_stop_the_reader(ledger: Ledger) -> None:
    put(ledger, "r1", "started")
    pathlib.Path(ledger.lock_path).write_text("{torn")
    facts = ask(ledger, {})
    assert facts["interrupted"] is None, "whether somebody is at work is not known"
    assert "lock.json" in facts["ledger_warnings"][0]
    with pytest.raises(MainstayError):
        ledger.lock_state()


def test_pruning_keeps_what_serves_and_the_way_back(ledger: Ledger) -> None:
    for name in ("r01", "r02", "r03"):
        put(ledger, name, "started", services={"api": {"origin": name}}, committed=True)
        put(ledger, name, "finished", outcome="deployed")
    for number in range(4, 12):
        put(ledger, f"r{number:02}", "started")
        put(ledger, f"r{number:02}", "finished", outcome="refused")
    entries, _warnings = ledger.entries()
    assert [e["id"] for e in entries] == ["r11", "r10", "r09", "r03", "r02"]
    assert current_of(entries)["id"] == "r03"  # type: ignore[index]


def made(name: str, outcome: str, *, committed: bool = False) -> dict[str, Any]:
    return {**FIRST, "id": name, "outcome": outcome, "committed": committed}


@pytest.mark.parametrize(
    ("entries", "live", "expected"),
    [
        pytest.param([made("r1", "running")], None, "r1", id="its lock is gone"),
        pytest.param([made("r1", "running")], "r1", None, id="its lock lives"),
        pytest.param([made("r1", "deployed")], None, None, id="nothing open"),
        pytest.param(
            [made("r2", "running"), made("r1", "running")], "r2", "r1", id="another is at work"
        ),
        pytest.param(
            [made("r2", "refused"), made("r1", "running")], None, "r1", id="behind a refused one"
        ),
        pytest.param(
            [made("r2", "deployed", committed=True), made("r1", "running")],
            None,
            None,
            id="older than what serves",
        ),
        pytest.param(
            [{**made("r1", "running"), "kind": "restore"}], None, None, id="of a store, no release"
        ),
        pytest.param(
            [{**made("r1", "running"), "kind": "maintenance"}], None, None, id="a page, no release"
        ),
    ],
)
def test_interrupted(entries: list[dict[str, Any]], live: str | None, expected: str | None) -> None:
    found = interrupted_of(entries, live)
    assert (found["id"] if found else None) == expected


def test_what_a_killed_operation_left_open_is_closed_by_the_next(ledger: Ledger) -> None:
    for name, kind in (("r1", "restore"), ("r2", "backup"), ("r3", "deploy")):
        put(ledger, name, "started", kind=kind)
    put(ledger, "r4", "started", kind="failover")
    entries = {e["id"]: e for e in ledger.entries()[0]}
    assert [entries[n]["outcome"] for n in ("r1", "r2", "r3", "r4")] == [
        *("failed", "running", "running", "running"),
    ]
    assert "failover r4 came after it" in entries["r1"]["reason"]


def test_a_killed_switch_of_the_page_is_closed_by_the_next_release(ledger: Ledger) -> None:
    """Seen failing with it left to be healed: the release took back what was never a release."""
    put(ledger, "r1", "started", kind="maintenance")
    put(ledger, "r2", "started", kind="deploy")
    entries = {e["id"]: e["outcome"] for e in ledger.entries()[0]}
    assert entries == {"r1": "failed", "r2": "running"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"since": "2026-11-21T08:00:00+02:00"}, ["r2", "r1"], id="zone is honoured"),
        pytest.param({"since": "2026-11-21T06:00:01Z"}, ["r2"], id="UTC by letter"),
        pytest.param({"until": "2026-11-21T06:30:00"}, ["r1"], id="no zone is UTC"),
        pytest.param({"outcome": ["held"]}, ["r2"], id="outcome"),
        pytest.param({"limit": 1}, ["r2"], id="newest first"),
    ],
)
def test_selection(params: dict[str, Any], expected: list[str]) -> None:
    second = {**made("r2", "held"), "started": "2026-11-21T07:00:00.000000Z"}
    assert [e["id"] for e in select([second, FIRST], params)] == expected


def test_wrong_time_is_named() -> None:
    with pytest.raises(MainstayError, match="since"):
        select([FIRST], {"since": "yesterday"})


class Set(Ledger):
    """A ledger on a host whose clock is set by hand."""

    clock = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.timezone.utc)

    def now(self) -> datetime.datetime:
        return self.clock


def deployed(ledger: Ledger, release_id: str) -> None:
    """One release from its lock to its end."""
    fence = take(ledger, release_id)
    common = {"platform": "demo-test", "release_id": release_id, "fence": fence, "keep": 9}
    record(ledger, {**common, "state": "started", "entry": {}}, check_mode=False)
    closing = {"outcome": "deployed", "committed": True}
    record(
        ledger, {**common, "state": "finished", "entry": closing, "unlock": True}, check_mode=False
    )


def test_the_last_release_is_current_also_when_the_clock_was_set_back(
    tmp_path: pathlib.Path,
) -> None:
    """Seen failing with entries ordered by their times: the release before became current."""
    ledger = Set("demo-test", str(tmp_path))
    deployed(ledger, "r1")
    ledger.clock -= datetime.timedelta(hours=5)
    deployed(ledger, "r2")
    facts = ask(ledger, {})
    assert (facts["current"]["id"], [r["id"] for r in facts["releases"]]) == ("r2", ["r2", "r1"])


def test_a_lost_lock_file_and_a_clock_that_was_set_back(tmp_path: pathlib.Path) -> None:
    """Seen failing with the minutes since 1970 alone: hosts refuse every run for five hours."""
    ledger = Set("demo-test", str(tmp_path))
    deployed(ledger, "r1")
    (tmp_path / "demo-test" / "lock.json").unlink()
    ledger.clock -= datetime.timedelta(hours=5)
    deployed(ledger, "r2")
    assert ask(ledger, {})["current"]["id"] == "r2"
