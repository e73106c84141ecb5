# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading backups and WAL again, and proving that WAL arrives."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import write_atomic
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    health,
    metrics,
    restore_plan,
    wal,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.archiving import (
    await_segment,
    finish_segment,
    observe_archiver,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.reader import Unreachable
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    CRITICAL,
    FULL,
    Backup,
    Catalog,
    Finding,
)

#: WAL segments that are read at the same time, each 16 MiB of memory.
PARALLEL = 4
#: Findings that are put into a message; all are in the result.
SHOWN = 20


@dataclass
class Report:
    """What a verification found."""

    catalog: Catalog
    findings: list[Finding] = field(default_factory=list)
    read: dict[str, list[Finding]] = field(default_factory=dict)
    gaps: list[wal.Gap] = field(default_factory=list)
    archived_segment: str = ""

    @property
    def critical(self) -> list[Finding]:
        """What must not stay."""
        return [f for f in self.findings if f.severity == CRITICAL]


def explain_findings(findings: Sequence[Finding], subject: str) -> MainstayError:
    """The failure for findings."""
    first = findings[0] if findings else None
    return MainstayError(
        "the backups are not fit for a restore",
        subject=subject,
        found=f"{len(findings)} findings",
        expected="none",
        next_step=first.next_step if first else "",
        evidence=tuple(f.sentence() for f in findings[:SHOWN]),
    )


def read_again(
    context: Context, labels: Sequence[str], *, remember: bool
) -> dict[str, list[Finding]]:
    """Critical findings by label. A backup counts only with everything it is built on."""
    catalog = context.engine.catalog()
    seen: dict[str, list[Finding]] = {}
    found: dict[str, list[Finding]] = {}
    for label in labels:
        chain = catalog.chain(label)
        for item in chain:
            if item.label not in seen:
                context.deadline.left()
                seen[item.label] = context.engine.verify(item.label)
        own = [f for item in chain for f in seen[item.label] if f.severity == CRITICAL]
        if not chain:
            own = [Finding(CRITICAL, "backup_damaged", label, "what it is built on is missing")]
        found[label] = own
    if remember and not context.check:
        results = {k: not [f for f in v if f.severity == CRITICAL] for k, v in seen.items()}
        results.update({k: not v for k, v in found.items()})
        context.records.remember_verified(context.repository, results, context.now())
    return found


def verify(context: Context) -> Report:
    """The whole verification. A repository that cannot be asked is a finding, not damage."""
    report = Report(Catalog())
    writes = _observe(context, report)
    try:
        _verify(context, report, writes)
    except Unreachable as error:
        report.findings.append(_unreachable(context, error))
    return report


def _unreachable(context: Context, error: Unreachable) -> Finding:
    return Finding(
        CRITICAL,
        "unreachable",
        context.repository,
        "; ".join(part for part in (error.what, error.subject, error.found) if part),
        error.expected,
        error.next_step,
    )


def _verify(context: Context, report: Report, writes: bool) -> None:
    catalog = report.catalog = context.engine.catalog()
    labels = chosen(catalog, context.params["backups"])
    report.findings += context.engine.verify_records()
    _identity(context, report)
    place = context.params.get("repository") or {}
    if place.get("protected"):
        days = float(place.get("kept_days") or 0)
        report.findings += context.engine.protection(days, check=context.check)
    for label in labels:
        item = catalog.backup(label)
        size = item.repository_size if item else 0
        context.actions.append(f"read {label} again: {size / 2**20:.1f} MiB")
        context.progress.begin(f"reading {label} again", size)
    report.read = read_again(context, labels, remember=True)
    report.findings += [f for part in report.read.values() for f in part]
    size = segment_size(context)
    if writes:
        _prove(context, report)
    if report.archived_segment:
        # What was dropped before it is a gap only now that something newer is there.
        catalog = report.catalog = context.engine.catalog()
    report.gaps = health.gaps_of(catalog, None, size)
    report.findings += health.gap_findings(report.gaps, health.kept_elsewhere(catalog, size))
    if context.params["wal"]:
        report.findings += _read_wal(context, catalog, labels, size)
    _judge(context, report, labels)


def _identity(context: Context, report: Report) -> None:
    control = context.server.control()
    theirs = report.catalog.system_identifier
    if control is not None and theirs and theirs != control.system_identifier:
        report.findings.append(
            Finding(
                CRITICAL,
                "foreign",
                context.repository,
                f"system identifier {theirs}",
                f"system identifier {control.system_identifier}",
                "give this cluster a repository or a stanza of its own",
            )
        )


def chosen(catalog: Catalog, wanted: Sequence[str]) -> list[str]:
    """Labels for C(newest), C(all), C(none) or labels; unknown ones are an error."""
    known = [b.label for b in catalog.backups]
    if list(wanted) == ["none"]:
        return []
    if list(wanted) == ["all"]:
        return known
    if list(wanted) == ["newest"]:
        return known[-1:]
    unknown = [label for label in wanted if label not in known]
    if unknown:
        raise MainstayError(
            "there is no such backup",
            subject=", ".join(unknown),
            found=f"backups {', '.join(known) or 'none'}",
            expected="newest, all, none, or labels of the repository",
        )
    return list(wanted)


def segment_size(context: Context) -> int:
    """Bytes of a WAL segment of the cluster."""
    control = context.server.control()
    return control.segment_size if control else wal.DEFAULT_SEGMENT_SIZE


def _read_wal(
    context: Context, catalog: Catalog, labels: Sequence[str], size: int
) -> list[Finding]:
    """Segments from the start of the oldest chosen backup on; all when none was chosen."""
    starts = [b.wal_start for b in catalog.backups if b.label in labels]
    first = min((wal.split(s, size)[1] for s in starts), default=0)
    files = [
        f for f in catalog.archive if wal.is_segment(f.name) and wal.split(f.name, size)[1] >= first
    ]
    total = sum(f.size for f in files)
    context.actions.append(f"read {len(files)} WAL segments again: {total / 2**20:.1f} MiB")
    context.progress.begin("reading WAL again", total)
    with ThreadPoolExecutor(PARALLEL) as pool:
        found = pool.map(lambda f: context.engine.verify_segment(f, catalog, size), files)
        return [item for item in found if item is not None]


def _observe(context: Context, report: Report) -> bool:
    """Ask the server how archiving goes; whether it is one that finishes segments.

    Nothing of the repository is needed: while that is away WAL waits, and fills its disk.
    """
    if not context.params["prove_archiving"]:
        return False
    place = context.server.place.data_directory
    answer = context.server.ask("select pg_is_in_recovery()")
    if answer is None:
        report.findings.append(health.no_server(place))
    if answer != "f":
        return False  # a replica switches no segments
    archiver = observe_archiver(context.server, context.engine)
    report.findings += health.archiver_findings(archiver)
    disk = os.statvfs(os.path.join(place, "pg_wal"))
    free, total = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    size = segment_size(context)
    report.findings += health.space_findings(archiver.waiting, size, free, total)
    return True


def _prove(context: Context, report: Report) -> None:
    """See a finished segment arrive."""
    if context.check:
        context.actions.append("would finish a WAL segment and see it archived")
        return
    segment = finish_segment(context.server)
    limit = float(context.params["archive_timeout"])
    context.actions.append(f"see the segment {segment} archived")
    report.archived_segment = segment
    if not _seen(context, segment, limit):
        archiver = observe_archiver(context.server, context.engine)
        report.findings.append(health.unproved(segment, limit, archiver))
        report.archived_segment = ""


def _seen(context: Context, segment: str, limit: float) -> bool:
    try:
        await_segment(context, segment, limit)
    except MainstayError as error:
        if error.subject != segment:
            raise
        return False
    return True


def _judge(context: Context, report: Report, labels: Sequence[str]) -> None:
    whole = context.records.whole(context.repository)
    whole.update({label: not found for label, found in report.read.items()})
    catalog, now = report.catalog, context.now()
    if labels:
        limit = float(context.params["max_age"])
        report.findings += health.age_findings(catalog, whole, now, limit)
    low, high = (*context.params["size_range"], 2.0)[:2]
    report.findings += health.size_findings(catalog, (float(low), float(high)))


def status_of(
    context: Context, catalog: Catalog, gaps: Sequence[wal.Gap], objective: float
) -> metrics.Status:
    """The figures of the repository as they are now."""
    verified = context.records.verified(context.repository)
    good = [b for b in catalog.backups if b.label in verified and verified[b.label].whole]
    fulls = [b for b in catalog.backups if b.kind == FULL]
    newest = fulls[-1] if fulls else None
    drills = context.records.drills()
    stamps = [f.modified for f in catalog.archive if wal.is_segment(f.name)]
    return metrics.Status(
        platform=context.platform,
        store=context.store,
        repository=context.repository,
        last_full=_ended(newest),
        last_verified=_ended(max(good, key=lambda b: b.stopped)) if good else None,
        verified_at=max((v.at.timestamp() for v in verified.values()), default=None),
        last_segment=max(stamps, default=None),
        size=newest.size if newest else None,
        repository_size=newest.repository_size if newest else None,
        backups=len(catalog.backups),
        gaps=sum(g.count for g in gaps),
        last_drill=drills[-1].at.timestamp() if drills else None,
        drill_ok=drills[-1].ok if drills else None,
        predicted_restore=_positive(prediction(context, catalog)),
        objective_restore=objective,
    )


def prediction(context: Context, catalog: Catalog) -> float:
    """Seconds that a restore to the latest moment would take; -1 when nobody knows."""
    if not catalog.backups:
        return -1.0
    item = catalog.backups[-1]
    size = segment_size(context)
    number = wal.split(item.wal_start, size)[1]
    later = [
        f
        for f in catalog.archive
        if wal.is_segment(f.name) and wal.split(f.name, size)[1] >= number
    ]
    return restore_plan.predict(item.size, len(later), context.records.drills())


def _ended(item: Optional[Backup]) -> Optional[float]:
    return item.stopped.timestamp() if item else None


def _positive(value: float) -> Optional[float]:
    return value if value >= 0 else None


def write_metrics(context: Context, report: Report, path: str) -> None:
    """The status file; a reader sees the old one or the new one."""
    status = status_of(
        context, report.catalog, report.gaps, float(context.params["objective_restore"])
    )
    kinds = Counter(f.kind for f in report.findings)
    status = metrics.Status(
        **{**status.__dict__, "ok": not report.critical, "findings": dict(kinds)}
    )
    write_atomic(path, metrics.render(status).encode(), 0o644)


def facts_of(report: Report) -> dict[str, Any]:
    """The fact C(verification)."""
    return {
        "ok": not report.critical,
        "verified": [label for label, found in report.read.items() if not found],
        "findings": [f.as_dict() for f in report.findings],
        "gaps": [str(g) for g in report.gaps],
        "archived_segment": report.archived_segment,
    }


def age(moment: Optional[float], now: datetime) -> float:
    """Seconds since a time stamp; -1 without one."""
    if moment is None:
        return -1.0
    return round(now.astimezone(timezone.utc).timestamp() - moment, 1)
