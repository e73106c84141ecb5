# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""(manifests, what is there) -> what is done, in which order. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import compare
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import (
    IRREPLACEABLE,
    OTHER,
    WAVES,
    WORKLOADS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    Item,
    Key,
    digest,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    Member,
    Parent,
    belongs_to,
    owner_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.warm import (
    Warm,
    is_leaving,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

CREATE, CHANGE, KEEP = "create", "change", "keep"
Live = Mapping[Key, Mapping[str, Any]]


@dataclass(frozen=True)
class Step:
    """One object: C(verb) is create, change or keep."""

    item: Item
    verb: str
    live: Optional[Mapping[str, Any]] = None

    @property
    def action(self) -> str:
        """The sentence for it; empty when nothing is done."""
        return "" if self.verb == KEEP else f"{self.verb} {self.item.key}"


@dataclass(frozen=True)
class Removal:
    """One object that is no longer described. C(uid) makes sure that it is this very one."""

    member: Member
    uid: str
    live: Mapping[str, Any]

    @property
    def action(self) -> str:
        """The sentence for it."""
        return f"remove {self.member.key}"


@dataclass(frozen=True)
class Staying:
    """One object that is no longer described and stays for a while, as it was applied before."""

    item: Item
    uid: str
    seconds: int

    @property
    def action(self) -> str:
        """The sentence for it."""
        return f"keep {self.item.key} for {self.seconds} s"


@dataclass(frozen=True)
class Plan:
    """C(left) are members that are no longer described and stay; C(gone) were removed by others.

    C(staying) are those whose end the cluster is yet to be told.
    """

    steps: tuple[Step, ...] = ()
    removals: tuple[Removal, ...] = ()
    staying: tuple[Staying, ...] = ()
    left: tuple[Member, ...] = ()
    gone: tuple[Member, ...] = ()

    @property
    def actions(self) -> list[str]:
        """Sentences, in the order in which things are done."""
        sentences = [s.action for s in self.steps] + [s.action for s in self.staying]
        sentences += [r.action for r in self.removals]
        return [s for s in sentences if s]

    @property
    def hash(self) -> str:
        """Changes with anything that a run would do differently."""
        steps = [(s.action, s.item.hash, _seen(s.live)) for s in self.steps if s.action]
        removals = [(r.action, r.uid) for r in self.removals]
        removals += [(s.action, s.uid) for s in self.staying]
        return digest([steps, removals])[:16]

    def waves(self) -> Iterator[list[Step]]:
        """Steps that may be done at the same time, one group after the other."""
        for _wave, steps in itertools.groupby(self.steps, key=lambda s: s.item.wave):
            yield list(steps)

    def before_workloads(self) -> list[Step]:
        """What must be ready before a workload is touched."""
        return [s for s in self.steps if s.item.wave < WORKLOADS]


def _seen(live: Optional[Mapping[str, Any]]) -> Any:
    """What an object is apart from what its controllers write all the time."""
    if live is None:
        return None
    metadata = live.get("metadata") or {}
    rest = {k: v for k, v in live.items() if k not in ("metadata", "status")}
    return [metadata.get("uid"), metadata.get("labels"), metadata.get("annotations"), digest(rest)]


def make_plan(
    items: Sequence[Item],
    live: Live,
    parent: Parent,
    *,
    adopt: bool = False,
    prune: bool = True,
    prune_kinds: Sequence[str] = (),
    warm: Optional[Warm] = None,
) -> Plan:
    """What brings the cluster from C(live) to C(items). Refuses what belongs to somebody else.

    C(warm) is what may stay for a while of what is no longer described.
    """
    _refuse_foreign(items, live, parent, adopt=adopt)
    steps = []
    for item in items:
        found = live.get(item.key)
        verb = CREATE
        if found is not None:
            same = compare.is_current(item.manifest, found) and not is_dying(found)
            verb = KEEP if same else CHANGE
        steps.append(Step(item, verb, found))
    described = {item.key for item in items}
    removals, staying, left, gone = [], [], [], []
    warm = _with_pods(warm, live, described)
    ticking = live.get(warm.clock.key) if warm else None
    for member in parent.members:
        if member.key in described:
            continue
        found = live.get(member.key)
        if found is None or not belongs_to(found, parent.id):
            gone.append(member)
        elif (
            not prune
            or (member.key.kind in IRREPLACEABLE and member.key.kind not in prune_kinds)
            or (warm and (found is ticking or is_leaving(found, ticking)))
        ):
            left.append(member)
        elif warm and member.key in warm.items:
            uid = str(found["metadata"].get("uid", ""))
            staying.append(Staying(warm.items[member.key], uid, warm.seconds))
        else:
            removals.append(Removal(member, str(found["metadata"].get("uid", "")), found))
    # What came last goes first: routes before what they lead to.
    removals.sort(key=lambda r: (-_wave_of(r.member.key.kind), r.member.key))
    return Plan(tuple(steps), tuple(removals), tuple(staying), tuple(left), tuple(gone))


def is_dying(live: Mapping[str, Any]) -> bool:
    """Whether somebody has removed the object, and something still holds it."""
    return bool((live.get("metadata") or {}).get("deletionTimestamp"))


def _with_pods(warm: Optional[Warm], live: Live, described: set[Key]) -> Optional[Warm]:
    """C(warm), unless no pods of it are left that something could be kept for."""
    going = (warm.items if warm else {}).keys() - described
    return warm if any(k.kind == "Deployment" and k in live for k in going) else None


def _wave_of(kind: str) -> int:
    return WAVES.get(kind, OTHER)


def _refuse_foreign(items: Sequence[Item], live: Live, parent: Parent, *, adopt: bool) -> None:
    problems = []
    for item in items:
        found = live.get(item.key)
        if found is None or belongs_to(found, parent.id):
            continue
        other = owner_of(found)
        if other:
            problems.append(f"{item.key}: it belongs to the set {other}")
        elif not adopt:
            problems.append(f"{item.key}: it exists and belongs to no platform")
    if problems:
        raise MainstayError(
            "objects of somebody else are in the way; nothing was changed",
            subject=f"platform {parent.platform}",
            evidence=tuple(problems),
            expected="objects that this platform made, or none",
            next_step="rename them here, remove them there, or take over those of no platform "
            "with adopt",
        )


def differences(plan: Plan) -> dict[str, str]:
    """The diff of a whole plan."""
    before, after = [], []
    for step in plan.steps:
        if step.verb != KEEP:
            one, other = compare.difference(step.item.manifest, step.live)
            before.append(_headed(step.item.key, one))
            after.append(_headed(step.item.key, other))
    for removal in plan.removals:
        before.append(_headed(removal.member.key, compare.difference(None, removal.live)[0]))
    return {"before": "".join(before), "after": "".join(after)}


def _headed(key: Key, text: str) -> str:
    return f"# {key}\n{text}" if text else ""


def images(items: Sequence[Item]) -> dict[str, dict[str, str]]:
    """Images by workload and container."""
    found = {}
    for item in items:
        spec = item.manifest.get("spec")
        template = spec.get("template") if isinstance(spec, Mapping) else None
        pod = template.get("spec") if isinstance(template, Mapping) else None
        if isinstance(pod, Mapping) and isinstance(pod.get("containers"), list):
            found[str(item.key)] = {c.get("name"): c.get("image") for c in pod["containers"]}
    return found
