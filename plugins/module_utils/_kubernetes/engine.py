# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of k8s_release from arguments to facts."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    act,
    history,
    objects,
    ownership,
    warm,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import (
    Cluster,
    Object,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.evidence import (
    secret_values,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    ApiError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.history import Summary
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import Resource
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    Item,
    Key,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.observe import observe
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    Member,
    Parent,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.plan import (
    CHANGE,
    CREATE,
    KEEP,
    Plan,
    differences,
    images,
    make_plan,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ready import predicates
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.records import Records
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.release_rights import (
    wanted,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.request import (
    Request,
    request_from,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.rights import require
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.wait import Wait
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result

KILL_VARIABLE = "MAINSTAY_KILL_AT"


def kill_switch(environment: Mapping[str, str]) -> Callable[[str], None]:
    """Ends this very process at the point that a test names, as a power cut would."""
    wanted = environment.get(KILL_VARIABLE)

    def at(point: str) -> None:
        if wanted == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return at


@dataclass
class Run:
    """One call: what is asked, what is known, and the hands to act with."""

    request: Request
    cluster: Cluster
    records: Records
    parent: Parent
    items: list[Item]
    plan: Plan
    seen: dict[Key, Object]
    waiter: Wait
    kill: Callable[[str], None]
    target: str = ""
    left_warm: Optional[warm.Warm] = None
    warnings: list[str] = field(default_factory=list)


def release(
    params: Mapping[str, Any],
    cluster: Cluster,
    *,
    check: bool,
    diff: bool = True,
    clock: Callable[[], float] = time.monotonic,
    environment: Optional[Mapping[str, str]] = None,
) -> Result:
    """Run k8s_release. The texts of C(diff) take half of the work here when all is changed."""
    started = clock()
    request = request_from(params)
    run = _prepare(request, cluster, started, clock, kill_switch(environment or os.environ))
    only_plan = check or request.state == "planned"
    changed = bool(run.plan.actions)
    if request.plan and request.plan != run.plan.hash:
        raise _other_plan(request, run.plan)
    shown = differences(run.plan) if diff else {"before": "", "after": ""}
    if changed:
        require(cluster, wanted(run.plan, request), "bring this release")
    run.warnings += act.dry_run(cluster, run.plan, force=request.force, everything=only_plan)
    outcome = "planned" if changed or request.state == "planned" else "unchanged"
    release_id = request.release_id
    if not only_plan:
        outcome, release_id = _bring(run)
    elif not changed:
        release_id = run.parent.current
    return Result(
        changed=changed and request.state != "planned",
        actions=run.plan.actions,
        diff=shown,
        duration=clock() - started,
        facts={"release": _facts(run, outcome, release_id)},
    )


def _prepare(
    request: Request,
    cluster: Cluster,
    started: float,
    clock: Callable[[], float],
    kill: Callable[[str], None],
) -> Run:
    """Everything that is known before anything is changed. Bad input ends here."""
    records = Records(cluster, request.platform, request.namespace)
    parent = records.parent()
    _check_fence(request, parent)
    manifests, target = list(request.manifests), ""
    if request.state == "rolled_back":
        manifests, target = _manifests_of(request, records, parent)
    items = objects.read(manifests, request.namespace, parent.id, _lookup(cluster, manifests))
    seen = observe(cluster, items, parent.members)
    left_warm = _warm(request, records, parent)
    plan = make_plan(
        items,
        seen,
        parent,
        adopt=request.adopt,
        prune=request.prune,
        prune_kinds=request.prune_kinds,
        warm=left_warm,
    )
    waiter = Wait(
        cluster,
        predicates(request.wait_kinds, request.wait_conditions),
        request.rules,
        deadline=started + request.timeout,
        clock=clock,
        hide=secret_values(items),
        started=clock(),
    )
    return Run(
        request, cluster, records, parent, items, plan, seen, waiter, kill, target, left_warm
    )


def _check_fence(request: Request, parent: Parent) -> None:
    if request.fence < parent.fence:
        raise MainstayError(
            "this run lost its lock to a newer one; nothing was changed",
            subject=f"platform {request.platform}",
            found=f"fencing counter {request.fence} of this run, {parent.fence} in the cluster",
            expected=f"a counter of at least {parent.fence}",
            next_step="look at status.yml for the run that holds the lock, then start again",
        )


def _manifests_of(request: Request, records: Records, parent: Parent) -> tuple[list[Any], str]:
    """What an earlier release applied. Its jobs have run and are not run again."""
    current = parent.current if parent.phase == ownership.DEPLOYED else ""
    summary = history.target(
        records.summaries(), request.to, current, parent.manifests, request.platform
    )
    stored = records.manifests(summary)
    return [m for m in stored if m.get("kind") != "Job"], summary.release_id


def _warm(request: Request, records: Records, parent: Parent) -> Optional[warm.Warm]:
    """What the release before had, when it is to stay for a while.

    What is not on record goes at once: nobody could go back to it.
    """
    previous, stored = _before(parent, request.release_id), []
    if request.keep_warm <= 0 or not request.prune or not previous:
        return None
    for summary in records.summaries():
        if summary.release_id == previous and summary.outcome in (
            history.DEPLOYED,
            history.APPLIED,
        ):
            stored = records.manifests(summary)
    return warm.candidates(stored, parent, request.release_id, request.keep_warm)


def _lookup(cluster: Cluster, manifests: list[Any]) -> objects.Lookup:
    """Kinds that the cluster serves, and those that definitions of this very release bring."""
    coming: dict[tuple[str, str], Resource] = {}
    for manifest in manifests:
        spec = manifest.get("spec") if isinstance(manifest, dict) else None
        if not isinstance(spec, dict) or manifest.get("kind") != "CustomResourceDefinition":
            continue
        names = spec.get("names") or {}
        for version in spec.get("versions") or []:
            api_version = f"{spec.get('group')}/{version.get('name')}"
            kind, plural = str(names.get("kind")), str(names.get("plural"))
            scope = spec.get("scope") == "Namespaced"
            coming[api_version, kind] = Resource(api_version, kind, plural, scope)

    def lookup(api_version: str, kind: str) -> Optional[Resource]:
        return coming.get((api_version, kind)) or cluster.resource(api_version, kind)

    return lookup


def _other_plan(request: Request, plan: Plan) -> MainstayError:
    return MainstayError(
        "the plan is not the one that was agreed to; nothing was changed",
        subject=f"platform {request.platform}",
        found=plan.hash,
        expected=request.plan,
        next_step="look at the new plan with state=planned, then run with its hash",
        evidence=tuple(plan.actions),
    )


def _bring(run: Run) -> tuple[str, str]:
    """Do the plan and write down how it went: (outcome, release that is there now)."""
    parent, request = run.parent, run.request
    manifests = objects.digest([item.hash for item in run.items])
    settled = parent.phase == ownership.DEPLOYED and parent.manifests == manifests
    stale = run.plan.gone or request.fence > parent.fence
    ready = not request.wait or not run.waiter.pending(run.items, run.seen)
    if settled and ready and not run.plan.actions and not stale:
        return "unchanged", parent.current
    summary = _begin(run, manifests)
    try:
        _do(run)
    except MainstayError as error:
        # Whoever cannot write this down any more leaves the phase "applying": the next run goes on
        # from there. What is told is why it failed.
        with contextlib.suppress(ApiError):
            _end(run, summary, history.FAILED, str(error.what))
        raise
    outcome = history.DEPLOYED if request.wait else history.APPLIED
    _end(run, summary, outcome, "")
    current = run.parent.current
    for old in history.outdated(run.records.summaries(), request.retain, current):
        run.records.forget(old)
    return outcome, request.release_id


def _begin(run: Run, manifests: str) -> Summary:
    """Write ahead: the names of everything, and the record of the release."""
    request = run.request
    for step in run.plan.steps:
        # Records need their namespace; it is the first thing that a release applies.
        own = step.item.key.kind == "Namespace" and step.item.key.name == request.namespace
        if own and step.verb != KEEP:
            run.cluster.apply(step.item.resource, step.item.manifest, force=request.force)
    members = [*(Member(item.key, item.resource) for item in run.items), *_leaving(run)]
    run.parent = run.records.write(
        replace(
            ownership.extended(run.parent, members),
            phase=ownership.APPLYING,
            working=request.release_id,
            fence=request.fence,
        )
    )
    run.kill("parent")
    summary = Summary(
        release_id=request.release_id,
        started=_now(),
        previous=_before(run.parent, request.release_id),
        rolled_back_to=run.target,
        manifests=manifests,
        objects=len(run.items),
        images=images(run.items),
    )
    summary = run.records.begin(summary, run.items)
    run.kill("record")
    return summary


def _do(run: Run) -> None:
    request = run.request
    waiter = run.waiter if request.wait else None
    seen = act.apply(run.cluster, run.plan, waiter, force=request.force, kill=run.kill)
    run.seen = seen
    run.kill("applied")
    if waiter is not None:
        waiter.until_ready(run.items, seen)
    run.kill("ready")
    if run.left_warm is not None and run.plan.staying:
        act.leave(run.cluster, run.plan, run.left_warm, run.parent)
    run.kill("warm")
    act.remove(run.cluster, run.plan)
    run.kill("removed")


def _leaving(run: Run) -> list[Member]:
    """What the cluster is to take away by itself, and its clock."""
    if run.left_warm is None or not run.plan.staying:
        return []
    items = [s.item for s in run.plan.staying]
    return [run.left_warm.clock, *(Member(i.key, i.resource, leaving=True) for i in items)]


def _end(run: Run, summary: Summary, outcome: str, failure: str) -> None:
    """The last writes of a release, also of one that failed."""
    done = replace(summary, outcome=outcome, finished=_now(), failure=failure)
    parent = replace(run.parent, phase=outcome, working="")
    if outcome != history.FAILED:
        described = [Member(item.key, item.resource) for item in run.items]
        parent = replace(
            parent,
            members=tuple(
                sorted((*described, *run.plan.left, *_leaving(run)), key=lambda m: m.key)
            ),
            current=summary.release_id,
            previous=summary.previous,
            manifests=summary.manifests,
        )
    run.records.finish(done)
    run.kill("finished")
    run.parent = run.records.write(parent)


def _before(parent: Parent, release_id: str) -> str:
    """The release before this one, whose earlier steps may be there already."""
    return parent.current if parent.current != release_id else parent.previous


def _now() -> str:
    return datetime.datetime.now(tz=datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _facts(run: Run, outcome: str, release_id: str) -> dict[str, Any]:
    verbs = [step.verb for step in run.plan.steps]
    return {
        "release_id": release_id,
        "outcome": outcome,
        "previous": _before(run.parent, release_id),
        "rolled_back_to": run.target,
        "plan": run.plan.hash,
        "images": images(run.items),
        "counts": {
            "created": verbs.count(CREATE),
            "changed": verbs.count(CHANGE),
            "unchanged": verbs.count(KEEP),
            "removed": len(run.plan.removals),
            "requests": run.cluster.requests,
        },
        "ready": dict(run.waiter.ready),
        "left": [str(m.key) for m in run.plan.left],
        "warm": [str(s.item.key) for s in run.plan.staying],
        "warnings": [*run.warnings, *run.cluster.warnings],
    }
