# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status file for the textfile collector of node_exporter. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Status:
    """Figures of one repository of one store; a figure that is not known is left out."""

    platform: str
    store: str
    repository: str
    ok: Optional[bool] = None
    last_full: Optional[float] = None
    last_verified: Optional[float] = None
    verified_at: Optional[float] = None
    last_segment: Optional[float] = None
    size: Optional[int] = None
    repository_size: Optional[int] = None
    backups: Optional[int] = None
    gaps: Optional[int] = None
    findings: Optional[Mapping[str, int]] = None
    last_drill: Optional[float] = None
    drill_ok: Optional[bool] = None
    predicted_restore: Optional[float] = None
    objective_restore: Optional[float] = None


_FIGURES = (
    ("ok", "mainstay_backup_ok", "1 when the last verification found nothing critical"),
    ("last_full", "mainstay_backup_last_full_timestamp_seconds", "End of the newest full backup"),
    (
        "last_verified",
        "mainstay_backup_last_verified_timestamp_seconds",
        "End of the newest backup that was read again and is whole",
    ),
    (
        "verified_at",
        "mainstay_backup_verification_timestamp_seconds",
        "When the backups were last read again",
    ),
    (
        "last_segment",
        "mainstay_backup_last_wal_timestamp_seconds",
        "When the newest WAL segment came to the repository",
    ),
    ("size", "mainstay_backup_size_bytes", "Size of the cluster in the newest full backup"),
    (
        "repository_size",
        "mainstay_backup_repository_size_bytes",
        "Size of the newest full backup in the repository",
    ),
    ("backups", "mainstay_backup_count", "Backups in the repository"),
    ("gaps", "mainstay_backup_wal_missing_segments", "WAL segments that are missing"),
    (
        "last_drill",
        "mainstay_backup_last_drill_timestamp_seconds",
        "When a restore was last practised",
    ),
    ("drill_ok", "mainstay_backup_last_drill_ok", "1 when that drill held"),
    (
        "predicted_restore",
        "mainstay_backup_predicted_restore_seconds",
        "Predicted time of a restore to the latest moment",
    ),
    (
        "objective_restore",
        "mainstay_backup_objective_restore_seconds",
        "Longest restore that was agreed (recovery time objective)",
    ),
)


def render(status: Status) -> str:
    """The file, in the text format of Prometheus."""
    labels = ",".join(
        f'{name}="{_escape(getattr(status, name))}"' for name in ("platform", "store", "repository")
    )
    lines: list[str] = []
    for name, metric, text in _FIGURES:
        value = getattr(status, name)
        if value is not None:
            lines += [f"# HELP {metric} {text}.", f"# TYPE {metric} gauge"]
            lines.append(f"{metric}{{{labels}}} {_number(value)}")
    if status.findings is not None:
        metric = "mainstay_backup_findings"
        lines += [f"# HELP {metric} What the last verification found.", f"# TYPE {metric} gauge"]
        for kind in sorted(status.findings):
            lines.append(f'{metric}{{{labels},kind="{_escape(kind)}"}} {status.findings[kind]}')
    return "\n".join(lines) + "\n"


def _number(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
