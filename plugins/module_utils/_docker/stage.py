# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State C(staged): everything of a release stands healthy beside what serves."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._docker import images, journal, plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.back import take_back
from ansible_collections.mainstay.platform.plugins.module_utils._docker.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._docker.launch import (
    Launcher,
    Order,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.ports import allocate
from ansible_collections.mainstay.platform.plugins.module_utils._docker.storekeeper import (
    bring_up,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.stores import volume_of
from ansible_collections.mainstay.platform.plugins.module_utils._docker.watch import (
    Cancelled,
    Watch,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.image import parse_image

#: More containers at once only make the Engine slower.
PARALLEL = 16


def stage(context: Context) -> None:
    """Heal, plan, write ahead, act; on failure everything this call made is gone again."""
    request = context.request
    earlier = [r for r in context.journal.unfinished() if r != request.release_id]
    if earlier:
        take_back(context, earlier)
    own = context.own()
    fingerprints = context.fingerprints()
    replicas = plan.plan_replicas(request, context.journal, own, fingerprints)
    replicas = [_with_a_free_port(replica) for replica in replicas]
    stores = plan.plan_stores(request, own, fingerprints)
    context.actions += [s.action() for s in stores if s.action()]
    context.actions += [s.warning for s in stores if s.warning]
    context.actions += [r.action() for r in replicas if r.action()]
    if context.check:
        return
    _write_ahead(context, replicas)
    try:
        _bring_up(context, replicas, stores)
    except MainstayError:
        context.refresh()
        with contextlib.suppress(MainstayError):  # the first failure is the one to report
            take_back(context, [request.release_id], quiet=True, served=False)
        raise
    context.record.phase = journal.STAGED
    context.save("journal-staged")


def _with_a_free_port(replica: plan.Replica) -> plan.Replica:
    """A stopped container whose port somebody took meanwhile can never start: it is made anew."""
    existing = replica.existing
    if replica.how != plan.WAKE or existing is None or not existing.address:
        return replica
    address, _colon, port = existing.address.rpartition(":")
    return replica if _free_at(address)(int(port)) else replace(replica, how=plan.REPLACE)


def _write_ahead(context: Context, replicas: list[plan.Replica]) -> None:
    record = context.record
    if record.phase in journal.DONE:
        record.created, record.started, record.stopped = [], [], []
    record.phase = journal.STAGING
    record.address = context.request.address
    for replica in replicas:
        if replica.origin == context.request.release_id:
            record.services[replica.spec.name] = replica.spec
            repository = parse_image(replica.spec.image).repository
            if repository not in context.journal.repositories:
                context.journal.repositories.append(repository)
            record.secrets[replica.spec.name] = replica.secrets
        kind = {
            plan.CREATE: record.created,
            plan.REPLACE: record.created,
            plan.WAKE: record.started,
        }
        names = kind.get(replica.how)
        # A worker of an earlier release is only started by the switch.
        asleep = replica.how == plan.WAKE and replica.is_worker
        if names is not None and replica.name not in names and not asleep:
            names.append(replica.name)
    context.save("journal-staging")
    _cancel_retirement(context, {r.name for r in replicas})


def _cancel_retirement(context: Context, names: set[str]) -> None:
    """A container that is needed again must not be stopped by an old timer."""
    left = []
    for retirement in context.journal.retiring:
        if names.isdisjoint(retirement.containers):
            left.append(retirement)
            continue
        context.timers.cancel(retirement.unit)
    if len(left) != len(context.journal.retiring):
        context.journal.retiring = left
        context.save()
        context.refresh()


def _bring_up(context: Context, replicas: list[plan.Replica], stores: list[plan.StorePlan]) -> None:
    making = [r for r in replicas if r.how in (plan.CREATE, plan.REPLACE)]
    client = context.client
    json_logs = True
    if making or any(s.how in (plan.CREATE, plan.REPLACE) for s in stores):
        json_logs = client.json_logs()
        volumes = [(r.spec, v) for r in making for v in r.spec.volumes]
        context.prepare_host(volumes)
        for item in stores:
            context.prepare_store_volume(volume_of(item.spec))
    orders = _orders(context, replicas)
    deadline = time.monotonic() + context.request.timeout
    with Watch(client, context.request.platform) as watch:
        launcher = Launcher(context, watch, json_logs, deadline)
        with ThreadPoolExecutor(PARALLEL) as pulls, ThreadPoolExecutor(PARALLEL) as pool:
            fetched = _fetch_all(context, pulls, making)
            work: list[Future[None]] = [pool.submit(bring_up, launcher, item) for item in stores]
            work += [
                pool.submit(_one, launcher, replica, orders[replica.name], fetched)
                for replica in replicas
            ]
            _join(work, [*fetched.values()], watch)
    for name, future in fetched.items():
        for replica in making:
            if replica.image == name and replica.origin == context.request.release_id:
                context.record.images[replica.spec.name] = future.result()


def _fetch_all(
    context: Context, pool: ThreadPoolExecutor, making: list[plan.Replica]
) -> dict[str, Future[str]]:
    """One pull for each image, however many replicas wait for it."""
    request = context.request
    found: dict[str, Future[str]] = {}
    for replica in making:
        if replica.image in found:
            continue
        call: Callable[..., str] = images.fetch
        arguments = (context.client, replica.image, request.registries, request.secrets)
        if replica.origin != request.release_id:
            found[replica.image] = pool.submit(
                images.require_local, context.client, replica.image, replica.spec.name
            )
        else:
            found[replica.image] = pool.submit(call, *arguments)
    return found


def _one(
    launcher: Launcher, item: plan.Replica, order: Order, fetched: dict[str, Future[str]]
) -> None:
    """One replica from nothing (or from what is left of it) to healthy."""
    context = launcher.context
    if item.how in (plan.CREATE, plan.REPLACE):
        image = fetched[item.image].result()
        context.kill("pulled")
        if item.how == plan.REPLACE:
            context.client.remove(item.name)
        launcher.create(replace(order, image=image))
    if item.is_worker:
        return
    if item.how != plan.ADOPT:
        launcher.wait_needs(item.spec)
        if launcher.watch.cancelled.is_set():
            raise Cancelled("stopped because another container failed", subject=item.name)
        if item.how == plan.WAKE:
            context.note("started", item.name)
        launcher.start(item.name)
    launcher.wait_ready(item.name, item.spec)


def _join(work: list[Future[None]], pulls: list[Future[str]], watch: Watch) -> None:
    """Wait for all; on the first failure stop the others and raise that failure."""
    everything: list[Future[Any]] = [*pulls, *work]
    done, _rest = wait(everything, return_when=FIRST_EXCEPTION)
    if any(f.exception() for f in done):
        watch.cancel()
    wait(everything)
    errors = [e for e in (f.exception() for f in everything) if e is not None]
    real = [e for e in errors if not isinstance(e, Cancelled)]
    if real or errors:
        raise (real or errors)[0]


def _orders(context: Context, replicas: list[plan.Replica]) -> dict[str, Order]:
    """A host port for each container that gets published."""
    request = context.request
    publish = [r for r in replicas if r.spec.port and r.how in (plan.CREATE, plan.REPLACE)]
    used = {int(c.address.rpartition(":")[2]) for c in context.containers if c.address}
    ports = allocate(
        request.ports, len(publish), used, context.journal.last_port, _free_at(request.address)
    )
    if ports:
        context.journal.last_port = ports[-1]
        context.save()
    chosen = {replica.name: port for replica, port in zip(publish, ports)}
    return {
        r.name: Order(
            spec=r.spec,
            replica=r.replica,
            origin=r.origin,
            name=r.name,
            image=r.image,
            secrets=r.secrets,
            port=chosen.get(r.name, 0),
            fresh_secrets=r.origin == request.release_id,
        )
        for r in replicas
    }


def _free_at(address: str) -> Callable[[int], bool]:
    """True when nothing else on the host listens there."""

    def free(port: int) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    raise MainstayError(
                        "this host does not have the address that ports are published on",
                        subject=address,
                        expected="an address of this host",
                        next_step="set platform_address of this host in the inventory",
                    ) from error
                return False
        return True

    return free
