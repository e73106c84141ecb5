# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights that a call needs, asked for before anything is changed.

One SelfSubjectRulesReview tells what the account may do in a namespace. Its answer may be
incomplete, so what it does not grant is asked for once more, one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import Cluster
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import Resource
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

_API = "authorization.k8s.io/v1"
_RULES = Resource(_API, "SelfSubjectRulesReview", "selfsubjectrulesreviews", False)
_ACCESS = Resource(_API, "SelfSubjectAccessReview", "selfsubjectaccessreviews", False)


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource; a subresource stands behind a slash."""

    group: str
    resource: str
    verb: str
    namespace: str

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        where = f"namespace {self.namespace}" if self.namespace else "the cluster"
        return f"{self.verb} {self.resource}{group} in {where}"


def rights(namespace: str, *wanted: str) -> list[Right]:
    """C("apps/deployments: get patch") as rights; without a group the core is meant."""
    found = []
    for text in wanted:
        place, _colon, verbs = text.partition(":")
        group, slash, resource = place.partition("/")
        if not slash or group in ("pods",):
            group, resource = "", place
        found += [Right(group, resource, verb, namespace) for verb in verbs.split()]
    return found


def allowed(rules: Iterable[Mapping[str, Any]], right: Right) -> bool:
    """True when the rules grant it for every object of the resource."""
    for rule in rules:
        if rule.get("resourceNames"):
            continue
        fits = [
            _in(rule.get("verbs"), right.verb),
            _in(rule.get("apiGroups"), right.group),
            _in(rule.get("resources"), right.resource)
            or f"*/{right.resource.partition('/')[2]}" in (rule.get("resources") or []),
        ]
        if all(fits):
            return True
    return False


def _in(found: Any, wanted: str) -> bool:
    return bool(found) and (wanted in found or "*" in found)


def require(cluster: Cluster, wanted: Sequence[Right], purpose: str) -> None:
    """Refuse when a right is missing, naming all of them."""
    doubtful = []
    for namespace in sorted({right.namespace for right in wanted}):
        rules = _rules(cluster, namespace) if namespace else []
        doubtful += [r for r in wanted if r.namespace == namespace and not allowed(rules, r)]
    if not doubtful:
        return
    with ThreadPoolExecutor(cluster.parallel) as pool:
        granted = pool.map(lambda right: _granted(cluster, right), doubtful)
        missing = [right for right, given in zip(doubtful, granted) if not given]
    if missing:
        raise MainstayError(
            f"rights are missing to {purpose}; nothing was changed",
            subject=", ".join(sorted({_place(right) for right in missing})),
            evidence=tuple(str(right) for right in sorted(set(missing))),
            expected="the Role of docs/reference/kubernetes-rights.md",
            next_step="give this account the rights above, then run again",
        )


def _place(right: Right) -> str:
    return f"namespace {right.namespace}" if right.namespace else "the cluster"


def _rules(cluster: Cluster, namespace: str) -> list[Mapping[str, Any]]:
    """What the server says that the account may do in a namespace; it may not know all of it."""
    review = _review("SelfSubjectRulesReview", {"spec": {"namespace": namespace}})
    found: list[Mapping[str, Any]] = (cluster.create(_RULES, review).get("status") or {}).get(
        "resourceRules"
    ) or []
    return found


def _granted(cluster: Cluster, right: Right) -> bool:
    resource, _slash, sub = right.resource.partition("/")
    asked = {
        "namespace": right.namespace,
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": sub,
    }
    spec = {"spec": {"resourceAttributes": asked}}
    answer = cluster.create(_ACCESS, _review("SelfSubjectAccessReview", spec))
    return bool((answer.get("status") or {}).get("allowed"))


def _review(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": _API, "kind": kind, "metadata": {}, **body}
