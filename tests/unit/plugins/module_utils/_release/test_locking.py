# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock's file: the counter, check mode, and who is refused from when on."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.fence import check_fence
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Ledger
from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import first_fence
from ansible_collections.mainstay.platform.plugins.module_utils._release.locking import change_lock


@pytest.fixture
def ledger(tmp_path: pathlib.Path) -> Ledger:
    return Ledger("demo-test", str(tmp_path))


def change(
    ledger: Ledger, state: str, release_id: str = "r1", *, check: bool = False, **more: Any
) -> dict[str, Any]:
    params = {
        "state": state,
        "release_id": release_id,
        "holder": "ada",
        "purpose": f"deploy {release_id}",
        "ttl": 900.0,
        "fence": 0,
        "step": "",
        "controller": {},
        "takeover_of": None,
        **more,
    }
    return change_lock(ledger, params, check_mode=check).as_dict()


def test_life_of_a_lock(ledger: Ledger) -> None:
    first = change(ledger, "acquired")
    fence = first["lock"]["fence"]
    assert first["actions"] == [f"take the lock for deploy r1 (counter {fence})"]
    renewed = change(ledger, "renewed", fence=fence, step="switching edge1")
    assert renewed["lock"]["step"] == "switching edge1"
    assert change(ledger, "released", fence=fence)["changed"]
    again = change(ledger, "released", fence=fence)
    assert (again["changed"], again["actions"]) == (False, [])
    assert change(ledger, "acquired", "r2")["lock"]["fence"] == fence + 1


def test_a_lost_lock_file_does_not_lower_the_counter(ledger: Ledger) -> None:
    """Seen failing with a counter that starts at 0: every host refused every run from then on."""
    used = change(ledger, "acquired")["lock"]["fence"]
    check_fence(ledger.directory, used)
    pathlib.Path(ledger.lock_path).unlink()
    assert change(ledger, "acquired", "r2")["lock"]["fence"] >= used
    assert used > first_fence(ledger.now()) - 2


def test_who_is_taken_over_is_refused_at_once(ledger: Ledger) -> None:
    """Seen failing without C(remember_fence): the old run could still write to the ledger."""
    old = change(ledger, "acquired", ttl=-1.0)["lock"]["fence"]
    new = change(ledger, "acquired", "r2")["lock"]
    assert (new["fence"], new["taken_over_from"]) == (old + 1, "r1")
    with pytest.raises(MainstayError, match="lost its lock"):
        check_fence(ledger.directory, old)


def test_check_mode_goes_through_and_leaves_nothing(ledger: Ledger, tmp_path: pathlib.Path) -> None:
    """Seen failing with the guard's file written, and with C(released) refused as a stranger."""
    fence = change(ledger, "acquired", check=True)["lock"]["fence"]
    renewed = change(ledger, "renewed", check=True, fence=fence)
    assert renewed["lock"]["fence"] == fence
    released = change(ledger, "released", check=True, fence=fence)
    assert released["actions"] == [f"give the lock back (counter {fence})"]
    assert list(tmp_path.iterdir()) == []


def test_check_mode_refuses_what_a_run_would_refuse(ledger: Ledger) -> None:
    change(ledger, "acquired")
    with pytest.raises(MainstayError, match="another run is at work"):
        change(ledger, "acquired", "r2", check=True)
    with pytest.raises(MainstayError, match="lost its lock"):
        change(ledger, "released", check=True, fence=1)
