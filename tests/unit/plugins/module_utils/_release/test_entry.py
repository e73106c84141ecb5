# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be written into an entry, and when."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.entry import (
    OWNED,
    SHAPE,
    closed,
    current_of,
    merged,
    opened,
    prunable,
    still_open,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Ledger
from ansible_collections.mainstay.platform.plugins.module_utils._release.recording import record

FIRST = opened("demo-test", "r1", 1, "2026-11-21T06:00:00.000000Z", {})
ENDED = closed(FIRST, "2026-11-21T06:01:00.000000Z", {"outcome": "deployed"})


@pytest.mark.parametrize("key", OWNED)
def test_keys_of_the_ledger_are_not_handed_in(key: str) -> None:
    """Seen failing without the check: C(entry: {id: other}) overwrote the record of another run."""
    with pytest.raises(MainstayError, match="sets this key itself"):
        merged(FIRST, {key: SHAPE[key]})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("notes", "one sentence", id="a text is no list of letters"),
        pytest.param("services", ["api"], id="services are named"),
        pytest.param("committed", "no", id="a text is always true"),
    ],
)
def test_values_of_another_kind_are_refused(key: str, value: Any) -> None:
    """Seen failing without the check: a note became a list of its letters."""
    with pytest.raises(MainstayError, match=f"entry.{key}"):
        merged(FIRST, {key: value})


def test_an_open_entry_has_no_outcome() -> None:
    """Seen failing without the check: an entry was C(deployed) and had no end."""
    with pytest.raises(MainstayError, match="an outcome closes the entry"):
        still_open(FIRST, {"outcome": "deployed"})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda: still_open(ENDED, {"notes": ["late"]}), id="a part"),
        pytest.param(
            lambda: closed(ENDED, "2026-11-21T07:00:00.000000Z", {"outcome": "held"}),
            id="another outcome",
        ),
    ],
)
def test_what_was_closed_is_not_rewritten(change: Any) -> None:
    """Seen failing without the checks: a deployed release was C(held) an hour later."""
    with pytest.raises(MainstayError, match="closed already"):
        change()


def test_closing_twice_changes_nothing() -> None:
    later = closed(ENDED, "2026-11-21T07:00:00.000000Z", {"outcome": "deployed"})
    assert later == ENDED


def deployed(name: str, **more: Any) -> dict[str, Any]:
    return {**ENDED, "id": name, "committed": True, **more}


@pytest.mark.parametrize(
    ("newest", "current"),
    [
        pytest.param({"committed": True, "outcome": "deployed"}, "r2", id="deployed"),
        pytest.param({"committed": False, "outcome": "deployed"}, "r1", id="not committed"),
        pytest.param({"committed": True, "outcome": "running"}, "r1", id="still open"),
        pytest.param({"committed": False, "outcome": "rolled_back"}, "r1", id="taken back"),
    ],
)
def test_what_serves_is_committed_and_deployed(newest: dict[str, Any], current: str) -> None:
    """Seen failing without the look at C(committed)."""
    found = current_of([{**FIRST, "id": "r2", **newest}, deployed("r1")])
    assert found is not None
    assert found["id"] == current


@pytest.mark.parametrize(
    ("entries", "keep", "expected"),
    [
        pytest.param([deployed(n) for n in ("r4", "r3", "r2", "r1")], 1, ["r2", "r1"], id="oldest"),
        pytest.param([deployed("r2"), deployed("r1")], 0, [], id="serving and the one before"),
        pytest.param(
            [{**FIRST, "id": f"r{n}", "outcome": "held"} for n in (5, 4)]
            + [deployed(n) for n in ("r3", "r2", "r1")],
            2,
            ["r1"],
            id="what serves is older than all that is kept",
        ),
        pytest.param(
            [
                deployed("r4", services={"api": {"origin": "r1"}}),
                *map(deployed, ("r3", "r2", "r1")),
            ],
            1,
            ["r2"],
            id="an origin is needed",
        ),
        pytest.param(
            [*map(deployed, ("r4", "r3")), {**FIRST, "id": "r2"}], 1, [], id="open ones stay"
        ),
    ],
)
def test_pruning(entries: list[dict[str, Any]], keep: int, expected: list[str]) -> None:
    assert prunable(entries, keep) == expected


def test_check_mode_goes_through_and_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """Seen failing with the guard's file written, and with a record that was never opened."""
    ledger = Ledger("demo-test", str(tmp_path))
    common = {"platform": "demo-test", "release_id": "r1", "fence": 1, "keep": 3}
    for state, part in (
        ("started", {"kind": "deploy"}),
        ("running", {"committed": True}),
        ("finished", {"outcome": "deployed"}),
    ):
        found = record(ledger, {**common, "state": state, "entry": part}, check_mode=True)
        assert found.changed
    assert found.facts["entry"]["outcome"] == "deployed"
    assert list(tmp_path.iterdir()) == []


def test_check_mode_names_what_would_be_removed(tmp_path: pathlib.Path) -> None:
    """Seen failing with pruning left out of check mode."""
    ledger = Ledger("demo-test", str(tmp_path))
    common: dict[str, Any] = {"platform": "demo-test", "fence": 1, "keep": 1}
    for name in ("r1", "r2"):
        for state, part in (("started", {}), ("finished", {"outcome": "held"})):
            params = {**common, "release_id": name, "state": state, "entry": part}
            record(ledger, params, check_mode=False)
    params = {**common, "release_id": "r3", "state": "started", "entry": {}}
    would = record(ledger, params, check_mode=True).actions
    assert ledger.entry("r2") is not None
    assert would == record(ledger, params, check_mode=False).actions
    assert "remove the old record r2" in would
    assert ledger.entry("r2") is None
