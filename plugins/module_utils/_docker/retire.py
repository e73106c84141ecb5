# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States C(finished) and C(reverted): the end of a release on this host."""

from __future__ import annotations

from ansible_collections.mainstay.platform.plugins.module_utils._docker import journal, plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.back import (
    discard,
    each,
    take_back,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.context import (
    Context,
    grace_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.secrets import (
    directory_name,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.timer import (
    stop_command,
    unit_name,
)


def finish(context: Context) -> None:
    """Let go what does not serve any more: warm, then stopped, later removed."""
    request = context.request
    finish_plan = plan.plan_finish(request, context.journal, context.own(), context.now())
    timers = context.timers.available()
    context.actions += _sentences(context, finish_plan, timers)
    serving = dict(request.keep)
    record = context.journal.releases.get(request.release_id)
    if record is None or record.phase != journal.FINISHED or context.journal.serving != serving:
        context.actions.append(f"mark release {request.release_id} finished")
    if context.check or not context.actions:
        return
    context.record.phase = journal.FINISHING
    context.save("journal-finishing")
    if finish_plan.back.releases:
        take_back(context, list(finish_plan.back.releases), quiet=True)
    _keep_warm(context, finish_plan, timers)
    each(lambda c: context.client.stop(c.name, grace_of(context.journal, c)), [*finish_plan.stop])
    context.kill("retired")
    each(lambda c: discard(context, c), [*finish_plan.remove])
    for release in finish_plan.forget:
        del context.journal.releases[release]
    context.record.phase = journal.FINISHED
    context.journal.serve(serving)
    context.refresh()
    _drop_old_retirements(context)
    context.save("journal-finished")
    _prune_secrets(context)


def revert(context: Context) -> None:
    """Bring the host back to C(request.keep), whatever was interrupted."""
    request = context.request
    known = context.journal.releases.get(request.release_id)
    releases = list(context.journal.unfinished())
    done = known is not None and known.phase == journal.REVERTED
    if request.release_id not in releases and not done:
        releases.append(request.release_id)
    if releases or request.keep != context.journal.serving:
        context.actions += [f"mark release {r} reverted" for r in releases]
    back = plan.plan_back([request.release_id], request.keep, context.journal, context.own())
    if not releases and not back.actions:
        if request.keep != context.journal.serving and not context.check:
            context.journal.serving = dict(request.keep)
            context.save()
        return
    context.journal.serving = dict(request.keep)
    take_back(context, releases or [request.release_id])
    if not context.check:
        _prune_secrets(context)


def _sentences(context: Context, finish_plan: plan.Finish, timers: bool) -> list[str]:
    warm = f"{context.request.keep_warm:.0f} s"
    after = (
        f"for {warm}"
        if timers
        else (f"until the next release: there is no systemd here to stop it after {warm}")
    )
    return (
        finish_plan.back.actions
        + [f"keep {c.name} running {after}" for c in finish_plan.warm]
        + [f"stop {c.name}" for c in finish_plan.stop]
        + [f"remove {c.name}" for c in finish_plan.remove]
    )


def _keep_warm(context: Context, finish_plan: plan.Finish, timers: bool) -> None:
    """Write the retirement down, then set its timer: a timer without a record cannot happen."""
    if not finish_plan.warm:
        return
    request = context.request
    unit = unit_name(request.platform, request.release_id)
    names = [c.name for c in finish_plan.warm]
    due = context.now() + request.keep_warm
    known = next((r for r in context.journal.retiring if r.unit == unit), None)
    if known is not None:
        context.timers.cancel(unit)
        known.containers = sorted({*known.containers, *names})
        known.due, names = due, known.containers
    else:
        context.journal.retiring.append(journal.Retirement(unit, due, names))
    context.save()
    if timers:
        grace = max(grace_of(context.journal, c) for c in finish_plan.warm)
        context.timers.set(unit, request.keep_warm, stop_command(names, grace))
    context.kill("timer-set")


def _drop_old_retirements(context: Context) -> None:
    """Forget retirements that have nothing left to stop."""
    running = {c.name for c in context.own() if c.running}
    context.journal.retiring = [
        r for r in context.journal.retiring if not running.isdisjoint(r.containers)
    ]


def _prune_secrets(context: Context) -> None:
    """Values of releases that nobody can go back to do not stay on the host."""
    keep = {directory_name(c.secrets, c.config) for c in context.own()}
    for record in context.journal.releases.values():
        if record.phase == journal.REVERTED:
            continue
        for name, spec in record.services.items():
            keep.add(directory_name(record.secrets.get(name, ""), spec.config_hash))
    context.secrets.prune(keep)
