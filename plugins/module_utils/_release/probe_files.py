# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prober's files of one release: process, results, marks, counted proof."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    ensure_directory,
    read_json,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.controller import (
    started_at,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.proof import (
    Mark,
    Sample,
    count,
)


@dataclass(frozen=True)
class Process:
    """A prober that runs: its id, its start time, and how long it waits for an answer."""

    pid: int
    started: int
    timeout: float


class ProbeFiles:
    """Files below C(directory), which belongs to one release."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.process = os.path.join(directory, "process.json")
        self.results = os.path.join(directory, "results.jsonl")
        self.marks = os.path.join(directory, "marks.jsonl")
        self.proof = os.path.join(directory, "proof.json")

    def begin(self, phase: str) -> None:
        """A clean start: what an earlier prober of the same release left is gone."""
        ensure_directory(self.directory)
        self._remove(self.proof, self.results, self.marks, self.process)
        self.mark(phase)

    def mark(self, phase: str) -> None:
        """From now on the phase is called C(phase)."""
        ensure_directory(self.directory)
        with open(self.marks, "a", encoding="utf-8") as out:
            out.write(json.dumps([time.time(), phase]) + "\n")

    def note_process(self, pid: int, timeout: float) -> None:
        """Remember the prober, with its start time: a process id alone is given out again."""
        write_json(self.process, {"pid": pid, "started": started_at(pid), "timeout": timeout})

    def running(self) -> Optional[Process]:
        """The prober while it runs."""
        data = read_json(self.process)
        if data is None or started_at(data["pid"]) != data["started"]:
            return None
        return Process(int(data["pid"]), int(data["started"]), float(data["timeout"]))

    def counted(self, slow_seconds: float) -> dict[str, Any]:
        """The proof so far, or the one kept when the prober was stopped."""
        kept: Optional[dict[str, Any]] = read_json(self.proof)
        if kept is not None:
            return kept
        samples = [Sample(*row) for row in _rows(self.results)]
        marks = [Mark(*row) for row in _rows(self.marks)]
        found = count(samples, marks, slow_seconds)
        return {**found, "complete": self.running() is not None}

    def keep(self, proof: dict[str, Any]) -> None:
        """Write the counted proof and remove the raw files."""
        write_json(self.proof, proof)
        self._remove(self.results, self.marks, self.process)

    def remove(self) -> None:
        """Remove everything of this release; its proof is in the ledger."""
        self._remove(self.results, self.marks, self.process, self.proof)
        with contextlib.suppress(OSError):
            os.rmdir(self.directory)

    def _remove(self, *paths: str) -> None:
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def _rows(path: str) -> list[list[Any]]:
    """The lines of a file that are whole; the last one may be torn by a kill."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.endswith("\n")]
