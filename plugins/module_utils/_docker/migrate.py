# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State C(migrated): each migration once for a release, from the new image."""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker import evidence, journal
from ansible_collections.mainstay.platform.plugins.module_utils._docker.context import (
    Context,
    redacted,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.images import fetch
from ansible_collections.mainstay.platform.plugins.module_utils._docker.launch import (
    Launcher,
    Order,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    MIGRATION,
    ServiceSpec,
    container_name,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.watch import Watch
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def migrate(context: Context) -> None:
    """Run what has not succeeded yet in this release; a failure stops the release."""
    specs = [s for s in context.request.services if s.migration is not None]
    record = context.journal.releases.get(context.request.release_id)
    done = record.migrations if record else {}
    context.migrations.update(
        {s.name: done[s.name] for s in specs if (done.get(s.name) or {}).get("exit_code") == 0}
    )
    waiting = [s for s in specs if s.name not in context.migrations]
    for spec in waiting:
        command = " ".join(spec.migration.command) if spec.migration else ""
        context.actions.append(f"migrate {spec.name} once: {command}")
    if context.check or not waiting:
        return
    fingerprints = context.fingerprints()
    context.prepare_host([(spec, volume) for spec in waiting for volume in spec.volumes])
    with Watch(context.client, context.request.platform) as watch:
        launcher = Launcher(context, watch, context.client.json_logs(), 0.0)
        for spec in waiting:
            _run(context, launcher, spec, fingerprints[spec.name])
    context.record.phase = journal.MIGRATED
    context.save()


def _run(context: Context, launcher: Launcher, spec: ServiceSpec, secrets: str) -> None:
    request, migration = context.request, spec.migration
    if migration is None:
        return
    name = container_name(request.platform, spec.name, "migrate", request.release_id)
    launcher.watch.follow(name)
    if _left_behind(context, name) is None:
        image = context.record.images.get(spec.name) or fetch(
            context.client, spec.image, request.registries, request.secrets
        )
        context.client.remove(name)
        launcher.create(Order(spec, 0, request.release_id, name, image, secrets, kind=MIGRATION))
        launcher.start(name)
        context.kill("migration-created")
    seen = launcher.watch.until_ended(name, migration.timeout, lambda: _exit_code(context, name))
    context.kill("migration-ended")
    logs = context.client.logs(name, evidence.LOG_LINES)
    result: dict[str, Any] = {"exit_code": seen.exit_code, "log": _clean(context, logs)}
    context.record.migrations[spec.name] = result
    context.save()
    context.migrations[spec.name] = result
    if seen.running:
        error = context.failure(name, f"the migration took longer than {migration.timeout:.0f} s")
        context.client.stop(name, spec.stop_grace)
        raise error
    if seen.exit_code != 0:
        raise context.failure(name, "the migration failed", code=seen.exit_code, oom=seen.oom)
    context.client.remove(name)


def _left_behind(context: Context, name: str) -> Optional[dict[str, Any]]:
    """A migration that a killed run left running or that had succeeded is not run again."""
    inspected = context.client.inspect(name)
    state = inspected.get("State") or {}
    ended_well = state.get("Status") == "exited" and state.get("ExitCode") == 0
    return inspected if state.get("Running") or ended_well else None


def _exit_code(context: Context, name: str) -> Optional[int]:
    state = context.client.inspect(name).get("State") or {}
    return None if state.get("Running") else int(state.get("ExitCode") or 0)


def _clean(context: Context, lines: list[str]) -> list[str]:
    error = MainstayError("", evidence=tuple(lines))
    return list(redacted(error, list(context.request.secrets.values())).evidence)
