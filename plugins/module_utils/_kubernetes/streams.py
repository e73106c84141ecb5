# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a picture of what is watched: one stream for each kind and namespace, in threads.

A stream that ends goes on from the last version that was seen; when the server does not know that
version any more, everything is listed again. The picture is only touched by whoever calls
L(Streams.next).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import (
    Cluster,
    Object,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    ApiError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import Resource

Place = tuple[Resource, str]
_PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0)


@dataclass
class Change:
    """C(listed) replaces everything of a place; otherwise one object changed or went."""

    place: Place
    found: Optional[Object] = None
    gone: bool = False
    listed: Optional[list[Object]] = None
    error: Optional[ApiError] = None


@dataclass
class Streams:
    """All streams of one wait."""

    cluster: Cluster
    pause: Callable[[float], None] = time.sleep
    stop: threading.Event = field(default_factory=threading.Event)
    objects: dict[Place, dict[tuple[str, str], Object]] = field(default_factory=dict)
    _queue: queue.Queue[Change] = field(default_factory=queue.Queue)

    def start(self, places: Iterable[Place], optional: Iterable[Place] = ()) -> None:
        """Watch all places. An optional one that may not be read stays empty."""
        for place in places:
            threading.Thread(target=self._pump, args=(place, True), daemon=True).start()
        for place in optional:
            threading.Thread(target=self._pump, args=(place, False), daemon=True).start()

    def end(self) -> None:
        """Let all threads end."""
        self.stop.set()

    def next(self, wait: float) -> bool:
        """Take in what has changed; True when anything did within C(wait) seconds."""
        try:
            change = self._queue.get(timeout=max(0.001, wait))
        except queue.Empty:
            return False
        while True:
            self._take(change)
            try:
                change = self._queue.get_nowait()
            except queue.Empty:
                return True

    def _take(self, change: Change) -> None:
        if change.error is not None:
            raise change.error
        if change.listed is not None:
            self.objects[change.place] = {_identity(o): o for o in change.listed}
        elif change.found is not None:
            known = self.objects.setdefault(change.place, {})
            if change.gone:
                known.pop(_identity(change.found), None)
            else:
                known[_identity(change.found)] = change.found

    def _pump(self, place: Place, required: bool) -> None:
        version, tries = "", 0
        while not self.stop.is_set():
            try:
                if not version:
                    listed, version = self.cluster.find(place[0], place[1])
                    self._queue.put(Change(place, listed=listed))
                version, events = self._follow(place, version)
                tries = 0 if events else tries + 1
            except ApiError as error:
                if error.status in (401, 403, 404, 405):
                    if required:
                        self._queue.put(Change(place, error=error))
                    return
                version = "" if error.status == 410 else version
                tries += 1
            if tries and not self.stop.is_set():
                self.pause(_PAUSES[min(tries, len(_PAUSES)) - 1])

    def _follow(self, place: Place, version: str) -> tuple[str, int]:
        """(version to go on from, how many events came); no version: list again."""
        count = 0
        for event in self.cluster.watch(place[0], place[1], version, self.stop):
            if self.stop.is_set():
                break
            kind, found = event.get("type"), event.get("object") or {}
            if kind == "ERROR":
                return "", count
            version = str((found.get("metadata") or {}).get("resourceVersion", version))
            count += 1
            if kind != "BOOKMARK":
                self._queue.put(Change(place, found=found, gone=kind == "DELETED"))
        return version, count


def _identity(found: Any) -> tuple[str, str]:
    metadata = found.get("metadata") or {}
    return str(metadata.get("namespace", "")), str(metadata.get("name", ""))
