# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Smoke checks: an answer held against what was wanted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Smoke
from ansible_collections.mainstay.platform.plugins.module_utils._release.smoke import (
    SHOWN,
    judge,
    run_checks,
    sentences,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.web import Answer, Target

CHECK = Smoke("/health", contains="ok", max_seconds=1.0)
TARGET = Target("127.0.0.1", 443, "shop.test")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(Answer(200, 1.0, b"it is ok"), "", id="good, exactly in time"),
        pytest.param(Answer(200, 1.01, b"ok"), "took 1.01 s, allowed are 1 s", id="slow"),
        pytest.param(Answer(200, 0.1, b"no"), "the body does not contain 'ok'", id="wrong body"),
        pytest.param(Answer(503, 0.1, b"ok"), "status 503, expected 200", id="wrong status"),
        pytest.param(Answer(0, 0.1, b"", "refused"), "no answer: refused", id="no answer"),
        pytest.param(Answer(500, 9.0, b"no"), "status 500, expected 200", id="status comes first"),
        pytest.param(
            Answer(200, 0.1, b"\xff\xfe"), "the body does not contain 'ok'", id="not a text"
        ),
    ],
)
def test_judgement(answer: Answer, reason: str) -> None:
    verdict = judge(CHECK, "shop.test", answer)
    assert (verdict.passed, verdict.reason) == (not reason, reason)


def test_only_wrong_answers_are_shown_and_only_their_beginning() -> None:
    """Seen failing with the whole body in the result."""
    assert judge(CHECK, "shop.test", Answer(200, 0.1, b"ok" * 999)).body_start == ""
    wrong = judge(CHECK, "shop.test", Answer(500, 0.1, b"x" * 999))
    assert wrong.body_start == "x" * SHOWN
    assert sentences([wrong]) == [f"shop.test/health: status 500, expected 200 | {'x' * SHOWN}"]


def test_order_hosts_and_headers() -> None:
    """Seen failing with results in the order in which they came."""
    asked: list[tuple[str, str, str]] = []

    def asker(target: Target, check: Smoke, headers: Mapping[str, str]) -> Answer:
        asked.append((target.address, target.host, headers["X-Preview"]))
        return Answer(200, 0.1, check.path.encode())

    checks = [Smoke(f"/{n}", host="admin.test" if n == 3 else None) for n in range(20)]
    verdicts = run_checks(TARGET, checks, {"X-Preview": "next"}, asker)
    assert [v.path for v in verdicts] == [f"/{n}" for n in range(20)]
    assert verdicts[3].host == "admin.test"
    assert sorted(set(asked)) == [
        ("127.0.0.1", "admin.test", "next"),
        ("127.0.0.1", "shop.test", "next"),
    ]
    assert run_checks(TARGET, [], {}, asker) == []
