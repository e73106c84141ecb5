# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests of the Go programs of the bed, as a JUnit file that summary.py counts:

    python tests/tools/programs.py tests/testbed/programs build/junit/unit-programs.xml

Prints what failed and one line of counts. Exit status 1 when something failed.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

OUTCOMES = {"pass": "passed", "fail": "failed", "skip": "skipped"}
# No C compiler is wanted, and no other version of Go than the one that is here.
ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}


@dataclass(frozen=True)
class Case:
    """One test with what it printed."""

    package: str
    name: str
    outcome: str
    seconds: float = 0.0
    output: str = ""


def _events(lines: Iterable[str]) -> list[dict[str, Any]]:
    # A package that does not build is told in plain text between the events by older versions.
    return [json.loads(line) for line in lines if line.startswith("{")]


def cases(lines: Iterable[str]) -> list[Case]:
    """The tests in the output of C(go test -json); a test with parts is told by its parts."""
    output: dict[tuple[str, str], str] = {}
    found: dict[tuple[str, str], Case] = {}
    for event in _events(lines):
        key = (event.get("Package", ""), event.get("Test", ""))
        if event["Action"] == "output":
            output[key] = output.get(key, "") + event["Output"]
        elif key[1] and event["Action"] in OUTCOMES:
            outcome = OUTCOMES[event["Action"]]
            found[key] = Case(*key, outcome, event.get("Elapsed", 0.0), output.get(key, ""))
    return [case for case in found.values() if not _told_by_parts(case, list(found.values()))]


def _told_by_parts(case: Case, others: list[Case]) -> bool:
    prefix = f"{case.name}/"
    parts = [o for o in others if o.package == case.package and o.name.startswith(prefix)]
    return any(part.outcome == case.outcome for part in parts)


def verdict(name: str, status: int, text: str, found: list[Case]) -> list[Case]:
    """C(found), and one failure more when the program failed and none of them says why."""
    if status == 0 or any(case.outcome == "failed" for case in found):
        return found
    return [*found, Case("go", name, "failed", output=text)]


def junit(found: list[Case]) -> ET.ElementTree:
    """The JUnit document."""
    suite = ET.Element("testsuite", name="unit-programs", tests=str(len(found)))
    for case in found:
        seconds = f"{case.seconds:.3f}"
        element = ET.SubElement(
            suite, "testcase", classname=case.package, name=case.name, time=seconds
        )
        if case.outcome != "passed":
            kind = "failure" if case.outcome == "failed" else "skipped"
            ET.SubElement(element, kind).text = case.output
    root = ET.Element("testsuites")
    root.append(suite)
    return ET.ElementTree(root)


def _go(directory: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["go", *arguments],
        cwd=directory,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def main(arguments: list[str]) -> int:
    """Vet and test the programs below the first argument, write the second."""
    directory, report = arguments
    vetted = _go(directory, "vet", "./...")
    outcome = "failed" if vetted.returncode else "passed"
    found = [Case("go", "vet", outcome, output=vetted.stdout)]
    tested = _go(directory, "test", "-json", "./...")
    found += verdict("test", tested.returncode, tested.stdout, cases(tested.stdout.splitlines()))
    junit(found).write(pathlib.Path(report), encoding="utf-8", xml_declaration=True)
    failed = [case for case in found if case.outcome == "failed"]
    for case in failed:
        print(f"FAILED {case.package} {case.name}\n{case.output}")
    skipped = sum(case.outcome == "skipped" for case in found)
    passed = len(found) - len(failed) - skipped
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
