# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doing a plan: dry run, waves, removal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import (
    Cluster,
    Object,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.doubts import to_try
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.failures import (
    ApiError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import (
    OTHER,
    WORKLOADS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    Item,
    Key,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    Parent,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.plan import (
    KEEP,
    Plan,
    Step,
    is_dying,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.wait import Wait
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.warm import (
    Warm,
    is_leaving,
    owned,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def dry_run(cluster: Cluster, plan: Plan, *, force: bool, everything: bool = True) -> list[str]:
    """Let the API server try the changes; raise one error with all that it refuses.

    C(everything), or only those whose end the plan alone cannot tell (L(doubts)).

    Returns what could not be tried, because its namespace or its definition comes with this very
    release.
    """
    spaces = {s.item.key.name for s in plan.steps if _new(s, "Namespace")}
    defined = any(_new(s, "CustomResourceDefinition") for s in plan.steps)
    tried: list[Step] = []
    untried: list[Step] = []
    for step in to_try(plan, everything=everything, force=force):
        early = step.item.key.namespace in spaces or (defined and step.item.wave == OTHER)
        (untried if early else tried).append(step)

    def one(step: Step) -> Optional[ApiError]:
        try:
            cluster.apply(step.item.resource, step.item.manifest, dry_run=True, force=force)
        except ApiError as error:
            if error.status in (0, 401):
                raise
            return error
        return None

    with ThreadPoolExecutor(cluster.parallel) as pool:
        refused = [(s, e) for s, e in zip(tried, pool.map(one, tried)) if e is not None]
    if refused:
        raise _refusal(refused)
    return [f"{s.item.key} could not be tried before what it needs is there" for s in untried]


def _new(step: Step, kind: str) -> bool:
    return step.item.key.kind == kind and step.live is None


def _refusal(refused: Sequence[tuple[Step, ApiError]]) -> MainstayError:
    if len(refused) == 1:
        step, error = refused[0]
        return MainstayError(
            f"{error.what}; nothing was changed",
            subject=str(step.item.key),
            found=error.found,
            expected=error.expected,
            next_step=error.next_step,
            evidence=error.evidence,
        )
    lines: list[str] = []
    for step, error in refused:
        lines.append(f"{step.item.key}: {error.what} ({error.found})")
        lines += [f"  {line}" for line in error.evidence]
    return MainstayError(
        f"the API server refuses {len(refused)} objects; nothing was changed",
        evidence=tuple(lines),
        next_step=refused[0][1].next_step,
    )


def apply(
    cluster: Cluster,
    plan: Plan,
    waiter: Optional[Wait],
    *,
    force: bool,
    kill: Callable[[str], None],
) -> dict[Key, Object]:
    """Apply wave after wave; what workloads need is ready before they are touched."""
    seen: dict[Key, Any] = {s.item.key: s.live for s in plan.steps if s.live is not None}
    settled: set[Key] = set()
    for steps in plan.waves():
        changing = [s for s in steps if s.verb != KEEP]
        wave = steps[0].item.wave
        if waiter is not None and changing and wave > _BARRIERS[0]:
            barrier = max(b for b in _BARRIERS if b < wave)
            items = [s.item for s in plan.steps if s.item.wave <= barrier]
            waiter.until_ready([i for i in items if i.key not in settled], seen)
            settled |= {i.key for i in items}
        seen.update(_together(cluster, changing, waiter, force=force))
        kill(f"wave-{wave}")
    return seen


#: What has a lower or the same wave is ready before anything with a higher one is applied:
#: definitions before what they define, stores before jobs, jobs before workloads.
#: The last one is for what an annotation puts after workloads that are ready.
_BARRIERS = (0, 49, WORKLOADS - 1, 90)


def _together(
    cluster: Cluster, steps: Sequence[Step], waiter: Optional[Wait], *, force: bool
) -> dict[Key, Object]:
    def one(step: Step) -> Object:
        item = step.item
        done = cluster.apply(item.resource, item.manifest, force=force)
        if waiter is not None and is_dying(done):
            # What was applied goes with the object: it is made anew when that is gone.
            waiter.until_gone(item, str(done["metadata"]["uid"]))
            done = cluster.apply(item.resource, item.manifest, force=force)
        return done

    if not steps:
        return {}
    with ThreadPoolExecutor(min(cluster.parallel, len(steps))) as pool:
        jobs = {pool.submit(one, step): step for step in steps}
        done, rest = wait(jobs, return_when=FIRST_EXCEPTION)
        for job in rest:
            job.cancel()
        # What was under way is waited for: nothing is changed any more once an error is told.
        wait([job for job in rest if not job.cancelled()])
        failed = [(jobs[j], j.exception()) for j in jobs if not j.cancelled() and j.exception()]
        for step, error in failed:
            if isinstance(error, ApiError):
                raise _named(step.item, error) from error
            raise error  # type: ignore[misc]
        return {jobs[job].item.key: job.result() for job in done}


def _named(item: Item, error: ApiError) -> MainstayError:
    return MainstayError(
        error.what,
        subject=str(item.key),
        found=error.found,
        expected=error.expected,
        next_step=error.next_step,
        evidence=error.evidence,
    )


def leave(cluster: Cluster, plan: Plan, warm: Warm, parent: Parent) -> None:
    """Start the clock and give it what it takes along. What it never owned stays."""
    items = [s.item for s in plan.staying]
    clock = cluster.apply(warm.clock.resource, warm.manifest(items, parent))
    uid = clock["metadata"]["uid"]
    for item in items:
        mine = owned(item, clock, parent)
        done = cluster.apply(mine.resource, mine.manifest)
        if not is_leaving(done, clock):
            raise MainstayError(
                "what is left warm did not get its end",
                subject=str(item.key),
                found=f"no owner {uid}",
                expected=str(warm.clock.key),
                next_step="look for an admission rule that changes ownerReferences",
            )


def remove(cluster: Cluster, plan: Plan) -> None:
    """Remove what is no longer described: routes and autoscalers first, configuration last."""
    for removal in plan.removals:
        key = removal.member.key
        cluster.delete(removal.member.resource, key.namespace, key.name, removal.uid)


def ready_before(seen: Mapping[Key, Object], waiter: Wait, items: Sequence[Item]) -> bool:
    """Whether everything that is awaited is ready, as it was seen."""
    return not waiter.pending(items, seen)
