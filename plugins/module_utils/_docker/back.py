# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking releases back: what they made goes, what served before runs again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from ansible_collections.mainstay.platform.plugins.module_utils._docker import journal, plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.context import (
    Context,
    grace_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.launch import Launcher
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    WORKER,
    Container,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.watch import Watch
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

PARALLEL = 16


def take_back(
    context: Context, releases: list[str], *, quiet: bool = False, served: bool = True
) -> None:
    """Bring the host back to C(request.keep) as far as C(releases) changed it.

    What never C(served) has nothing to finish and is removed without its stop grace.
    """
    keep = context.request.keep
    back = plan.plan_back(releases, keep, context.journal, context.own())
    if not quiet:
        context.actions += back.actions
    if context.check:
        return
    for release in releases:
        context.journal.open(release).phase = journal.REVERTING
    context.save("journal-reverting")
    _undo(context, back, served)
    for release in releases:
        record = context.journal.releases[release]
        record.phase = journal.REVERTED
        record.created, record.started, record.stopped = [], [], []
    context.save("journal-reverted")
    context.refresh()


def _undo(context: Context, back: plan.Back, served: bool) -> None:
    """Workers first and one after the other: two versions must not work on the same queue."""
    first = [c for c in back.remove if c.kind == WORKER]
    rest = [c for c in back.remove if c.kind != WORKER]
    for container in first:
        discard(context, container, served)
        context.kill("reverted-one")
    for container in back.stop:
        if container.kind == WORKER:
            context.client.stop(container.name, grace_of(context.journal, container))
    start_again(context, list(back.start))
    each(lambda c: discard(context, c, served), rest)
    stopping = [c for c in back.stop if c.kind != WORKER]
    each(lambda c: context.client.stop(c.name, grace_of(context.journal, c)), stopping)
    if back.remove:
        context.kill("reverted-one")


def start_again(context: Context, containers: list[Container]) -> None:
    """Start what has to serve and wait until it does; a container that fails is reported."""
    if not containers:
        return
    for container in containers:
        context.client.start(container.name)
    deadline = time.monotonic() + context.request.timeout
    with Watch(context.client, context.request.platform) as watch:
        launcher = Launcher(context, watch, True, deadline)

        def wait_for(container: Container) -> None:
            spec = context.journal.spec_of(container.origin, container.service)
            if spec is not None:
                launcher.wait_ready(container.name, spec)

        each(wait_for, containers)


def discard(context: Context, container: Container, served: bool = True) -> None:
    """Stop a container as its program wants to be stopped, then remove it; volumes stay."""
    if container.running and served:
        context.client.stop(container.name, grace_of(context.journal, container))
    context.client.remove(container.name)


def each(action: Callable[[Container], None], containers: list[Container]) -> None:
    """C(action) on all at once; all are tried, the first error is raised at the end."""
    if not containers:
        return
    errors: list[MainstayError] = []

    def guarded(container: Container) -> None:
        try:
            action(container)
        except MainstayError as error:
            errors.append(error)

    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(guarded, containers))
    if errors:
        raise errors[0]
