# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate C(metric) against a real Prometheus."""

from __future__ import annotations

import pytest

from .conftest import Judge, JudgeAll, Judged, free_port
from .site import Site

#: Rule, verdict, and a part of what was observed.
CASES = [
    pytest.param({"query": "sample_queue", "maximum": 12}, "passed", "12", id="on the limit"),
    pytest.param({"query": "sample_queue", "maximum": 11}, "failed", "12", id="over it"),
    pytest.param({"query": "sample_queue", "minimum": 13}, "failed", "12", id="under it"),
    pytest.param(
        {"query": "sample_errors", "maximum": 1}, "failed", "7", id="one of two series over it"
    ),
    pytest.param(
        {"query": "sample_errors", "maximum": 9, "minimum_samples": 2},
        "passed",
        "0.5, 7",
        id="enough series",
    ),
    pytest.param(
        {"query": "sample_errors", "maximum": 9, "minimum_samples": 3},
        "held",
        "2 series",
        id="too few series",
    ),
    pytest.param({"query": "scalar(sample_queue)", "maximum": 12}, "passed", "12", id="scalar"),
    pytest.param(
        {"query": "sample_nothing / sample_nothing", "maximum": 1},
        "held",
        "0 series",
        id="nothing divided by nothing is no data",
    ),
    pytest.param(
        {"query": "sample_queue / sample_nothing", "maximum": 1},
        "failed",
        "inf",
        id="something divided by nothing is infinite",
    ),
    pytest.param({"query": "absent_metric", "maximum": 1}, "held", "0 series", id="no data"),
    pytest.param(
        {"query": "absent_metric", "no_data": "pass"}, "passed", "0 series", id="no data passes"
    ),
    pytest.param(
        {"query": "absent_metric", "no_data": "fail"}, "failed", "0 series", id="no data fails"
    ),
    pytest.param({"query": "sum("}, "failed", "bad_data", id="not PromQL"),
    pytest.param(
        {"query": "sample_queue + on() sample_errors"},
        "failed",
        "execution",
        id="cannot be evaluated",
    ),
    pytest.param(
        {"query": "sample_queue[1m]"}, "failed", "a matrix", id="many points of one series"
    ),
    pytest.param({"query": '"text"'}, "failed", "a string", id="a text"),
]


@pytest.fixture(scope="module")
def verdicts(prometheus: str, judge_all: JudgeAll) -> list[Judged]:
    """All cases, judged in one play."""
    rules = [case.values[0] for case in CASES]
    return judge_all([{"kind": "metric", "url": prometheus, **rule} for rule in rules])


@pytest.mark.parametrize(
    ("number", "outcome", "observed"),
    [pytest.param(number, *case.values[1:], id=case.id) for number, case in enumerate(CASES)],
)
def test_verdicts(verdicts: list[Judged], number: int, outcome: str, observed: str) -> None:
    """Seen failing, among others, with NaN as a value, and with a text as an answer (a trace)."""
    judged = verdicts[number]
    assert judged.gate["outcome"] == outcome, judged
    assert observed in judged.gate["observed"]
    assert judged.failed is (outcome != "passed")
    if judged.failed:
        assert judged.message.startswith("gate x " + {"held": "could not decide"}.get(outcome, ""))


def test_prometheus_that_is_down_decides_nothing(judge: Judge) -> None:
    """Seen failing with C(failed) for a connection that is refused: a release was taken back."""
    judged = judge(kind="metric", url=f"http://127.0.0.1:{free_port()}", query="up")
    assert judged.gate["outcome"] == "held"
    assert "refused" in judged.gate["observed"]


def test_a_server_that_is_not_prometheus_decides_nothing(judge: Judge) -> None:
    """Seen failing with its page read as an answer of Prometheus."""
    with Site() as other:
        judged = judge(kind="metric", url=f"http://127.0.0.1:{other.port}", query="up")
    assert judged.gate["outcome"] == "held"
    assert "Prometheus" in judged.gate["observed"]


def test_what_is_missing_is_named(judge: Judge) -> None:
    """Seen failing without the check: an exception named no option."""
    assert "url, query" in judge(kind="metric").message


def test_a_limit_that_is_no_number_is_refused(judge: Judge) -> None:
    """Seen failing without the check: no value is above NaN, so every value passed."""
    judged = judge(kind="metric", url="http://127.0.0.1:1", query="up", maximum="nan")
    assert "maximum: a limit that is no finite number lets everything pass" in judged.message
