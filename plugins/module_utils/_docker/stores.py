# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores in Docker: how each kind gets its settings, its password and its proof of health. Pure.

Passwords are files, never arguments: a command line is open to everybody on the host. The images
are the official ones; their start programs run as root and step down, which needs five of the
capabilities that services do without.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

from ansible_collections.mainstay.platform.plugins.module_utils._docker.recipe import (
    SECOND,
    hardened,
    limits,
    secret_mounts,
    volume_mounts,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    STORE,
    StoreSpec,
    labels,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.view import DATA_PATHS
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Volume

CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]
PORTS = {"postgres": 5432, "redis": 6379, "rabbitmq": 5672, "mongodb": 27017}
#: A store may have to replay a log before it answers.
STOP_SECONDS = 120
SHARED_MEMORY = 256 * 1024 * 1024

#: What a quoted value of redis.conf cannot hold as it is.
_REDIS_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}


@dataclass(frozen=True)
class Shape:
    """What a kind needs beside the common part; C(files) are secret files by name."""

    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict, repr=False)
    tmpfs: tuple[str, ...] = ("/tmp",)
    host: dict[str, Any] = field(default_factory=dict)
    hostname: str = ""


def shape_of(spec: StoreSpec, password: str) -> Shape:
    """The part that depends on the kind."""
    make = _SHAPES.get(spec.kind)
    if make is None:
        raise MainstayError(
            "no store of this kind can run in Docker",
            subject=f"store {spec.name}",
            found=spec.kind,
            expected=", ".join(sorted(_SHAPES)),
        )
    return make(spec, password)


def store_recipe(
    spec: StoreSpec,
    shape: Shape,
    *,
    platform: str,
    origin: str,
    secrets: str,
    secrets_directory: str,
    address: str,
    json_logs: bool = True,
) -> dict[str, Any]:
    """The Engine's description of a store's container."""
    port = f"{PORTS[spec.kind]}/tcp"
    mounts = secret_mounts(secrets_directory, sorted(shape.files))
    mounts += volume_mounts(platform, (volume_of(spec),))
    recipe: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{key}={value}" for key, value in sorted(shape.environment.items())],
        "Labels": {
            **labels(platform, spec.name, STORE, origin, 1, spec.config_hash, secrets),
            "io.mainstay.port": str(spec.port),
            "io.mainstay.address": f"{address}:{spec.port}",
        },
        "StopTimeout": STOP_SECONDS,
        "ExposedPorts": {port: {}},
        "Healthcheck": {"Interval": 5 * SECOND, "Timeout": 5 * SECOND, "Retries": 3},
        "HostConfig": {
            **hardened(platform, json_logs),
            **limits(spec.resources),
            "CapAdd": list(CAPABILITIES),
            "ReadonlyRootfs": True,
            "Tmpfs": dict.fromkeys(shape.tmpfs, "rw,nosuid,nodev,mode=1777"),
            "Mounts": mounts,
            "PortBindings": {port: [{"HostIp": address, "HostPort": str(spec.port)}]},
            **shape.host,
        },
    }
    if shape.command:
        recipe["Cmd"] = shape.command
    if shape.hostname:
        recipe["Hostname"] = shape.hostname
    return recipe


def volume_of(spec: StoreSpec) -> Volume:
    """The described volume, at the path the image uses unless another is named."""
    if spec.volume is None:
        return Volume(spec.name, DATA_PATHS[spec.kind])
    return Volume(spec.volume.name, spec.volume.path or DATA_PATHS[spec.kind])


def _redis(spec: StoreSpec, password: str) -> Shape:
    lines = [f"appendonly {'yes' if spec.append_only else 'no'}", "dir /data"]
    if spec.memory_limit:
        lines += [f"maxmemory {spec.memory_limit}", f"maxmemory-policy {spec.eviction_policy}"]
    lines += [f"{key} {value}" for key, value in sorted(spec.settings.items())]
    if password:
        quoted = "".join(_REDIS_ESCAPES.get(letter, letter) for letter in password)
        lines.append(f'requirepass "{quoted}"')
    content = "\n".join(lines) + "\n"
    return Shape(command=["redis-server", "/run/secrets/redis.conf"], files={"redis.conf": content})


def _postgres(spec: StoreSpec, password: str) -> Shape:
    environment = {"PGDATA": DATA_PATHS["postgres"] + "/pgdata"}
    if spec.username:
        environment["POSTGRES_USER"] = spec.username
    if spec.database:
        environment["POSTGRES_DB"] = spec.database
    files = {}
    if password:
        environment["POSTGRES_PASSWORD_FILE"] = "/run/secrets/postgres-password"
        files["postgres-password"] = password
    command = ["postgres"]
    for key, value in sorted(spec.settings.items()):
        command += ["-c", f"{key}={value}"]
    return Shape(
        command=command,
        environment=environment,
        files=files,
        tmpfs=("/tmp", "/var/run/postgresql"),
        host={"ShmSize": SHARED_MEMORY},
    )


def _rabbitmq(spec: StoreSpec, password: str) -> Shape:
    lines = [f"{key} = {value}" for key, value in sorted(spec.settings.items())]
    if spec.username:
        lines.append(f"default_user = {spec.username}")
    if password:
        _refuse_unreadable(spec, password)
        lines.append(f"default_pass = {password}")
    return Shape(
        environment={"RABBITMQ_CONFIG_FILES": "/run/secrets"},
        files={"mainstay.conf": "\n".join(lines) + "\n"},
        tmpfs=("/tmp", "/var/log/rabbitmq"),
        # The data directory carries the node's name, which is made from the host name.
        hostname=spec.name,
    )


def _refuse_unreadable(spec: StoreSpec, password: str) -> None:
    """A value ends at C(#) and at the end of the line there, and blanks around it are dropped."""
    if password != password.strip() or any(letter in password for letter in "#\n\r'"):
        raise MainstayError(
            "RabbitMQ would read another password than this from its configuration",
            subject=f"store {spec.name}, secret {spec.password}",
            found="a number sign, a quote, a line end, or a blank at an end",
            expected="a password without these",
            next_step="choose another password in platform_secrets",
        )


def _mongodb(spec: StoreSpec, password: str) -> Shape:
    environment, files = {}, {}
    if spec.username and password:
        environment = {
            "MONGO_INITDB_ROOT_USERNAME": spec.username,
            "MONGO_INITDB_ROOT_PASSWORD_FILE": "/run/secrets/mongodb-password",
        }
        files = {"mongodb-password": password}
    if spec.database:
        environment["MONGO_INITDB_DATABASE"] = spec.database
    command = ["mongod", "--bind_ip_all"]
    for key, value in sorted(spec.settings.items()):
        command += [f"--{key}", value]
    return Shape(command=command, environment=environment, files=files)


_SHAPES: dict[str, Callable[[StoreSpec, str], Shape]] = {
    "redis": _redis,
    "postgres": _postgres,
    "rabbitmq": _rabbitmq,
    "mongodb": _mongodb,
}
