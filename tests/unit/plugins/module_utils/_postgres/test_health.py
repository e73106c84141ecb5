# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging a repository, and its figures for Prometheus."""

from __future__ import annotations

import pathlib
import sys
from dataclasses import replace
from datetime import timedelta

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import pytest
from wal_samples import BEGIN, SIZE, archive, backup

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import health, metrics
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    ArchivedFile,
    Backup,
    Catalog,
)

KNOWN = Catalog("7", "15", tuple(backup(n) for n in range(4)), tuple(archive(1, 2, 40)))
FINE = health.Archiver("on", "store %p", "000000010000000000000005", "", False, 0)


def test_gaps_have_names() -> None:
    known = replace(KNOWN, archive=tuple(archive(1, 2, 40, without=(33,))))
    gaps = health.gaps_of(known, None, SIZE)
    assert [str(g) for g in gaps] == ["000000010000000000000021"]
    finding = health.gap_findings(gaps)[0]
    assert (finding.severity, finding.kind) == ("critical", "wal_missing")


def test_age() -> None:
    last = KNOWN.backups[-1]
    now = last.stopped + timedelta(hours=27)
    whole = {last.label: True}
    assert health.age_findings(KNOWN, whole, now, 28 * 3600.0) == []
    assert health.age_findings(KNOWN, whole, now, 26 * 3600.0)[0].kind == "backup_old"
    # A newer one that is not verified does not count.
    assert health.age_findings(KNOWN, {"00000F": True}, now, 28 * 3600.0)[0].kind == "backup_old"
    assert health.age_findings(KNOWN, {last.label: False}, now, 9e9)[0].kind == "no_backup"


def test_size() -> None:
    items = KNOWN.backups[:3]
    small = replace(KNOWN, backups=(*items, replace(KNOWN.backups[3], size=400)))
    large = replace(KNOWN, backups=(*items, replace(KNOWN.backups[3], size=2100)))
    assert health.size_findings(KNOWN, (0.5, 2.0)) == []
    for known in (small, large):
        assert [f.kind for f in health.size_findings(known, (0.5, 2.0))] == ["size"]


def test_archiver() -> None:
    assert health.archiver_findings(FINE) == []
    for wrong in (
        replace(FINE, mode="off"),
        replace(FINE, command=" "),
        replace(FINE, failed_is_newer=True, last_failed="000000010000000000000006"),
    ):
        assert [f.kind for f in health.archiver_findings(wrong)] == ["archiving"]


def test_an_archiver_that_only_says_so() -> None:
    finding = health.unproved("000000010000000000000005", 60.0, FINE)
    assert "reports success without storing" in finding.found
    finding = health.unproved("000000010000000000000006", 60.0, FINE)
    assert "last segment is 000000010000000000000005" in finding.found


def test_why_nothing_arrives() -> None:
    """The words of the engine, or the command when the engine left none."""
    stuck = replace(FINE, failed_is_newer=True, last_failed="000000010000000000000006")
    assert "archive_command is 'store %p'" in health.archiver_findings(stuck)[0].found
    told = replace(stuck, cause="unable to write: no space left")
    assert "no space left" in health.archiver_findings(told)[0].found
    assert "no space left" in health.unproved("000000010000000000000007", 60.0, told).found
    lying = replace(FINE, command="/bin/true")
    assert "'/bin/true'" in health.unproved("000000010000000000000005", 60.0, lying).found


def backup_of(label: str, start: str, hour: int) -> Backup:
    """A full backup that begins and ends in a segment."""
    stopped = BEGIN + timedelta(hours=hour)
    return replace(backup(0), label=label, wal_start=start, wal_stop=start, stopped=stopped)


def stored(*names: str) -> tuple[ArchivedFile, ...]:
    """Segments in a repository."""
    return tuple(ArchivedFile(name, f"p/{name}", 1, "", 0.0) for name in names)


def test_wal_of_another_host() -> None:
    """Switched away and back: timeline 2 is in the other host's repository."""
    histories = {3: ((1, 0x5000000), (2, 0x8000000))}
    own = [f"00000001000000000000000{n}" for n in (3, 4)]
    own += [f"00000003000000000000000{n}" for n in (8, 9)]
    before = backup_of("A", own[0], 1)
    left = Catalog(backups=(before,), archive=stored(*own), histories=histories)
    assert not health.covered(left, SIZE)
    assert health.kept_elsewhere(left, SIZE) == set()
    (gap,) = health.gaps_of(left, None, SIZE)
    assert gap.timeline == 2
    both = replace(left, backups=(before, backup_of("B", own[2], 2)))
    assert health.covered(both, SIZE)
    elsewhere = health.kept_elsewhere(both, SIZE)
    assert [f.severity for f in health.gap_findings([gap], elsewhere)] == ["warning"]
    # One segment of it here, so that the others were here: they are missing.
    torn = replace(both, archive=stored(*own, "000000020000000000000006"))
    assert health.kept_elsewhere(torn, SIZE) == set()
    # A hole behind the newest backup is one whatever else is there.
    holed = replace(both, archive=stored(*own, "00000003000000000000000B"))
    assert not health.covered(holed, SIZE)


def test_a_backup_behind_the_place_where_its_timeline_was_left() -> None:
    """It leads nowhere, though no segment of its own is missing."""
    names = ["000000010000000000000009", "00000001000000000000000A", "000000020000000000000006"]
    stray = backup_of("A", names[0], 1)
    known = Catalog(backups=(stray,), archive=stored(*names), histories={2: ((1, 0x5000000),)})
    assert not health.covered(known, SIZE)


def test_figures() -> None:
    status = metrics.Status(
        "shop-production", 'd"b', "local", ok=False, gaps=2, last_full=BEGIN.timestamp()
    )
    text = metrics.render(replace(status, findings={"wal_missing": 1}))
    labels = 'platform="shop-production",store="d\\"b",repository="local"'
    assert f"mainstay_backup_ok{{{labels}}} 0\n" in text
    assert f"mainstay_backup_wal_missing_segments{{{labels}}} 2\n" in text
    assert f'mainstay_backup_findings{{{labels},kind="wal_missing"}} 1\n' in text
    assert "mainstay_backup_size_bytes" not in text
    assert text.count("# TYPE") == text.count("# HELP") == 4


@pytest.mark.parametrize(
    ("waiting", "free", "found"),
    [
        pytest.param(1, 0, False, id="the one that is being archived"),
        pytest.param(5, 200, False, id="room for more"),
        pytest.param(5, 99, True, id="less than a tenth"),
        pytest.param(30, 400, True, id="less than as many more"),
    ],
)
def test_wal_that_fills_its_disk(waiting: int, free: int, found: bool) -> None:
    size = 16 << 20
    seen = health.space_findings(waiting, size, free << 20, 1000 << 20)
    assert [f.kind for f in seen] == (["wal_space"] if found else [])
    assert all(f"{waiting} segments wait" in f.found for f in seen)
