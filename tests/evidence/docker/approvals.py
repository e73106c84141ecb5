# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that wait for somebody's yes, under load."""

from __future__ import annotations

import json
import pathlib
import re
import tempfile
from typing import Any

from evidence import bed
from evidence.docker.common import COMMAND, changed, lone, versions
from evidence.evidence import Figure, Row

WAITS = re.compile(r"approval (\S+) … waits for .*-e release_id=(\S+)")


def policy(**approval: Any) -> tuple[str, str]:
    """The demo's release policy with one approval after the first step of the switch."""

    def change(release: dict[str, Any]) -> None:
        release["keep_warm"] = 0
        release["drain"] = "2s"
        release.setdefault("gates", {})["approvals"] = [
            {"name": "go-live", "after": "first", "timeout": "4m", **approval}
        ]

    return changed("approval", change, "release")


class Waiting:
    """A deploy that has come to its question."""

    def __init__(self, version: str, **approval: Any) -> None:
        bed.WORK.mkdir(parents=True, exist_ok=True)
        self._reports = tempfile.TemporaryDirectory(dir=bed.WORK)
        self._process = bed.start(
            "deploy.yml",
            *("-e", f"release_version={version}"),
            *policy(**approval),
            environment={"MAINSTAY_REPORT_DIR": self._reports.name},
        )
        self.release_id = self._asked()

    def _asked(self) -> str:
        assert self._process.stdout is not None
        seen = []
        for line in self._process.stdout:
            seen.append(line)
            found = WAITS.search(line)
            if found:
                return found[2]
        raise AssertionError(f"the release asked nobody:\n{''.join(seen[-40:])}")

    def answer(self, answer: str, *more: str, release_id: str = "") -> bed.Run:
        """C(approve.yml) from another process."""
        return bed.play(
            "approve.yml",
            *("-e", f"release_id={release_id or self.release_id}"),
            *("-e", f"approval={answer}"),
            *more,
        )

    def end(self) -> tuple[int, str]:
        """Return code and outcome of the deploy."""
        self._process.communicate(timeout=bed.PLAYBOOK_LIMIT)
        report = json.loads((pathlib.Path(self._reports.name) / "latest.json").read_text())
        self._reports.cleanup()
        return self._process.returncode, str(report["outcome"])


def approval(repeats: int) -> Figure:
    """A yes, a no, and silence; answers to another release and to one that is over."""
    bed.settle("1.0.0")
    facts: dict[str, bool] = {}
    with bed.load("--clients", "20") as load:
        waits = Waiting("1.1.0")
        status = bed.play("status.yml")
        facts["status.yml shows what waits"] = f"release {waits.release_id} waits for" in (
            status.output.replace("\n", " ").replace("  ", " ")
        )
        other = waits.answer("yes", release_id="20200101T000000Z-000000")
        facts["another release is refused with what waits"] = (
            other.code != 0 and waits.release_id in other.output
        )
        facts["yes is taken"] = waits.answer("yes", "-e", "approval_reason=fine").code == 0
        facts["yes goes on"] = waits.end() == (0, "deployed")
        late = waits.answer("yes")
        facts["a finished release is refused"] = late.code != 0 and "is over" in late.output

        waits = Waiting("1.2.0")
        facts["no is taken"] = waits.answer("no", "-e", "approval_reason=bad").code == 0
        code, outcome = waits.end()
        facts[f"no takes it back ({outcome})"] = code != 0 and outcome == "rolled_back"

        code, outcome = Waiting("1.2.0", timeout="5s").end()
        facts[f"silence holds it ({outcome})"] = code != 0 and outcome == "held"
        bed.settle("1.1.0")
        facts["one version everywhere"] = lone(versions())
    facts[f"{load.failed} of {load.requests} requests failed"] = load.failed == 0
    wrong = [name for name, holds in facts.items() if not holds]
    return Figure(", ".join(f"NOT {n}" if n in wrong else n for n in facts), "", not wrong)


ROWS = [
    Row(
        "approval",
        "a release that waits for approve.yml, under load: yes, no, silence",
        "yes: deployed; no: rolled_back; silence: held; 0 failed requests",
        COMMAND.format("approval"),
        approval,
    )
]
