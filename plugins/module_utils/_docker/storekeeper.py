# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing up a store: made when absent, started when stopped, healthy before it is used."""

from __future__ import annotations

import time
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker import (
    health,
    images,
    plan,
    stores,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.launch import Launcher
from ansible_collections.mainstay.platform.plugins.module_utils._docker.secrets import (
    directory_name,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import StoreSpec
from ansible_collections.mainstay.platform.plugins.module_utils._docker.watch import Probe

PROBE_SECONDS = 3.0
PROBE_INTERVAL = 1.0


def bring_up(launcher: Launcher, item: plan.StorePlan) -> None:
    """One store from its plan to healthy. A store that fails keeps its volume."""
    context = launcher.context
    if item.how in (plan.CREATE, plan.REPLACE):
        images.fetch(
            context.client, item.spec.image, context.request.registries, context.request.secrets
        )
        if item.existing is not None:
            context.client.stop(item.existing.name, stores.STOP_SECONDS)
            context.client.remove(item.existing.name)
        _create(launcher, item)
    launcher.watch.follow(item.name)
    if item.how != plan.ADOPT:
        context.client.start(item.name)
    _wait(launcher, item)


def _create(launcher: Launcher, item: plan.StorePlan) -> None:
    context, spec = launcher.context, item.spec
    password = context.request.secrets[spec.password] if spec.password else ""
    shape = stores.shape_of(spec, password)
    place = directory_name(item.secrets, spec.config_hash)
    context.secrets.write(place, shape.files, {}, None)
    recipe = stores.store_recipe(
        spec,
        shape,
        platform=context.request.platform,
        origin=context.request.release_id,
        secrets=item.secrets,
        secrets_directory=context.secrets.directory(place),
        address=context.request.address,
        json_logs=launcher.json_logs,
    )
    context.client.create(item.name, recipe)


def _wait(launcher: Launcher, item: plan.StorePlan) -> None:
    context = launcher.context
    seen, checked = health.seen_in(context.client.inspect(item.name))
    limit = max(launcher.deadline - time.monotonic(), 0.1)
    verdict, text, seen = launcher.watch.until_ready(
        item.name,
        health.Wanted(probe=True, check=checked),
        probe_of(launcher, item),
        interval=PROBE_INTERVAL,
        limit=limit,
        seen=seen,
    )
    if verdict == health.READY:
        return
    error = context.failure(
        item.name,
        text,
        code=seen.exit_code,
        oom=seen.oom,
        probe=seen.probe[1] if seen.probe else "",
        expected=f"store {item.spec.name} healthy within {limit:.0f} s",
    )
    if item.how in (plan.CREATE, plan.REPLACE):
        context.client.remove(item.name)
    raise error


def probe_of(launcher: Launcher, item: plan.StorePlan) -> Probe:
    """How a store of each kind says that it works."""
    context, spec = launcher.context, item.spec
    password: Optional[str] = context.request.secrets.get(spec.password) if spec.password else None
    host, port = context.request.address, spec.port
    if spec.kind == "redis":
        return lambda: health.probe_redis(host, port, password, PROBE_SECONDS)
    if spec.kind == "postgres":
        return lambda: _postgres_ready(launcher, item.name, spec)
    return lambda: health.probe_tcp(host, port, PROBE_SECONDS)


def _postgres_ready(launcher: Launcher, name: str, spec: StoreSpec) -> tuple[bool, str]:
    # Over TCP: while the image fills a new data directory the server listens on its socket only.
    command = ["pg_isready", "-h", "127.0.0.1", "-p", str(stores.PORTS["postgres"])]
    if spec.username:
        command += ["-U", spec.username]
    code, output = launcher.context.client.run(name, command)
    return code == 0, f"pg_isready: {output}"
