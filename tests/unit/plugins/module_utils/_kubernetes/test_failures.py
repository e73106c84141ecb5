# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals of the API server, in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import transport
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    api_error,
)


def refusal(
    status: int, message: str, path: str = "/api/v1/namespaces/n/configmaps/c", **m: Any
) -> Any:
    body = json.dumps({"message": message, **m}).encode()
    return api_error("PATCH", path, status, body)


def test_a_conflict_names_every_manager_and_field() -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{who}" using v1', "field": f}
        for who, f in (("helm", ".data.a"), ("kubectl", ".data.b"))
    ]
    found = refusal(409, "Apply failed", details={"causes": causes})
    assert "helm, kubectl" in found.what
    assert found.evidence == (".data.a is set by helm", ".data.b is set by kubectl")
    assert "force" in found.next_step


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (
            403,
            'User "x" cannot list resource "configmaps" in API group "" in the namespace "shop"',
            "the right to list configmaps in namespace shop is missing",
        ),
        (
            403,
            'User "x" cannot patch resource "deployments" in API group "apps" at the cluster scope',
            "the right to patch deployments.apps is missing",
        ),
        (403, "pods is forbidden: exceeded quota: q, requested: pods=1", "the quota"),
        (403, 'pods "a" is forbidden: violates PodSecurity "restricted:latest"', "Pod Security"),
        (403, "denied by policy x", "does not admit it"),
        (422, "spec.selector: Invalid value: field is immutable", "cannot be changed"),
        (400, "bad", "finds the object wrong"),
        (409, "the object has been modified", "somebody else changed it"),
    ],
)
def test_words(status: int, message: str, words: str) -> None:
    assert words in refusal(status, message).what


def test_a_field_that_does_not_exist_is_no_failure_of_the_server() -> None:
    message = "failed to create typed patch object (n/c): .spec.x: field not declared in schema"
    found = refusal(500, message)
    assert found.status == 422 and found.status not in transport.RETRIED
    assert found.evidence == (".spec.x: field not declared in schema",)


def test_values_of_secrets_are_not_repeated() -> None:
    path = "/api/v1/namespaces/n/secrets/s?fieldManager=mainstay"
    found = refusal(422, 'data[a]: Invalid value: "hunter2": no', path)
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("attempt", "after", "chance", "seconds"),
    [
        (1, None, 0.0, 0.05),
        (1, None, 1.0, 0.1),
        (4, None, 1.0, 0.8),
        (40, None, 1.0, 5.0),
        (1, "3", 0.0, 3.0),
        (1, "999", 0.0, 60.0),
        (1, "Wed, 21 Oct 2026", 1.0, 0.1),
    ],
)
def test_how_long_to_wait(attempt: int, after: str | None, chance: float, seconds: float) -> None:
    assert transport.delay_before(attempt, after, chance) == pytest.approx(seconds)
