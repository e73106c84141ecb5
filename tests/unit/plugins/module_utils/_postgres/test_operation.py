# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operation came to, and what failed at its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import operation
from ansible_collections.mainstay.platform.plugins.module_utils._release import entry

FACTS = {
    "id": "20261121T141530Z",
    "target": "latest",
    "recovered_to": {"time": "2026-11-21T14:15:20Z", "lsn": "0/5000090"},
    "lost": {"text": "40.0 s; 12 transactions", "seconds": 40.0, "transactions": 12},
    "old_directory": "/data/main.before-1",
    "where": "the data before is whole in /data/main.before-1",
}
RUN = operation.Operation(
    "restore", "shop-production", "orders", "db1", "inventories/prod", facts=FACTS
)
WRONG = {"step": "Take a backup (db1)", "reason": "no space left"}
ENDED = replace(RUN, begun=True, done=True)


@pytest.mark.parametrize(
    ("run", "outcome"),
    [
        (replace(RUN, check=True), "planned"),
        (replace(RUN, failed=WRONG), "refused"),
        (replace(RUN, failed=WRONG, check=True), "refused"),
        (replace(RUN, failed=WRONG, begun=True), "failed"),
        (replace(RUN, failed=WRONG, begun=True, back=True), "rolled_back"),
        (replace(ENDED, failed=WRONG), "incomplete"),
        (replace(ENDED, unclosed=[WRONG]), "incomplete"),
        (ENDED, "restored"),
        (replace(ENDED, kind="undo"), "undone"),
        (replace(ENDED, kind="failover"), "switched"),
        (replace(ENDED, kind="rejoin"), "rejoined"),
        (replace(ENDED, kind="backup"), "backed_up"),
        (replace(ENDED, kind="drill"), "drilled"),
    ],
)
def test_outcomes(run: operation.Operation, outcome: str) -> None:
    found = operation.report(run)
    assert found["operation"]["outcome"] == outcome
    assert found["summary"][0].startswith(f"{outcome}: ")
    assert found["next"]


@pytest.mark.parametrize("kind", sorted(operation.DONE))
def test_the_ledger_takes_every_outcome_of_every_kind(kind: str) -> None:
    begun = entry.opened("shop-production", "r1", 1, "2026-11-21T14:00:00Z", {"kind": kind})
    for more in ({}, {"failed": WRONG}, {"unclosed": [WRONG]}, {"failed": WRONG, "back": True}):
        run = replace(RUN, kind=kind, begun=True, **more)  # type: ignore[arg-type]
        closed = entry.closed(begun, "2026-11-21T14:01:00Z", operation.entry(run))
        assert closed["outcome"] == run.outcome


def test_a_restore_says_how_far_what_is_lost_and_what_to_type() -> None:
    found = operation.report(ENDED)
    text = "\n".join(found["summary"])
    assert "recovered up to the last transaction at 2026-11-21T14:15:20Z" in text
    assert "lost: 40.0 s; 12 transactions" in text
    assert found["operation"]["lost"]["transactions"] == 12
    assert "restore_undo.yml -i inventories/prod -e restore_store=orders" in found["next"][0]
    assert "ops_confirm=undo-shop-production" in found["next"][0]


def test_a_failure_says_where_the_data_is_and_how_to_go_on() -> None:
    given = {"restore_target": "2026-11-20 14:03:00+00", "restore_host": "", "ops_fenced": None}
    run = replace(RUN, begun=True, failed=WRONG, given=given, page=True)
    found = operation.report(run)
    text = "\n".join(found["summary"])
    assert "failed at Take a backup (db1): no space left" in text
    assert "the data before is whole in /data/main.before-1" in text
    assert "lost:" not in text
    assert "recovered up to" not in text
    assert "the maintenance page is shown" in text
    # Without the target the next command would restore something else.
    assert """-e restore_target='"2026-11-20 14:03:00+00"'""" in found["next"][0]
    assert "restore_host" not in found["next"][0]
    assert "restore_undo.yml" in found["next"][1]
    assert "ops_maintenance=off" in found["next"][2]


@pytest.mark.parametrize(("away", "count"), [(["db1"], 1), ([], 0)])
def test_a_primary_that_was_away_is_to_rejoin(away: list[str], count: int) -> None:
    facts = {"old": "db1", "new": "db2", "away": away}
    found = operation.report(replace(ENDED, kind="failover", facts=facts))["next"]
    assert (
        sum("-e ops_rejoin=db1 -e ops_confirm=rejoin-shop-production" in n for n in found) == count
    )


def test_endings_that_failed_are_named() -> None:
    hostvars: dict[str, Any] = {
        "edge1": {
            "release_page_away": {"failed": True, "msg": "no worker answers\nmore"},
            "release_lock_back": {"failed": True, "msg": "no space left"},
        },
        "db1": {"release_lock_back": {"failed": True, "msg": "no space left"}},
        "db2": {
            "release_servers_back": {"unreachable": True, "msg": "no route"},
            "release_record_closed": {"failed": False},
        },
    }
    found = operation.endings(hostvars, ["edge1", "db1", "db2", "db9"])
    assert [(item["step"], item["reason"]) for item in found] == [
        ("take the maintenance page away (edge1)", "no worker answers"),
        ("start the server again that was stopped for this (db2)", "no route"),
        ("give the lock back (edge1)", "no space left"),
    ]
    run = replace(ENDED, unclosed=found)
    assert run.outcome == "incomplete"
    assert "not done: give the lock back (edge1): no space left" in operation.report(run)["summary"]
    assert "no worker answers" in operation.reason(run)


def test_facts_come_from_the_tasks() -> None:
    planned, restored = {"restore": {"target": "a"}}, {"restore": {"target": "b"}}
    variables = {"postgres_backup_planned": planned, "postgres_backup_restored": restored}
    assert operation.facts_of("restore", variables) == {"target": "b"}
    variables["postgres_backup_restored"] = {"failed": True}
    assert operation.facts_of("restore", variables) == {"target": "a"}
    taken = {"results": [{"backup": {"label": "x"}}, {"skipped": True}]}
    backups = operation.facts_of("backup", {"postgres_backup_taken": taken})
    assert backups == {"backups": [{"label": "x"}]}
    drills = operation.facts_of(
        "drill", {"postgres_backup_drilled": {"results": [{"drill": {}, "actions": ["a"]}]}}
    )
    assert drills == {"drills": []}


def test_nothings_have_their_defaults() -> None:
    words = {"kind": "drill", "platform": "p", "store": "s", "host": "h", "failed": None, "x": 1}
    assert operation.from_words(words).outcome == "drilled"
