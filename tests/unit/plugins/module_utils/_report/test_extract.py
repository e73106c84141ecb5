# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a result gets into a report, and what never does."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._report.extract import (
    HIDDEN,
    MESSAGE_LIMIT,
    Extract,
    extract,
)

CANARY = "canary-7f3a9"


def failed(result: dict[str, Any], *, no_log: bool = False) -> Extract:
    """The extract of a failed result."""
    return extract(result, action="ansible.builtin.command", failed=True, no_log=no_log)


@pytest.mark.parametrize(
    ("result", "no_log"),
    [
        pytest.param({"censored": "hidden", "_ansible_no_log": True}, False, id="censored"),
        pytest.param({"msg": CANARY, "_ansible_no_log": True}, False, id="marked by the module"),
        pytest.param({"msg": CANARY, "censored": "hidden"}, False, id="only censored"),
        pytest.param({"msg": CANARY, "gate": {"name": CANARY}}, True, id="keyword of the task"),
        pytest.param(
            {"results": [{"msg": CANARY, "failed": True, "_ansible_no_log": True}], "msg": "some"},
            False,
            id="one item of a loop",
        ),
        pytest.param(
            {"msg": "x", "invocation": {"module_args": {"password": CANARY}}}, False, id="arguments"
        ),
        pytest.param({"msg": "x", "stdout": CANARY, "diff": {"after": CANARY}}, False, id="output"),
        pytest.param(
            {"results": [{"_ansible_no_log": True, "gate": {"name": CANARY}}]},
            False,
            id="item gate",
        ),
    ],
)
def test_secrets_stay_out(result: dict[str, Any], no_log: bool) -> None:
    assert CANARY not in repr(failed(result, no_log=no_log))


def test_message_of_a_hidden_failure_says_so() -> None:
    assert failed({"censored": "x"}).message == HIDDEN


def test_success_leaves_no_message() -> None:
    assert extract({"msg": "hello"}, action="debug", failed=False).message == ""


@pytest.mark.parametrize(
    ("result", "message"),
    [
        pytest.param({"msg": "no space left"}, "no space left", id="text"),
        pytest.param({"msg": ["a", "b"]}, "a\nb", id="list"),
        pytest.param({}, "", id="none"),
        pytest.param(
            {"msg": "some failed", "results": [{"msg": "ok"}, {"msg": "bad", "failed": True}]},
            "bad",
            id="failed items only",
        ),
        pytest.param({"msg": "x" * 5000}, "x" * MESSAGE_LIMIT + " …", id="clipped"),
    ],
)
def test_message(result: dict[str, Any], message: str) -> None:
    assert failed(result).message == message


@pytest.mark.parametrize(
    ("result", "action", "runs"),
    [
        pytest.param({"invocation": {}}, "ansible.builtin.ping", 1, id="module"),
        pytest.param({"msg": "x"}, "ansible.builtin.debug", 0, id="controller only"),
        pytest.param({"results": [{"invocation": {}}] * 3}, "command", 3, id="loop"),
        pytest.param({"censored": "x"}, "ansible.builtin.command", 1, id="hidden module"),
        pytest.param({"censored": "x"}, "ansible.builtin.set_fact", 0, id="hidden fact"),
        pytest.param({"skipped": True}, "ansible.builtin.command", 0, id="skipped"),
    ],
)
def test_module_runs(result: dict[str, Any], action: str, runs: int) -> None:
    assert extract(result, action=action, failed=False).module_runs == runs


def test_nouns_are_taken_from_loops_too() -> None:
    found = failed({"results": [{"gate": {"name": "a"}}, {"gate": {"name": "b"}}, {"gate": None}]})
    assert [gate["name"] for gate in found.gates] == ["a", "b"]
