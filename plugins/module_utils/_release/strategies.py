# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategies as pure planners: where traffic goes, step by step.

A L(Fleet) says which endpoints of which origin serve a service on which host. A planner turns the
fleet before, the fleet after and the policy into L(SwitchStep)s. Each step holds the whole document
for the edge, so a step is one atomic change and going back is the first document again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import ReleasePolicy


@dataclass(frozen=True)
class Placement:
    """One service: the release its containers come from, and its endpoints (ip:port) by host."""

    origin: str
    endpoints: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def addresses(self) -> list[str]:
        """All endpoints, in the order of the hosts."""
        return [address for host in self.endpoints for address in self.endpoints[host]]


#: Placements by service name.
Fleet = dict[str, Placement]


@dataclass(frozen=True)
class SwitchStep:
    """One change of the edge and what is checked after it.

    C(share) is the percentage of traffic the new version gets in this step; C(seconds) is the
    shortest time the step lasts; C(judge) says that the gates on real traffic apply; C(preview)
    that only requests with the preview header reach the new version.
    """

    name: str
    upstreams: dict[str, Any]
    share: float
    seconds: float = 0.0
    judge: bool = False
    preview: bool = False


def member(address: str) -> dict[str, Any]:
    """One endpoint as the edge wants it."""
    return {"address": address, "weight": 1}


def group(origin: str, addresses: list[str], share: float) -> dict[str, Any]:
    """The endpoints of one origin and the share of traffic they get."""
    return {"release": origin, "share": share, "members": [member(a) for a in addresses]}


def upstream(groups: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    """The upstream of one service."""
    return {
        "groups": groups,
        "sticky": options.get("sticky"),
        "preview": options.get("preview"),
    }


def settled(fleet: Fleet) -> dict[str, Any]:
    """The document in which every service is served by one origin alone."""
    return {
        name: upstream([group(placement.origin, placement.addresses(), 100.0)])
        for name, placement in sorted(fleet.items())
        if placement.addresses()
    }


def batches(hosts: list[str], size: str) -> list[list[str]]:
    """Split C(hosts) into batches of C(size): a count (C("2")) or a percentage (C("34%"))."""
    text = size.strip()
    if text.endswith("%"):
        count = math.floor(len(hosts) * float(text[:-1]) / 100.0)
    else:
        count = int(text)
    count = max(1, count)
    return [hosts[i : i + count] for i in range(0, len(hosts), count)]


def plan_switch(
    strategy: str, policy: ReleasePolicy, before: Fleet, after: Fleet, hosts: list[str]
) -> list[SwitchStep]:
    """The steps from C(before) to C(after); empty when the edge needs no change.

    The last step is always C(settled(after)). A service that has no endpoint before (the first
    release) goes straight to its final place in the first step: there is nothing to compare with.
    """
    final = settled(after)
    if final == settled(before):
        return []
    moving = _moving(before, after)
    if not moving:
        return [SwitchStep("switch all", final, 100.0)]
    planner = _PLANNERS.get(strategy)
    if planner is None:
        raise MainstayError(
            "unknown strategy",
            subject="platform_release.strategy",
            found=strategy,
            expected=", ".join(sorted(_PLANNERS)),
        )
    return planner(policy, before, after, hosts)


def _moving(before: Fleet, after: Fleet) -> list[str]:
    """Services that serve now and will be served by another origin."""
    return sorted(
        name
        for name, placement in after.items()
        if name in before
        and before[name].addresses()
        and placement.addresses()
        and before[name].origin != placement.origin
    )


def _rolling(
    policy: ReleasePolicy, before: Fleet, after: Fleet, hosts: list[str]
) -> list[SwitchStep]:
    parts = batches(hosts, policy.batch)
    steps: list[SwitchStep] = []
    done: list[str] = []
    for number, part in enumerate(parts, 1):
        done.extend(part)
        last = number == len(parts)
        document = settled(after) if last else _mixed(before, after, done)
        name = f"rolling {number} of {len(parts)}: {', '.join(part)}"
        steps.append(SwitchStep(name, document, 100.0 * number / len(parts), judge=True))
    return _without_repeats(steps)


def _mixed(before: Fleet, after: Fleet, done: list[str]) -> dict[str, Any]:
    """Hosts in C(done) serve the new origin, the others still the old one."""
    document = settled(after)
    for name in _moving(before, after):
        old = [a for h, many in before[name].endpoints.items() if h not in done for a in many]
        new = [a for h, many in after[name].endpoints.items() if h in done for a in many]
        if not old or not new:
            if not new:
                document[name] = settled(before)[name]
            continue
        total = len(old) + len(new)
        document[name] = upstream(
            [
                group(before[name].origin, old, round(100.0 * len(old) / total, 3)),
                group(after[name].origin, new, round(100.0 * len(new) / total, 3)),
            ]
        )
    return document


def _blue_green(
    policy: ReleasePolicy, before: Fleet, after: Fleet, hosts: list[str]
) -> list[SwitchStep]:
    shown = _shared(policy, before, after, 0.0, sticky=False)
    return [
        SwitchStep("preview of the new version", shown, 0.0, preview=True),
        SwitchStep("switch all to the new version", settled(after), 100.0, judge=True),
    ]


def _flip(policy: ReleasePolicy, before: Fleet, after: Fleet, hosts: list[str]) -> list[SwitchStep]:
    return [SwitchStep("switch all at once", settled(after), 100.0)]


def _canary(
    policy: ReleasePolicy, before: Fleet, after: Fleet, hosts: list[str]
) -> list[SwitchStep]:
    steps: list[SwitchStep] = []
    for stage in policy.canary:
        whole = stage.share >= 100.0
        document = (
            settled(after)
            if whole
            else _shared(policy, before, after, stage.share, sticky=policy.sticky)
        )
        name = f"canary {stage.share:g} %"
        steps.append(SwitchStep(name, document, stage.share, stage.seconds, judge=True))
    if not steps or steps[-1].share < 100.0:
        steps.append(SwitchStep("canary 100 %", settled(after), 100.0, judge=True))
    return steps


def _shared(
    policy: ReleasePolicy, before: Fleet, after: Fleet, share: float, *, sticky: bool
) -> dict[str, Any]:
    """Old and new side by side; the preview header always reaches the new one."""
    document = settled(after)
    for name in _moving(before, after):
        cookie: Optional[dict[str, Any]] = None
        if sticky:
            cookie = {"cookie": f"mainstay_{name.replace('-', '_')}", "max_age": 3600}
        document[name] = upstream(
            [
                group(before[name].origin, before[name].addresses(), 100.0 - share),
                group(after[name].origin, after[name].addresses(), share),
            ],
            sticky=cookie,
            preview={"header": policy.preview_header, "release": after[name].origin},
        )
    return document


def _without_repeats(steps: list[SwitchStep]) -> list[SwitchStep]:
    """Drop a step whose document is that of the step before it (a host with no replica)."""
    kept: list[SwitchStep] = []
    for step in steps:
        if kept and kept[-1].upstreams == step.upstreams:
            kept.pop()
        kept.append(step)
    return kept


#: Planner by strategy; C(flip) is the way back: everything at once, nothing to compare.
_PLANNERS: dict[str, Callable[[ReleasePolicy, Fleet, Fleet, list[str]], list[SwitchStep]]] = {
    "rolling": _rolling,
    "blue_green": _blue_green,
    "canary": _canary,
    "flip": _flip,
}
