# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the release policy, and about the machines it works on. Pure.

Replicas. C(rolling) and C(canary) let old and new answer at the same time, and the edge passes
over a member that fails. With one replica of a version there is nobody to pass over to: a failing
start or a crash in the middle of the switch is an outage. So each service with routes needs two.
C(blue_green) changes all at once and back at once, one replica is enough for it.

Migrations. Every strategy lets the old version work on the new schema for some time: until the
last batch, through the canary, or as the warm way back. A migration that is not reversible takes
the way back away: refused for C(canary), whose whole point is to be able to return; a warning
elsewhere, since going back then means a restore.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mainstay.platform.plugins.module_utils._platform.context import (
    Context,
    severity,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    WARNING,
    Problem,
    did_you_mean,
)

LEAST_REPLICAS = {"rolling": 2, "blue_green": 1, "canary": 2}
STAGES = ("production", "staging", "development")


def check_release(context: Context) -> Iterator[Problem]:
    """All rules of this file."""
    yield from _stage(context)
    yield from _replicas(context)
    yield from _migrations(context)
    yield from _canary(context)
    yield from _times(context)
    yield from _gates(context)
    yield from _groups(context)


def _stage(context: Context) -> Iterator[Problem]:
    stage = context.platform.stage
    meant = did_you_mean(stage, STAGES)
    if meant and meant != stage:
        yield Problem(
            "platform_stage",
            f"almost, but not, {meant}: the rules for {meant} would be passed by",
            stage,
            f"{', '.join(STAGES)}, or a name of its own",
            f"did you mean {meant}?",
        )


def _replicas(context: Context) -> Iterator[Problem]:
    strategy = context.platform.release.strategy
    least = LEAST_REPLICAS[strategy]
    for service in context.platform.services:
        path, count = f"platform_services.{service.name}.replicas", service.replicas
        scaling = service.kubernetes.autoscaling
        if scaling and context.platform.runtime == "kubernetes":
            path = f"platform_services.{service.name}.kubernetes.autoscaling.minimum"
            count = scaling.minimum
        if service.routes and not service.is_worker and count < least:
            yield Problem(
                path,
                f"too few for {strategy}: when one fails during a switch there is no other",
                str(count),
                f"at least {least} for a service with routes",
                "add replicas, or use strategy blue_green",
                severity=severity(context.production),
            )


def _migrations(context: Context) -> Iterator[Problem]:
    strategy = context.platform.release.strategy
    for service in context.platform.services:
        migration = service.migration
        if migration is None or migration.reversible or migration.revert_command:
            continue
        yield Problem(
            f"platform_services.{service.name}.migration.reversible",
            f"{strategy} lets the old version work on the new schema, and going back needs it to",
            "false",
            "true, or a revert_command",
            "make the migration work with both versions, or plan a restore as the way back",
            severity=severity(strategy == "canary"),
        )


def _canary(context: Context) -> Iterator[Problem]:
    release = context.platform.release
    shares = [step.share for step in release.canary]
    found = ", ".join(f"{share:g}" for share in shares)
    if any(later <= earlier for earlier, later in zip(shares, shares[1:])):
        yield Problem("platform_release.canary", "the shares do not rise", found, "10, 50, 100")
    if shares[-1] != 100:
        yield Problem("platform_release.canary", "the last share is not 100", found, "10, 50, 100")
    if shares[0] <= 0:
        yield Problem("platform_release.canary", "a share of nothing", found, "10, 50, 100")
    if release.strategy == "canary" and release.keep_warm <= 0:
        yield Problem(
            "platform_release.keep_warm",
            "canary with nothing kept warm: going back would have to start the old version first",
            "0",
            "more than 0, such as 10m",
        )


def _times(context: Context) -> Iterator[Problem]:
    release = context.platform.release
    if 0 < release.keep_warm < release.drain:
        yield Problem(
            "platform_release.drain",
            "longer than keep_warm: old containers would be stopped while they are drained",
            f"{release.drain:g} s",
            f"at most {release.keep_warm:g} s",
        )
    for service in context.platform.services:
        if not service.is_worker and release.drain > service.stop_grace:
            yield Problem(
                f"platform_services.{service.name}.stop_grace",
                "shorter than platform_release.drain: a request that is let run so long at the edge"
                " would be cut in a plain stop of the container",
                f"{service.stop_grace:g} s",
                f"at least {release.drain:g} s",
                severity=WARNING,
            )


def _gates(context: Context) -> Iterator[Problem]:
    gates = context.platform.release.gates
    for index, gate in enumerate(gates.metrics):
        path = f"platform_release.gates.metrics[{index}]"
        if gate.maximum is None and gate.minimum is None:
            yield Problem(path, "nothing to compare with", gate.name, "maximum, minimum, or both")
        elif gate.maximum is not None and gate.minimum is not None and gate.minimum > gate.maximum:
            yield Problem(
                f"{path}.minimum", "above maximum", f"{gate.minimum:g}", f"at most {gate.maximum:g}"
            )
    names = [gate.name for gate in gates.approvals]
    for index, name in enumerate(names):
        if name in names[:index]:
            path = f"platform_release.gates.approvals[{index}].name"
            yield Problem(path, "named twice", name, "a name of its own: answers are given by name")
    if gates.metrics and not gates.prometheus_url:
        yield Problem(
            "platform_release.gates.prometheus_url",
            "missing for gates on metrics",
            "nothing",
            "the URL of Prometheus",
        )


def _groups(context: Context) -> Iterator[Problem]:
    if context.platform.runtime != "docker" or not context.groups:
        return
    routed = any(service.routes for service in context.platform.services)
    for group, needed in (("app", bool(context.platform.services)), ("edge", routed)):
        if needed and not context.groups.get(group):
            yield Problem(
                f"groups.{group}",
                "the inventory has no host in this group",
                "no host",
                f"at least one host in [{group}]",
                "one machine may be in edge and app at once",
            )
