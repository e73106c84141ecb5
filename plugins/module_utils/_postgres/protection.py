# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a bucket keeps what the writer's keys delete, as long as the retention needs it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import bucket as pure
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    CRITICAL,
    WARNING,
    Finding,
)


@dataclass(frozen=True)
class Rule:
    """A rule of the bucket's life cycle. C(days) is after how many an object or version goes."""

    name: str
    prefix: str
    days: int
    old_versions: bool


@dataclass(frozen=True)
class Observed:
    """What a bucket tells of itself; None is that it does not tell (no right to ask, or no such
    function). C(deletes) says that the writer's keys removed a version of a probe.
    """

    versions: Optional[bool] = None
    locked_days: Optional[float] = None
    rules: Optional[tuple[Rule, ...]] = None
    deletes: bool = False


def rules_of(document: bytes) -> tuple[Rule, ...]:
    """The rules of C(GetBucketLifecycleConfiguration) that remove something."""
    found = []
    for rule in pure.plain(document).findall("Rule"):
        prefix = rule.findtext("Filter/Prefix") or rule.findtext("Filter/And/Prefix")
        prefix = prefix or rule.findtext("Prefix") or ""
        for path, old in (
            ("Expiration/Days", False),
            ("NoncurrentVersionExpiration/NoncurrentDays", True),
        ):
            days = rule.findtext(path)
            if days and rule.findtext("Status") == "Enabled":
                found.append(Rule(rule.findtext("ID") or "without a name", prefix, int(days), old))
    return tuple(found)


def locked_days_of(document: bytes) -> float:
    """Days of the default retention of C(GetObjectLockConfiguration); 0 when there is none."""
    retention = pure.plain(document).find("Rule/DefaultRetention")
    if retention is None:
        return 0.0
    years = float(retention.findtext("Years") or 0)
    return float(retention.findtext("Days") or 0) + 365.0 * years


def findings(name: str, root: str, observed: Observed, kept_days: float) -> list[Finding]:
    """What lets backups go early. C(kept_days) is the longest that the retention keeps one."""
    found = []
    if observed.versions is False:
        found.append(
            _finding(
                CRITICAL,
                name,
                "the bucket keeps no versions: what is deleted is gone",
                "a bucket with versions",
                "turn versioning on for the bucket",
            )
        )
    if observed.deletes:
        found.append(
            _finding(
                CRITICAL,
                name,
                "the writer's keys removed a version of an object: whoever has them removes all",
                "keys that may write and delete, and delete no version",
                "take s3:DeleteObjectVersion and s3:BypassGovernanceRetention from the keys, and "
                "lock the bucket's objects; or say protected: false of the repository",
            )
        )
    if observed.locked_days is not None and observed.locked_days <= 0 and observed.versions:
        found.append(
            _finding(
                WARNING,
                name,
                "the bucket locks nothing by default",
                "Object Lock with a default retention",
                "set a default retention for the bucket",
            )
        )
    for rule in _harmful(root, observed.rules or (), kept_days):
        what = "old versions" if rule.old_versions else "objects"
        found.append(
            _finding(
                CRITICAL,
                f"{name}: {rule.name}",
                f"a life-cycle rule removes {what} after {rule.days} days",
                f"none before the {kept_days:.0f} days of the retention",
                "remove the rule or let it wait longer; backups would go without being asked",
            )
        )
    return found


def _harmful(root: str, rules: Sequence[Rule], kept_days: float) -> list[Rule]:
    """Rules over keys of the repository. Old versions cover the time until somebody notices."""
    place = f"{root.strip('/')}/"
    touching = [r for r in rules if place.startswith(r.prefix) or r.prefix.startswith(place)]
    return [r for r in touching if r.days < (NOTICED if r.old_versions else kept_days)]


#: Days in which a deletion is noticed: a weekly drill reads everything twice in them.
NOTICED = 14.0


def _finding(severity: str, subject: str, found: str, expected: str, next_step: str) -> Finding:
    return Finding(severity, "bucket", subject, found, expected, next_step)
