# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checked variables to the dataclasses of types.py: defaults filled in, units converted. Pure.

Everything here relies on the schema having been checked; it raises nothing of its own.
"""

from __future__ import annotations

import shlex
from typing import Any, Optional, Union

from ansible_collections.mainstay.platform.plugins.module_utils._platform import (
    build_kubernetes,
    build_postgres,
    units,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.image import parse_image
from ansible_collections.mainstay.platform.plugins.module_utils._platform.placeholders import (
    LATE_STORE_FIELDS,
    STORE_FIELDS,
    fill,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Backup,
    Health,
    Metrics,
    Migration,
    Registry,
    Resources,
    Route,
    SecretUse,
    Service,
    Smoke,
    Store,
    Volume,
)

#: A WebSocket is silent for long; with the usual 60 s the edge would cut it.
WEBSOCKET_READ_TIMEOUT = 3600.0
#: Ports registered for these programs.
STORE_PORTS = {"postgres": 5432, "redis": 6379, "rabbitmq": 5672, "mongodb": 27017}
#: Official images, used when a store in Docker names none.
STORE_IMAGES = {
    "postgres": "postgres",
    "redis": "redis",
    "rabbitmq": "rabbitmq",
    "mongodb": "mongo",
}


def pick(raw: dict[str, Any], **conversions: Any) -> dict[str, Any]:
    """The named keys that C(raw) has, each converted; so that absent ones take their default."""
    return {key: convert(raw[key]) for key, convert in conversions.items() if key in raw}


def words(command: Union[str, list[str], None]) -> tuple[str, ...]:
    """A command as arguments."""
    if not command:
        return ()
    return tuple(shlex.split(command)) if isinstance(command, str) else tuple(command)


def health(raw: Union[str, dict[str, Any], None]) -> Health:
    """A health check, written as a path or as an object."""
    if raw is None or isinstance(raw, str):
        return Health(path=raw)
    return Health(
        **pick(
            raw,
            path=str,
            command=words,
            interval=units.seconds,
            timeout=units.seconds,
            grace=units.seconds,
            failures=int,
            readiness=str,
        )
    )


def route(raw: Union[str, dict[str, Any]]) -> Route:
    """A route, written as a path or as an object."""
    if isinstance(raw, str):
        return Route(path=raw)
    found = pick(
        raw,
        path=str,
        host=str,
        websocket=bool,
        rate_limit=str,
        strip_prefix=bool,
        read_timeout=units.seconds,
        cache=units.seconds,
    )
    if found.get("websocket"):
        found.setdefault("read_timeout", WEBSOCKET_READ_TIMEOUT)
    return Route(**found)


def resources(raw: Optional[dict[str, Any]]) -> Resources:
    """Requests and limits."""
    raw = raw or {}
    requests, limits = raw.get("requests") or {}, raw.get("limits") or {}
    return Resources(
        cpu_request=units.cores(requests.get("cpu", 0)),
        cpu_limit=units.cores(limits.get("cpu", 0)),
        memory_request=units.size(requests.get("memory", 0)),
        memory_limit=units.size(limits.get("memory", 0)),
        pids=int(raw.get("pids", Resources.pids)),
    )


def volume(raw: Union[str, dict[str, Any]]) -> Volume:
    """A volume, written as C(name:/path[:ro]) or as an object."""
    if isinstance(raw, str):
        name, path, *mode = raw.split(":")
        return Volume(name, path, read_only=mode == ["ro"])
    return Volume(**pick(raw, name=str, path=str, size=units.size, read_only=bool, shared=bool))


def secret_use(raw: Union[str, dict[str, Any]]) -> SecretUse:
    """A secret, as a file of the same name unless something else is said."""
    if isinstance(raw, str):
        return SecretUse(raw, file=raw)
    file, env = raw.get("file"), raw.get("env")
    return SecretUse(raw["secret"], file=file if file or env else raw["secret"], env=env)


def smoke(raw: Union[str, dict[str, Any]]) -> Smoke:
    """A smoke check, written as a path or as an object."""
    if isinstance(raw, str):
        return Smoke(raw)
    return Smoke(
        **pick(
            raw, path=str, method=str, status=int, contains=str, max_seconds=units.seconds, host=str
        )
    )


def metrics(raw: Union[str, dict[str, Any], None], port: Optional[int]) -> Optional[Metrics]:
    """Where to scrape; on the port of the service unless another is named."""
    if raw is None:
        return None
    spec = {"path": raw} if isinstance(raw, str) else raw
    found = pick(spec, path=str, port=int, interval=units.seconds)
    found.setdefault("port", port or 0)
    return Metrics(**found)


def migration(raw: Optional[dict[str, Any]]) -> Optional[Migration]:
    """A migration."""
    if raw is None:
        return None
    return Migration(
        **pick(raw, command=words, reversible=bool, timeout=units.seconds, revert_command=words)
    )


def text(value: Any) -> str:
    """A value of the environment as text: true and false as programs expect them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain_facts(variables: dict[str, Any]) -> dict[str, str]:
    """The placeholders that are known already, each with its text."""
    facts = {
        f"${{platform:{key}}}": str(variables.get(f"platform_{key}", ""))
        for key in ("name", "stage", "domain")
    }
    for name, raw in (variables.get("platform_stores") or {}).items():
        for key in STORE_FIELDS:
            if key not in LATE_STORE_FIELDS and raw.get(key):
                facts[f"${{store:{name}.{key}}}"] = str(raw[key])
    return facts


def service(name: str, raw: dict[str, Any], variables: dict[str, Any]) -> Service:
    """One service, with its stage applied."""
    image = parse_image(raw["image"], variables.get("platform_registry"))
    facts = plain_facts(variables)
    env = {**(variables.get("platform_env") or {}), **(raw.get("env") or {})}
    edge_routes = [
        r
        for r in (variables.get("platform_edge") or {}).get("routes") or []
        if r.get("service") == name
    ]
    return Service(
        name=name,
        image=image.repository,
        version=raw.get("version") or image.tag or "",
        digest=raw.get("digest") or image.digest,
        health=health(raw.get("health")),
        routes=tuple(route(r) for r in [*(raw.get("routes") or []), *edge_routes]),
        env={key: fill(text(value), facts) for key, value in env.items()},
        secrets=tuple(secret_use(s) for s in raw.get("secrets") or []),
        resources=resources(raw.get("resources")),
        volumes=tuple(volume(v) for v in raw.get("volumes") or []),
        migration=migration(raw.get("migration")),
        smoke=tuple(smoke(s) for s in raw.get("smoke") or []),
        metrics=metrics(raw.get("metrics"), raw.get("port")),
        kubernetes=build_kubernetes.service(raw.get("kubernetes")),
        **pick(
            raw,
            replicas=int,
            port=int,
            stop_grace=units.seconds,
            stop_signal=str,
            command=words,
            user=str,
            read_only_root=bool,
            writable=tuple,
        ),
    )


def backup(raw: Optional[dict[str, Any]]) -> Optional[Backup]:
    """A policy; nothing where the description says that none is needed."""
    if raw is None or "none" in raw:
        return None
    found = pick(
        raw,
        schedule=str,
        incremental=str,
        drill=str,
        engine=str,
        retention_days=int,
        retention_weeks=int,
        retention_months=int,
        repositories=tuple,
    )
    for key, name in (
        ("wal_interval", "wal_seconds"),
        ("objective_loss", "objective_loss_seconds"),
        ("objective_restore", "objective_restore_seconds"),
    ):
        if key in raw:
            found[name] = int(units.seconds(raw[key]))
    return Backup(**found)


def store(name: str, raw: dict[str, Any], variables: dict[str, Any]) -> Store:
    """One store, with its stage applied."""
    kind, mode = raw["kind"], raw.get("mode", Store.mode)
    image = parse_image(
        raw.get("image") or STORE_IMAGES[kind],
        variables.get("platform_registry") if raw.get("image") else None,
    )
    return Store(
        name=name,
        kind=kind,
        mode=mode,
        version=raw.get("version") or image.tag or "",
        image=image.repository if mode in ("docker", "kubernetes") else None,
        port=int(raw.get("port", STORE_PORTS[kind])),
        volume=volume(raw["volume"]) if raw.get("volume") else None,
        resources=resources(raw.get("resources")),
        settings={key: text(value) for key, value in (raw.get("settings") or {}).items()},
        memory_limit=units.size(raw.get("memory_limit", 0)),
        backup=backup(raw.get("backup")),
        postgres=(
            build_postgres.postgres(raw.get("postgres"))
            if kind == "postgres" and mode == "host"
            else None
        ),
        kubernetes=build_kubernetes.store(
            raw.get("kubernetes"), variables.get("platform_registry")
        ),
        **pick(
            raw,
            host=str,
            database=str,
            username=str,
            password=str,
            append_only=bool,
            eviction_policy=str,
            replicas=int,
            hosts=tuple,
            tls=bool,
        ),
    )


def registry(server: str, raw: dict[str, Any]) -> Registry:
    """One registry login; at Amazon the user always has the same name."""
    given = pick(raw, kind=str, username=str, password=str, ca=str)
    if given.get("kind") == "ecr":
        given.setdefault("username", "AWS")
    return Registry(server=server, **given)
