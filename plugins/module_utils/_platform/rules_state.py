# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about stores, their volumes, backups and logins at registries. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mainstay.platform.plugins.module_utils._platform.context import (
    Context,
    severity,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    WARNING,
    Problem,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_services import (
    MOVING_TAGS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Store


def check_state(context: Context) -> Iterator[Problem]:
    """All rules of this file."""
    for store in context.platform.stores:
        yield from _store(context, store)
        yield from _backup(context, store)
    yield from _volumes(context)
    yield from _registries(context)


def _store(context: Context, store: Store) -> Iterator[Problem]:
    path = f"platform_stores.{store.name}"
    if store.mode == "managed" and not store.host:
        yield Problem(f"{path}.host", "missing for a managed store", "nothing", "its address")
    if store.mode in ("docker", "kubernetes"):
        if not store.version:
            yield Problem(
                f"{path}.version", "missing for a store with an image", "nothing", "a version"
            )
        if store.version in MOVING_TAGS:
            yield Problem(
                f"{path}.version",
                "a tag that is moved: the next pull may bring another major version",
                store.version,
                "a version",
                severity=severity(context.production),
            )
        if store.volume is None:
            yield Problem(
                f"{path}.volume",
                "a store without a volume loses its data with its container",
                "nothing",
                "a volume, such as name:/path",
            )
        if store.host:
            yield Problem(f"{path}.host", "only for managed stores", store.host, "nothing")
    if store.mode != "managed" and not store.password:
        yield Problem(
            f"{path}.password",
            "no password",
            "nothing",
            "the name of a secret",
            severity=severity(context.production),
        )
    limit = store.resources.memory_limit
    if store.kind == "redis" and limit and store.memory_limit > limit:
        yield Problem(
            f"{path}.memory_limit",
            "more than its container may use: it would be killed before it drops keys",
            str(store.memory_limit),
            f"less than resources.limits.memory ({limit})",
        )
    if store.resources.memory_limit and store.resources.memory_request > limit:
        yield Problem(
            f"{path}.resources.limits.memory",
            "the limit is below the request",
            str(limit),
            f"at least {store.resources.memory_request}",
        )


def _backup(context: Context, store: Store) -> Iterator[Problem]:
    path, raw = f"platform_stores.{store.name}.backup", context.raw_store(store.name).get("backup")
    if raw is None:
        yield Problem(
            path,
            "no backup policy",
            "nothing",
            "a policy, or none with the reason why nothing is lost without one",
            "add backup: {} for the defaults",
            severity=severity(context.production),
        )
        return
    if "none" in raw and len(raw) > 1:
        yield Problem(path, "none beside a policy", ", ".join(raw), "one of the two")
    if store.backup and store.backup.wal_seconds > store.backup.objective_loss_seconds:
        yield Problem(
            f"{path}.wal_interval",
            "more would be lost than objective_loss allows",
            f"{store.backup.wal_seconds} s",
            f"at most {store.backup.objective_loss_seconds} s",
        )


def _volumes(context: Context) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for store in context.platform.stores:
        if store.volume is None:
            continue
        where = f"platform_stores.{store.name}.volume"
        if store.volume.name in owners:
            yield _shared(where, store.volume.name, owners[store.volume.name], "error")
        owners.setdefault(store.volume.name, where)
    for service in context.platform.services:
        mine: set[str] = set()
        for index, volume in enumerate(service.volumes):
            where = f"platform_services.{service.name}.volumes[{index}]"
            if volume.name in owners and volume.name not in mine:
                strict = owners[volume.name].startswith("platform_stores")
                yield _shared(where, volume.name, owners[volume.name], severity(strict))
            mine.add(volume.name)
            owners.setdefault(volume.name, where)


def _shared(where: str, name: str, other: str, level: str) -> Problem:
    message = "a volume that another one uses too" if level == WARNING else "a volume of a store"
    return Problem(where, message, f"{name}, also at {other}", "a name of its own", severity=level)


def _registries(context: Context) -> Iterator[Problem]:
    for registry in context.platform.registries:
        path = f"platform_registries.{registry.server}"
        if registry.kind == "ecr" and not registry.password:
            if context.platform.runtime == "kubernetes":  # the nodes of EKS log in by themselves
                continue
            yield Problem(
                f"{path}.password",
                "a login at Amazon ECR needs a token",
                "nothing",
                "the name of a secret read with lookup('mainstay.platform.ecr_token', "
                f"'{registry.server}')",
            )
        elif bool(registry.username) != bool(registry.password):
            missing = "password" if registry.username else "username"
            yield Problem(f"{path}.{missing}", "a login needs both", "nothing", "a value")
