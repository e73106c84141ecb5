# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server refuses, in words that say what to do. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

_NEXT = {
    401: "the credentials are not known to the cluster (any more): look at the kubeconfig",
    403: "give this account the right (docs/reference/kubernetes-rights.md), then run again",
    404: "look whether the namespace and the definition of the kind are there",
    429: "the API server has too much to do; run again later",
}
_FORBIDDEN = re.compile(
    r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
_OTHER_MANAGER = re.compile(r'conflict with "(?P<name>[^"]+)"(?: with subresource "[^"]+")?')
#: Values in messages of the API server about Secrets.
#: A message may start with the whole list of fields; what is wrong stands at its end.
_UNDECLARED = re.compile(r"\S+: field not declared in schema")
_QUOTED = re.compile(r'Invalid value: (?:"(?:[^"\\]|\\.)*"|\S+)')


class ApiError(MainstayError):
    """A refusal. C(status) is that of HTTP, zero when there was no answer; C(reason) is the word
    of the API server."""

    def __init__(self, error: MainstayError, status: int, reason: str) -> None:
        super().__init__(
            error.what,
            subject=error.subject,
            found=error.found,
            expected=error.expected,
            next_step=error.next_step,
            evidence=error.evidence,
        )
        self.status = status
        self.reason = reason


def unreachable(host: str, method: str, error: Exception) -> ApiError:
    """No answer at all."""
    text = MainstayError(
        "the API server does not answer",
        subject=host,
        found=f"{method}: {_cause(error)}",
        expected="an answer",
        next_step="look whether the cluster is up and can be reached from where this module runs",
    )
    return ApiError(text, 0, "Unreachable")


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return f"{type(reason or error).__name__}: {str(reason or error)[:200]}"


def api_error(method: str, path: str, status: int, data: bytes) -> ApiError:
    """The error for an answer of 400 and above."""
    try:
        answer = json.loads(data)
    except ValueError:
        answer = {}
    if not isinstance(answer, dict):
        answer = {}
    message = str(answer.get("message") or data[:300].decode("utf-8", errors="replace"))
    reason = str(answer.get("reason", ""))
    if status == 500 and "failed to create typed patch object" in message:
        # The API server calls a manifest with an unknown field a failure of its own.
        status, reason = 422, "Invalid"
    details = answer.get("details") or {}
    subject = _subject(details, path)
    if "secrets" in path.split("?")[0].split("/"):
        message = _QUOTED.sub("Invalid value: ********", message)
    what, evidence, following = _words(status, reason, message, details)
    error = MainstayError(
        what,
        subject=subject,
        found=f"{status} {reason}: {message}"[:1500],
        next_step=following,
        evidence=evidence,
    )
    return ApiError(error, status, reason)


def _subject(details: Mapping[str, Any], path: str) -> str:
    kind, name = details.get("kind"), details.get("name")
    return f"{kind} {name}" if kind and name else path.split("?")[0]


def _words(
    status: int, reason: str, message: str, details: Mapping[str, Any]
) -> tuple[str, tuple[str, ...], str]:
    causes = [c for c in details.get("causes") or [] if isinstance(c, Mapping)]
    conflicts = [c for c in causes if c.get("reason") == "FieldManagerConflict"]
    if conflicts:
        return _conflict(conflicts)
    if status == 403 and "exceeded quota" in message:
        following = "raise the quota, or ask for less"
        return "the quota of the namespace does not allow it", (), following
    if status == 403 and "PodSecurity" in message:
        following = "mend the security settings, or change the level of the namespace"
        return "the Pod Security level of the namespace does not allow it", (), following
    if status == 403 and (right := _FORBIDDEN.search(message)):
        where = f" in namespace {right['namespace']}" if right["namespace"] else ""
        group = f".{right['group']}" if right["group"] else ""
        what = f"the right to {right['verb']} {right['resource']}{group}{where} is missing"
        return what, (), _NEXT[403]
    if status == 403:
        return "the cluster does not admit it", (), "the message says which rule refused it"
    if status == 422 and "immutable" in message:
        following = "give the object another name, or remove it first"
        return "a field that cannot be changed would change", (), following
    if undeclared := _UNDECLARED.findall(message):
        return "fields that the kind does not have", tuple(undeclared), "mend the description"
    if status in (400, 422):
        lines = tuple(f"{c.get('field', '')}: {c.get('message', '')}" for c in causes)
        return "the API server finds the object wrong", _hidden(lines), "mend the description"
    if status == 409:
        return "somebody else changed it at the same time", (), "run again"
    return "the API server refused it", (), _NEXT.get(status, "")


def _hidden(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_QUOTED.sub("Invalid value: ********", line) for line in lines)


def _conflict(conflicts: list[Mapping[str, Any]]) -> tuple[str, tuple[str, ...], str]:
    lines, managers = [], set()
    for cause in conflicts:
        found = _OTHER_MANAGER.search(str(cause.get("message", "")))
        name = found["name"] if found else "another manager"
        managers.add(name)
        lines.append(f"{cause.get('field', '')} is set by {name}")
    who = ", ".join(sorted(managers))
    return (
        f"fields of it belong to another field manager: {who}",
        tuple(lines),
        f"leave those fields to {who}, or take them over with force",
    )
