# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates: what is observed, held against what must hold. Pure; waiting is the caller's.

A verdict is C(passed), C(failed), C(held) (cannot be decided) or C(waiting) (ask again).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

PASSED, FAILED, HELD, WAITING = "passed", "failed", "held", "waiting"
#: What "no data" means, by policy.
NO_DATA = {"pass": PASSED, "hold": HELD, "fail": FAILED}
#: A command that ends with this status could not decide (EX_TEMPFAIL of sysexits.h).
TEMPORARY = 75
#: Errors of Prometheus that asking again cannot mend.
BAD_QUERY = ("bad_data", "execution")


@dataclass(frozen=True)
class Judgement:
    """A verdict with what was seen, what was wanted, and on how many samples it stands."""

    outcome: str
    observed: str
    expected: str
    samples: int = 0
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class EdgeRule:
    """What the edge's own figures for a new version must be.

    The gate lasts at least C(seconds) and at most C(wait) longer while there are fewer than
    C(minimum_requests) answers.
    """

    minimum_requests: int
    max_error_percent: float
    max_p95_seconds: float
    seconds: float
    wait: float
    no_data: str

    def expected(self) -> str:
        """The rule in words."""
        return (
            f"at most {self.max_error_percent:g} % failed and p95 at most"
            f" {self.max_p95_seconds:g} s over at least {self.minimum_requests} requests"
        )


@dataclass(frozen=True)
class MetricRule:
    """What the value of a PromQL expression must be; every series of a vector has to hold."""

    maximum: Optional[float] = None
    minimum: Optional[float] = None
    minimum_samples: int = 1
    no_data: str = "hold"

    def expected(self) -> str:
        """The rule in words."""
        parts = []
        if self.minimum is not None:
            parts.append(f"at least {self.minimum:g}")
        if self.maximum is not None:
            parts.append(f"at most {self.maximum:g}")
        return f"{' and '.join(parts) or 'any value'} in at least {self.minimum_samples} series"


@dataclass(frozen=True)
class Figures:
    """What one edge counted for one service and release."""

    requests: int = 0
    failed: int = 0
    p95: float = 0.0

    @property
    def percent(self) -> float:
        """Share of failed requests in percent."""
        return 100.0 * self.failed / self.requests if self.requests else 0.0


def figures(statistics: dict[str, Any], upstream: str, release: str) -> Figures:
    """The figures of one group from the edge's statistics; zero when it has none yet."""
    found = (statistics.get(upstream) or {}).get(release) or {}
    return Figures(
        int(found.get("requests") or 0), int(found.get("failed") or 0), float(found.get("p95") or 0)
    )


def require_finite(limits: Mapping[str, Optional[float]]) -> None:
    """Refuse limits that no comparison is ever true for: everything would pass."""
    for name, limit in limits.items():
        if limit is not None and not math.isfinite(limit):
            raise MainstayError(
                "a limit that is no finite number lets everything pass",
                subject=name,
                found=str(limit),
                expected="a number",
            )


def judge_edge(rule: EdgeRule, seen: dict[str, Figures], elapsed: float) -> Judgement:
    """Hold every service's figures against the rule.

    A service fails at once when it has more failures than the rule would forgive over the minimum
    of requests: waiting longer could only hurt more visitors.
    """
    verdicts = {name: _edge_verdict(rule, f, elapsed) for name, f in seen.items()}
    order = (FAILED, WAITING, HELD, PASSED)
    outcome = min(verdicts.values(), key=order.index, default=PASSED)
    observed = "; ".join(
        f"{name}: {f.percent:.1f} % of {f.requests} failed, p95 {f.p95:.3f} s"
        for name, f in sorted(seen.items())
    )
    samples = min((f.requests for f in seen.values()), default=0)
    return Judgement(outcome, observed or "no service", rule.expected(), samples)


def _edge_verdict(rule: EdgeRule, seen: Figures, elapsed: float) -> str:
    basis = max(seen.requests, rule.minimum_requests)
    if seen.failed > basis * rule.max_error_percent / 100.0:
        return FAILED
    enough = seen.requests >= rule.minimum_requests
    if enough and not seen.p95 <= rule.max_p95_seconds:  # what is no number is not good either
        return FAILED
    if elapsed < rule.seconds:
        return WAITING
    if enough:
        return PASSED
    if elapsed < rule.seconds + rule.wait:
        return WAITING
    return NO_DATA[rule.no_data]


def judge_metric(rule: MetricRule, answer: dict[str, Any]) -> Judgement:
    """Hold the answer of Prometheus' query API (its whole JSON) against the rule."""
    if answer.get("status") != "success":
        reason = f"{answer.get('errorType', 'error')}: {answer.get('error', 'no reason given')}"
        outcome = FAILED if answer.get("errorType") in BAD_QUERY else HELD
        return Judgement(outcome, reason, rule.expected())
    data = answer.get("data") or {}
    if data.get("resultType") not in ("scalar", "vector"):
        return Judgement(
            FAILED, f"the query gives a {data.get('resultType', 'nothing')}", "a scalar or a vector"
        )
    every = _values(data)
    values = [value for value in every if not math.isnan(value)]
    bad = [v for v in values if _outside(rule, v)]
    # Infinity on the good side of a limit is a division by nothing, not a good value.
    endless = [v for v in values if math.isinf(v)]
    observed = ", ".join(f"{v:g}" for v in sorted(bad or endless or values)[:5])
    if bad:
        return Judgement(FAILED, observed, rule.expected(), len(values))
    if len(values) < max(rule.minimum_samples, len(every)):
        observed = f"{len(values)} series with a value, {len(every) - len(values)} without (NaN)"
        return Judgement(NO_DATA[rule.no_data], observed, rule.expected(), len(values))
    return Judgement(HELD if endless else PASSED, observed, rule.expected(), len(values))


def _values(data: dict[str, Any]) -> list[float]:
    """The numbers of a scalar or a vector; NaN (0 divided by 0) among them is no data."""
    result = data.get("result") or []
    if data.get("resultType") == "scalar":
        pairs = [result]
    else:
        pairs = [row.get("value") or [0, "NaN"] for row in result]
    return [float(pair[1]) for pair in pairs if len(pair) > 1]


def _outside(rule: MetricRule, value: float) -> bool:
    above = rule.maximum is not None and value > rule.maximum
    below = rule.minimum is not None and value < rule.minimum
    return above or below


def judge_command(code: Optional[int], output: str, seconds: float) -> Judgement:
    """Hold the exit status of a program against the rule; no status means that it took too long."""
    evidence = tuple(output.splitlines()[-20:])
    wanted = "exit status 0"
    if code is None:
        return Judgement(FAILED, f"still running after {seconds:g} s", wanted, 0, evidence)
    outcome = {0: PASSED, TEMPORARY: HELD}.get(code, FAILED)
    return Judgement(outcome, f"exit status {code}", wanted, 1, evidence)


def judge_smoke(verdicts: list[dict[str, Any]], problems: list[str]) -> Judgement:
    """Hold the verdicts of smoke checks against the rule that all pass."""
    good = sum(1 for v in verdicts if v.get("passed"))
    return Judgement(
        FAILED if problems else PASSED,
        f"{good} of {len(verdicts)} checks passed",
        "all checks pass",
        len(verdicts),
        tuple(problems),
    )


@dataclass(frozen=True)
class GateResult:
    """The fact C(gate)."""

    name: str
    kind: str
    outcome: str
    observed: str
    expected: str
    samples: int
    seconds: float
    evidence: tuple[str, ...] = field(default_factory=tuple)

    def message(self) -> str:
        """The sentence of a gate that did not pass."""
        word = {FAILED: "failed", HELD: "could not decide"}.get(self.outcome, self.outcome)
        lines = [f"gate {self.name} {word}: {self.observed}", f"  expected: {self.expected}"]
        lines.extend(f"  | {line}" for line in self.evidence)
        return "\n".join(lines)
