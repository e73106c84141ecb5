# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a restore, what it loses, how long it takes."""

from __future__ import annotations

import pathlib
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from wal_samples import BEGIN, SIZE, archive, backup

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import restore_plan
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.target import (
    Choice,
    parse_target,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    Catalog,
    ControlData,
    Drill,
    Tablespace,
)

OWN = "7000000000000000001"
CONTROL = ControlData(OWN, "shut down", 1, SIZE, True, {"max_connections": 100})
PLACE = restore_plan.Place(
    directory="/data/main",
    exists=True,
    empty=False,
    is_cluster=True,
    control=CONTROL,
    free=1 << 40,
    server_version="15",
    settings={"max_connections": 100},
)
CHOICE = Choice(backup(0), 1)
WITH_SPACE = Choice(replace(backup(0), tablespaces=(Tablespace("16400", "fast", "/ssd/fast"),)), 1)
KNOWN = Catalog(OWN, "15", (backup(0),), tuple(archive(1, 2, 5)))


def against(place: restore_plan.Place, choice: Choice = CHOICE, **allowed: object) -> list[str]:
    wish = restore_plan.Wish(**allowed)  # type: ignore[arg-type]
    return restore_plan.obstacles(place, wish, KNOWN, choice, CONTROL)


def test_nothing_speaks_against_a_sound_place() -> None:
    assert against(PLACE) == []


EMPTY = replace(PLACE, exists=False, empty=True, is_cluster=False, control=None)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        pytest.param(replace(PLACE, running=True), "a server runs in", id="running"),
        pytest.param(replace(PLACE, link=True), "is a symbolic link", id="link"),
        pytest.param(replace(PLACE, mount=True), "is a mount point", id="mount"),
        pytest.param(replace(PLACE, is_cluster=False), "no PostgreSQL cluster", id="other files"),
        pytest.param(
            replace(PLACE, control=replace(CONTROL, system_identifier="7")),
            "is cluster 7, the repository is of cluster",
            id="foreign",
        ),
        pytest.param(replace(PLACE, remembered="8"), "remembers cluster 8", id="wrong host"),
        pytest.param(EMPTY, "never held this cluster", id="unknown host"),
        pytest.param(replace(PLACE, server_version="17"), "of PostgreSQL 17", id="version"),
        pytest.param(replace(PLACE, free=1000), "0 MiB are free", id="space"),
        pytest.param(
            replace(PLACE, settings={"max_connections": 50}),
            "max_connections is 50 here and was 100",
            id="settings",
        ),
        pytest.param(replace(PLACE, parent_exists=False), "above it is missing", id="parent"),
    ],
)
def test_obstacles(place: restore_plan.Place, words: str) -> None:
    found = against(place)
    assert len(found) == 1
    assert words in found[0]


def test_all_obstacles_at_once() -> None:
    place = replace(PLACE, running=True, server_version="17", free=1000)
    assert len(against(place)) == 3


def test_what_the_caller_allows() -> None:
    assert against(replace(PLACE, running=True), stop_running=True) == []
    assert against(EMPTY, new_host=True) == []
    assert against(replace(EMPTY, remembered=OWN)) == []


def test_tablespaces() -> None:
    taken = replace(PLACE, occupied=("/ssd/fast",))
    assert "/ssd/fast is not empty" in against(taken, WITH_SPACE)[0]
    assert against(taken, WITH_SPACE, tablespace_map={"fast": "/ssd/new"}) == []
    assert "names slow" in against(PLACE, WITH_SPACE, tablespace_map={"slow": "/x"})[0]


def test_losses() -> None:
    now = BEGIN + timedelta(minutes=30)
    newest = BEGIN + timedelta(minutes=29)
    latest = parse_target("latest")
    assert restore_plan.loss(latest, newest, now, False, 1).seconds == 0.0
    assert restore_plan.loss(latest, newest, now, False, 0).seconds == 60.0
    past = parse_target("2026-01-01 02:10:00+00")
    assert restore_plan.loss(past, newest, now, True, 0).seconds == 1200.0
    assert restore_plan.loss(past, newest, now, False, 0).seconds == 1140.0
    assert restore_plan.loss(parse_target("xid:99"), newest, now, True, 0).seconds == -1.0


def test_loss_ends_when_the_old_server_ended() -> None:
    """Not when somebody gets round to the restore, which may be a day later."""
    now, newest = BEGIN + timedelta(days=1), BEGIN + timedelta(minutes=29)
    alive = newest + timedelta(seconds=40)
    found = restore_plan.loss(parse_target("latest"), newest, now, False, 0, alive)
    assert found.seconds == 40.0
    past = parse_target("2026-01-01 02:10:00+00")
    assert restore_plan.loss(past, newest, now, False, 0, alive).seconds == 1180.0


LIFE = restore_plan.Life(BEGIN + timedelta(minutes=30), 1000, True)


@pytest.mark.parametrize(
    ("target", "life", "whole", "seconds", "count", "words"),
    [
        ("latest", LIFE, True, 0.0, 0, "nothing that was committed"),
        ("latest", LIFE, False, 600.0, 50, "; 50 transactions"),
        ("latest", replace(LIFE, exact=False), False, 600.0, 50, "at least 50 transactions"),
        ("2026-01-01 02:25:00+00", LIFE, True, 300.0, 50, "from 2026-01-01T02:25:00Z to"),
        ("latest", restore_plan.Life(), False, 7.0, -1, "as planned"),
    ],
    ids=["tail used", "tail gone", "crashed", "moment behind the last commit", "nothing known"],
)
def test_what_was_lost_is_measured(
    target: str, life: restore_plan.Life, whole: bool, seconds: float, count: int, words: str
) -> None:
    planned = {"text": "as planned", "seconds": 7.0}
    recovered = BEGIN + timedelta(minutes=20)
    found = restore_plan.measured(parse_target(target), planned, life, recovered, 950, whole)
    assert (found["seconds"], found["transactions"]) == (seconds, count)
    assert words in found["text"]


def test_a_timeline_without_own_segments_still_needs_those_of_its_parent() -> None:
    """Timeline 2 was left from segment 9 on: recovery reads 2 to 8 of timeline 1 in any case."""
    histories = {2: ((1, 9 * SIZE + 100),)}
    known = Catalog(OWN, "15", (backup(0),), tuple(archive(1, 2, 9)), histories)
    found = restore_plan.segments_to_replay(Choice(backup(0), 2), known, SIZE)
    assert [name[-2:] for name in found][:7] == ["02", "03", "04", "05", "06", "07", "08"]


def test_prediction_is_the_median_of_the_latest_good_drills() -> None:
    drills = [Drill(BEGIN, 1000, 10.0, 10, 5.0) for dummy in range(4)]
    drills += [Drill(BEGIN, 1000, 9999.0, 10, 9999.0), Drill(BEGIN, 1000, 1.0, 1, 1.0, ok=False)]
    assert restore_plan.predict(2000, 20, drills) == 30.0
    assert restore_plan.predict(2000, 20, []) == -1.0


def test_the_words_to_type() -> None:
    words = [restore_plan.confirmation(s, "shop-production") for s in ("restored", "undone")]
    assert words == ["restore-shop-production", "undo-shop-production"]
