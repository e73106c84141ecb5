# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State C(switched): workers replaced one by one; the old one runs again when the new one fails."""

from __future__ import annotations

import contextlib
import time
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker import journal, plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.context import (
    Context,
    grace_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.launch import Launcher
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import Container
from ansible_collections.mainstay.platform.plugins.module_utils._docker.watch import Watch
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def switch(context: Context) -> None:
    """Stop an old worker, start its successor, next."""
    request = context.request
    own = context.own()
    record = context.journal.releases.get(request.release_id)
    known = record.secrets if record else {}
    prints = {spec.name: known.get(spec.name, "") for spec in request.services}
    replicas = [r for r in plan.plan_replicas(request, context.journal, own, prints) if r.is_worker]
    pairs = plan.plan_workers(replicas, own)
    for old, new in pairs:
        context.actions += [f"stop {old.name}"] if old else []
        context.actions += [f"start {new.name}"] if new else []
    if context.check or not pairs:
        return
    _require_staged(replicas)
    context.record.phase = journal.SWITCHING
    context.save("journal-switching")
    deadline = time.monotonic() + request.timeout
    with Watch(context.client, request.platform) as watch:
        launcher = Launcher(context, watch, True, deadline)
        for pair in pairs:
            _replace(context, launcher, *pair)
    context.record.phase = journal.SWITCHED
    context.save("journal-switched")


def _require_staged(replicas: list[plan.Replica]) -> None:
    missing = [r.name for r in replicas if r.existing is None]
    if missing:
        raise MainstayError(
            "workers cannot be switched before they are staged",
            subject=", ".join(missing),
            found="no such container",
            expected="a container made by state=staged",
            next_step="run deploy.yml, which stages first",
        )


def _replace(
    context: Context,
    launcher: Launcher,
    old: Optional[Container],
    new: Optional[plan.Replica],
) -> None:
    if old is not None:
        context.note("stopped", old.name)
        context.client.stop(old.name, grace_of(context.journal, old))
        context.kill("worker-stopped")
    if new is None:
        return
    if new.origin != context.request.release_id:
        context.note("started", new.name)
    try:
        launcher.wait_needs(new.spec)
        launcher.start(new.name)
        context.kill("worker-started")
        # One that goes back to an earlier release has proved itself; the next look at the host
        # still finds it when it ends at once.
        first_time = new.origin == context.request.release_id
        launcher.wait_ready(
            new.name, new.spec, launcher.steady_time(new.spec) if first_time else 0.0
        )
    except MainstayError:
        with contextlib.suppress(MainstayError):  # the new worker's failure is what matters
            context.client.stop(new.name, new.spec.stop_grace)
            if old is not None:
                context.client.start(old.name)
        raise
