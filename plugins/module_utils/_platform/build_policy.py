# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge and the release policy: checked variables to dataclasses. Pure."""

from __future__ import annotations

from typing import Any, Union

from ansible_collections.mainstay.platform.plugins.module_utils._platform import units
from ansible_collections.mainstay.platform.plugins.module_utils._platform.build import pick, words
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    ApprovalGate,
    CanaryStep,
    CommandGate,
    Edge,
    Gates,
    Maintenance,
    MetricGate,
    Probe,
    RateLimit,
    ReleasePolicy,
    Tls,
)

#: A browser opens about this many requests at once for one page; a burst of two seconds' worth is
#: allowed where nothing else is said, but never less than this.
SMALLEST_BURST = 20


def rate_limit(name: str, raw: Union[str, dict[str, Any]]) -> RateLimit:
    """A limit, written as a rate or as an object."""
    spec = {"rate": raw} if isinstance(raw, str) else raw
    rate = units.rate(spec["rate"])
    burst = spec.get("burst", max(SMALLEST_BURST, round(2 * rate)))
    found = {"zone_bytes": units.size(spec["zone"])} if "zone" in spec else {}
    return RateLimit(name=name, rate=rate, burst=int(burst), **found)


def tls(raw: dict[str, Any]) -> Tls:
    """Encryption at the edge."""
    found = pick(
        raw, mode=str, certificate=str, key=str, acme_email=str, protocols=tuple, redirect=bool
    )
    if "hsts" in raw:
        found["hsts_seconds"] = int(units.seconds(raw["hsts"]))
    return Tls(**found)


def maintenance(raw: dict[str, Any]) -> Maintenance:
    """The maintenance page."""
    found = pick(
        raw, title=str, message=str, bypass_header=str, bypass_secret=str, bypass_addresses=tuple
    )
    if "retry_after" in raw:
        found["retry_after"] = int(units.seconds(raw["retry_after"]))
    return Maintenance(**found)


def edge(raw: dict[str, Any]) -> Edge:
    """The edge, with its stage applied."""
    found = pick(
        raw,
        http_port=int,
        https_port=int,
        headers=dict,
        gzip=bool,
        gzip_min_length=int,
        upstream_keepalive=int,
        health_path=str,
        aliases=tuple,
    )
    if "max_body" in raw:
        found["max_body_bytes"] = units.size(raw["max_body"])
    if "keepalive" in raw:
        found["keepalive_seconds"] = int(units.seconds(raw["keepalive"]))
    limits = raw.get("rate_limits") or {}
    return Edge(
        tls=tls(raw.get("tls") or {}),
        rate_limits=tuple(rate_limit(name, limit) for name, limit in limits.items()),
        maintenance=maintenance(raw.get("maintenance") or {}),
        **found,
    )


def canary_step(raw: Union[int, float, str, dict[str, Any]]) -> CanaryStep:
    """A step, written as a percentage or as an object."""
    if isinstance(raw, dict):
        return CanaryStep(float(raw["share"]), units.seconds(raw.get("hold", 0)))
    return CanaryStep(units.percent(raw))


def gates(raw: dict[str, Any]) -> Gates:
    """The gates."""
    found = pick(
        raw, minimum_requests=int, max_error_percent=float, no_data=str, prometheus_url=str
    )
    found.update(pick(raw, wait=units.seconds))
    if "max_p95" in raw:
        found["max_p95_seconds"] = units.seconds(raw["max_p95"])
    found["metrics"] = tuple(MetricGate(**gate) for gate in raw.get("metrics") or [])
    found["commands"] = tuple(
        CommandGate(**pick(gate, name=str, command=words, timeout=units.seconds))
        for gate in raw.get("commands") or []
    )
    found["approvals"] = tuple(
        ApprovalGate(
            **pick(
                gate,
                name=str,
                after=str,
                timeout=units.seconds,
                approvers=tuple,
                other_person=bool,
                text=str,
            )
        )
        for gate in raw.get("approvals") or []
    )
    return Gates(**found)


def probe(raw: dict[str, Any]) -> Probe:
    """The prober."""
    found = pick(raw, path=str, rate=float, timeout=units.seconds, max_failed=int)
    if "slow" in raw:
        found["slow_seconds"] = units.seconds(raw["slow"])
    return Probe(**found)


def release(raw: dict[str, Any]) -> ReleasePolicy:
    """The release policy, with its stage applied."""
    found = pick(
        raw,
        strategy=str,
        batch=str,
        sticky=bool,
        preview_header=str,
        keep_warm=units.seconds,
        retain=int,
        drain=units.seconds,
        stage_timeout=units.seconds,
    )
    if "canary" in raw:
        found["canary"] = tuple(canary_step(step) for step in raw["canary"])
    return ReleasePolicy(
        gates=gates(raw.get("gates") or {}), probe=probe(raw.get("probe") or {}), **found
    )
