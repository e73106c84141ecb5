# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: read as they are meant, or refused."""

from __future__ import annotations

import pathlib
import sys
from datetime import datetime, timedelta, timezone

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from wal_samples import BEGIN, SIZE, archive, backup

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import target, wal
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import Catalog

NOW = BEGIN + timedelta(days=100)
UTC = timezone.utc


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20 14:03:00+00", datetime(2026, 11, 20, 14, 3, tzinfo=UTC)),
        ("2026-11-20T14:03:00Z", datetime(2026, 11, 20, 14, 3, tzinfo=UTC)),
        ("2026-11-20 14:03 UTC", datetime(2026, 11, 20, 14, 3, tzinfo=UTC)),
        ("2026-11-20 14:03:00.5+02:00", datetime(2026, 11, 20, 12, 3, 0, 500000, tzinfo=UTC)),
        ("2026-11-20 14:03:00-0330", datetime(2026, 11, 20, 17, 33, tzinfo=UTC)),
        # The hour that exists twice in Berlin, told apart by its zone.
        ("2026-10-25 02:30:00+02", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25 02:30:00+01", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    found = target.parse_target(text)
    assert found.kind == target.TIME
    assert found.moment == moment
    assert found.settings()["recovery_target_time"].endswith("+00")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-11-20 14:03:00", "no time zone"),
        ("2026-10-25 02:30:00", "no time zone"),
        ("2026-11-20 14:03:00 CET", "cannot be read"),
        ("2026-11-31 14:03:00+00", "no moment"),
        ("2026-11-20 25:03:00+00", "no moment"),
        ("yesterday", "cannot be read"),
        ("lsn:abc", "not a position"),
        ("xid:2", "not a number from 3"),
        ("xid:1; drop", "not a number from 3"),
        ("name:a'b", "has other signs"),
        ("backup:../x", "has other signs"),
        ("", "cannot be read"),
    ],
)
def test_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        target.parse_target(text)


def catalog(**more: object) -> Catalog:
    fields: dict[str, object] = {
        "system_identifier": "7000000000000000001",
        "version": "15",
        "backups": (backup(0), backup(1), backup(2)),
        "archive": tuple(archive(1, 2, 40)),
        **more,
    }
    return Catalog(**fields)  # type: ignore[arg-type]


def choose(text: str, known: Catalog, timeline: str = "latest", **more: object) -> target.Choice:
    whole = more.pop("whole", {})
    return target.choose(target.parse_target(text), known, timeline, NOW, whole, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("latest", "00002F"),
        ("2026-01-02 02:00:00+00", "00001F"),
        ("2026-01-02 01:59:59+00", "00000F"),
        ("backup:00001F", "00001F"),
        (f"lsn:{wal.format_lsn(12 * SIZE + 256)}", "00001F"),
        (f"lsn:{wal.format_lsn(12 * SIZE + 255)}", "00000F"),
        ("xid:1000", "00000F"),
        ("name:unknown", "00000F"),
    ],
)
def test_choice(text: str, label: str) -> None:
    assert choose(text, catalog()).backup.label == label


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2025-12-31 00:00:00+00", "before the end of the oldest backup"),
        ("2027-01-01 00:00:00+00", "in the future"),
        ("backup:00009F", "no usable backup"),
    ],
)
def test_no_choice(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        choose(text, catalog())


def test_a_broken_backup_is_never_chosen() -> None:
    assert choose("latest", catalog(), whole={"00002F": False}).backup.label == "00001F"


def test_a_broken_full_takes_what_is_built_on_it_along() -> None:
    items = (backup(0), backup(1), backup(2, kind="incr", prior="00001F"))
    found = choose("latest", catalog(backups=items), whole={"00001F": False})
    assert found.backup.label == "00000F"


def test_the_latest_timeline_from_a_backup_that_leads_to_it() -> None:
    """Timeline 1 was left in segment 15: the backup of segment 22 is on a branch given up."""
    known = catalog(
        archive=(*archive(1, 2, 30), *archive(2, 15, 20)),
        histories={2: ((1, 15 * SIZE + 100),)},
    )
    assert choose("latest", known) == target.Choice(backup(1), 2)
    assert choose("latest", known, "1") == target.Choice(backup(2), 1)
    with pytest.raises(ValueError, match="no timeline 7"):
        choose("latest", known, "7")
