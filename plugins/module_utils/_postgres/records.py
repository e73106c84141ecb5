# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host remembers of a store: verifications, drills, restore points, its identity."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    exclusive,
    read_json,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    Drill,
    Verified,
    stamp,
)

#: Drills and restore points that are remembered.
KEPT = 500
#: Backups whose verification is remembered: hourly ones of more than half a year. What is forgotten
#: counts as unread, and what is unread never expires.
KEPT_VERIFIED = 5000


class Records:
    """JSON files below one directory; reading never needs any of them to exist."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, f"{name}.json")

    def _read(self, name: str) -> dict[str, Any]:
        document = read_json(self._path(name))
        return document if isinstance(document, dict) else {}

    def _change(self, name: str, changes: Mapping[str, Any], most: int = KEPT) -> None:
        with exclusive(self._path(name) + ".lock"):
            document = {**self._read(name), **changes}
            others = sorted(set(document) - set(changes), key=lambda k: (_written(document[k]), k))
            kept = [*others, *sorted(changes)][-most:]
            write_json(self._path(name), {key: document[key] for key in kept})

    def verified(self, repository: str) -> dict[str, Verified]:
        """The last verification of each backup of a repository."""
        return {
            label: Verified(label, _moment(item["at"]), bool(item["whole"]))
            for label, item in self._read(f"verified-{repository}").items()
        }

    def whole(self, repository: str) -> dict[str, bool]:
        """Labels that were read again, and whether they were whole."""
        return {label: item.whole for label, item in self.verified(repository).items()}

    def remember_verified(
        self, repository: str, results: Mapping[str, bool], now: datetime
    ) -> None:
        """Write down what a verification found."""
        entries = {k: {"at": now.timestamp(), "whole": v} for k, v in results.items()}
        self._change(f"verified-{repository}", entries, KEPT_VERIFIED)

    def drills(self) -> list[Drill]:
        """Measured drills and restores, oldest first."""
        document = self._read("drills")
        return [
            Drill(**{**document[key], "at": _moment(document[key]["at"])})
            for key in sorted(document)
        ]

    def remember_drill(self, drill: Drill) -> None:
        """Write down what was measured."""
        item = {**asdict(drill), "at": drill.at.timestamp()}
        self._change("drills", {str(stamp(drill.at)): item})

    def points(self) -> dict[str, str]:
        """Restore points by name, with their position in the WAL."""
        return {name: str(item["lsn"]) for name, item in self._read("points").items()}

    def remember_point(self, name: str, lsn: str, now: datetime) -> None:
        """Write down where a restore point is."""
        self._change("points", {name: {"lsn": lsn, "at": stamp(now)}})

    def identity(self) -> str:
        """The cluster that this host is known to hold; empty when it is not known."""
        return str(self._read("identity").get("system_identifier", ""))

    def remember_identity(self, identifier: str) -> None:
        """Write down which cluster this host holds."""
        if self.identity() != identifier:
            host = socket.gethostname()
            self._change("identity", {"system_identifier": identifier, "host": host})

    def abandoned(self) -> list[int]:
        """Timelines that an undone restore had begun: nobody wants them as the latest."""
        return [int(key) for key in self._read("abandoned")]

    def remember_abandoned(self, timeline: int) -> None:
        """Write down that a timeline was given up."""
        self._change("abandoned", {str(timeline): True})

    def last(self, repository: str) -> Optional[dict[str, Any]]:
        """The figures of the last verification."""
        return self._read(f"status-{repository}") or None

    def remember_last(self, repository: str, figures: Mapping[str, Any]) -> None:
        """Write them down."""
        self._change(f"status-{repository}", figures)


def _written(item: Any) -> str:
    """A text that orders entries of one file by when they were written; a name tells nothing."""
    at = item.get("at", "") if isinstance(item, dict) else ""
    return f"{at:020.6f}" if isinstance(at, (int, float)) else str(at)


def _moment(value: float) -> datetime:
    return datetime.fromtimestamp(float(value), timezone.utc)
