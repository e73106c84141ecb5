# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception root of the collection.

Pure code and clients raise it; only C(main()) of a module turns it into C(fail_json), and only an
action or filter plugin turns it into C(AnsibleError).
"""

from __future__ import annotations

from typing import Any


class MainstayError(Exception):
    """What failed, on which object, observed against expected, and what to do next.

    Every part is a plain sentence or a short value; none may hold a secret. Evidence is a tuple of
    lines (log lines, probe output), oldest first.
    """

    def __init__(
        self,
        what: str,
        *,
        subject: str = "",
        found: str = "",
        expected: str = "",
        next_step: str = "",
        evidence: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.subject = subject
        self.found = found
        self.expected = expected
        self.next_step = next_step
        self.evidence = evidence

    def __str__(self) -> str:
        head = f"{self.subject}: {self.what}" if self.subject else self.what
        lines = [head]
        if self.found:
            lines.append(f"  found: {self.found}")
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        lines.extend(f"  | {line}" for line in self.evidence)
        if self.next_step:
            lines.append(f"  next: {self.next_step}")
        return "\n".join(lines)

    def parts(self) -> dict[str, Any]:
        """What makes the same error again, of another kind."""
        return {
            "what": self.what,
            "subject": self.subject,
            "found": self.found,
            "expected": self.expected,
            "next_step": self.next_step,
            "evidence": self.evidence,
        }

    def as_dict(self) -> dict[str, object]:
        """The same parts as data, for results and reports."""
        return {**self.parts(), "evidence": list(self.evidence)}


class AbsentError(MainstayError):
    """What was to be looked at is not there yet, as on a host that was never set up."""
