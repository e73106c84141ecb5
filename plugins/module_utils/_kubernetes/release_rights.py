# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights the rest of a release needs, so that a missing one is told before any change. Pure.

What was needed to look at the cluster has been used by then. What only explains failures is not
asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import (
    BUILT_IN,
    IRREPLACEABLE,
    Resource,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import Key
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.plan import (
    CREATE,
    KEEP,
    Plan,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.request import Request
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.rights import (
    Right,
    rights,
)

_JOB = BUILT_IN["batch/v1", "Job"]


def wanted(plan: Plan, request: Request) -> list[Right]:
    """All of them, each once."""
    space = request.namespace
    # The journal and the records, of which the oldest go.
    found = rights(space, "configmaps: create update", "secrets: list create update patch delete")
    steps = [s for s in plan.steps if s.verb != KEEP]
    for step in steps:
        verbs = ("patch", "create") if step.verb == CREATE else ("patch",)
        found += _rights(step.item.resource, step.item.key, verbs)
        if request.wait and step.item.key.kind in request.wait_kinds:
            found += _rights(step.item.resource, step.item.key, ("list", "watch"))
    # A plan is made before a whole release, whose last step removes what the others leave.
    if request.prune or request.state == "planned":
        mine = [(s.item.resource, s.item.key) for s in plan.steps]
        mine += [(m.resource, m.key) for m in plan.left]
        for resource, key in mine:
            if key.kind not in IRREPLACEABLE or key.kind in request.prune_kinds:
                found += _rights(resource, key, ("delete",))
    for removal in plan.removals:
        found += _rights(removal.member.resource, removal.member.key, ("delete",))
    for staying in plan.staying:
        found += _rights(staying.item.resource, staying.item.key, ("patch",))
    if request.keep_warm > 0:
        found += _rights(_JOB, Key("batch", "Job", space, ""), ("patch", "create", "delete"))
    return sorted(set(found))


def _rights(resource: Resource, key: Key, verbs: Iterable[str]) -> list[Right]:
    return [Right(resource.group, resource.plural, verb, key.namespace) for verb in verbs]
