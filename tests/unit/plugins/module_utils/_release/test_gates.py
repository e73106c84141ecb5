# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts of gates: what passes, what fails early, what cannot be decided."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.gates import (
    EdgeRule,
    Figures,
    MetricRule,
    figures,
    judge_command,
    judge_edge,
    judge_metric,
    judge_smoke,
    require_finite,
)


def rule(no_data: str = "hold") -> EdgeRule:
    return EdgeRule(100, 1.0, 0.5, 10.0, 30.0, no_data)


@pytest.mark.parametrize(
    ("seen", "elapsed", "outcome"),
    [
        pytest.param(Figures(200, 0, 0.1), 10.0, "passed", id="good"),
        pytest.param(Figures(200, 0, 0.1), 9.0, "waiting", id="not long enough"),
        pytest.param(Figures(200, 2, 0.1), 10.0, "passed", id="exactly on the limit"),
        pytest.param(Figures(200, 3, 0.1), 0.0, "failed", id="over the limit"),
        pytest.param(Figures(5, 2, 0.1), 0.0, "failed", id="early: cannot come under it"),
        pytest.param(Figures(5, 1, 0.1), 0.0, "waiting", id="one failure is forgiven over 100"),
        pytest.param(Figures(100, 0, 0.6), 0.0, "failed", id="slow"),
        pytest.param(Figures(99, 0, 0.6), 0.0, "waiting", id="slow over too few"),
        pytest.param(Figures(100, 0, float("nan")), 10.0, "failed", id="a time that is none"),
        pytest.param(Figures(99, 0, 0.1), 39.0, "waiting", id="too few, time left"),
        pytest.param(Figures(99, 0, 0.1), 40.0, "held", id="too few, time over"),
    ],
)
def test_edge(seen: Figures, elapsed: float, outcome: str) -> None:
    assert judge_edge(rule(), {"api": seen}, elapsed).outcome == outcome


@pytest.mark.parametrize(
    ("policy", "outcome"), [("pass", "passed"), ("hold", "held"), ("fail", "failed")]
)
def test_no_data_policy(policy: str, outcome: str) -> None:
    assert judge_edge(rule(policy), {"api": Figures()}, 40.0).outcome == outcome
    found = judge_metric(MetricRule(1.0, no_data=policy), vector())
    assert found.outcome == outcome


def test_every_service_has_to_hold() -> None:
    seen = {"api": Figures(200, 0, 0.1), "web": Figures(200, 50, 0.1)}
    assert judge_edge(rule(), seen, 10.0).outcome == "failed"


def test_figures_of_a_group_nobody_asked_yet() -> None:
    assert figures({}, "api", "r1") == Figures()
    assert figures({"api": {"r1": {"requests": 3, "p95": None}}}, "api", "r1") == Figures(3)


def vector(*values: str) -> dict[str, Any]:
    rows = [{"metric": {}, "value": [1, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": rows}}


def error(kind: str) -> dict[str, Any]:
    return {"status": "error", "errorType": kind, "error": "the reason"}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(vector("0.5"), "passed", id="under the maximum"),
        pytest.param(vector("0.5", "2"), "failed", id="one series over it"),
        pytest.param(vector("+Inf"), "failed", id="infinite"),
        pytest.param(vector("NaN"), "held", id="NaN is no data"),
        pytest.param(vector("0.5", "NaN"), "held", id="NaN beside a good series"),
        pytest.param(vector("2", "NaN"), "failed", id="NaN beside a bad series"),
        pytest.param(vector("-Inf"), "held", id="infinite on the good side"),
        pytest.param(vector("0.5", "-Inf"), "held", id="infinite beside a good series"),
        pytest.param(vector(), "held", id="no series"),
        pytest.param(
            {"status": "success", "data": {"resultType": "scalar", "result": [1, "0.2"]}},
            "passed",
            id="scalar",
        ),
        pytest.param(error("bad_data"), "failed", id="bad query"),
        pytest.param(error("execution"), "failed", id="query that cannot be executed"),
        pytest.param(error("timeout"), "held", id="Prometheus is slow"),
        pytest.param(error("unavailable"), "held", id="Prometheus is starting"),
    ],
)
def test_metric(answer: dict[str, Any], outcome: str) -> None:
    found = judge_metric(MetricRule(maximum=1.0), answer)
    assert found.outcome == outcome
    if answer["status"] == "error":
        assert "the reason" in found.observed


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(0, "passed"), (75, "held"), (1, "failed"), (-9, "failed"), (None, "failed")],
)
def test_command(code: int | None, outcome: str) -> None:
    found = judge_command(code, "\n".join(str(n) for n in range(30)), 5.0)
    assert found.outcome == outcome
    assert found.evidence == tuple(str(n) for n in range(10, 30))


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), float("-inf")])
def test_a_limit_that_lets_everything_pass_is_refused(limit: float) -> None:
    require_finite({"maximum": 1.0, "minimum": None})
    with pytest.raises(MainstayError, match="lets everything pass"):
        require_finite({"minimum": None, "maximum": limit})


def test_smoke_carries_its_evidence() -> None:
    found = judge_smoke([{"passed": True}, {"passed": False}], ["shop/: status 502"])
    assert (found.outcome, found.samples, found.evidence) == ("failed", 2, ("shop/: status 502",))
