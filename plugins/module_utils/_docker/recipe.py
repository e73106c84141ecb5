# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a spec to the Engine's own description of a container, hardened by default. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    MIGRATION,
    ServiceSpec,
    labels,
    network_name,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Health,
    Resources,
    Volume,
)

SECOND = 1_000_000_000  # the Engine counts in nanoseconds
#: Rotation when the daemon has no default of its own: at most 50 MB for each container.
LOG_OPTIONS = {"max-size": "10m", "max-file": "5"}
RESTART = "unless-stopped"
#: Shortest time between two checks by the Engine when our own probe decides. Measured on the test
#: bed: 15 containers checked every 0.5 s kept two processors busy.
WATCH_SECONDS = 10.0
TMPFS_OPTIONS = "rw,noexec,nosuid,nodev,mode=1777"


def volume_name(platform: str, volume: Volume) -> str:
    """Volumes of different platforms on one host must not meet."""
    return f"{platform}-{volume.name}"


def healthcheck(health: Health) -> dict[str, Any]:
    """The image's own check (or C(health.command)).

    It decides a start only where there is no path to ask (see L(launch.Launcher.wait_ready)); there
    it runs at the pace of the description. Elsewhere it only watches, and more slowly: the Engine
    starts a process in the container for each check, which costs far more than a request.
    """
    pace = max(health.interval, WATCH_SECONDS) if health.path else health.interval
    check: dict[str, Any] = {
        "Interval": int(pace * SECOND),
        "Timeout": int(health.timeout * SECOND),
        "Retries": health.failures,
        "StartPeriod": int(health.grace * SECOND),
    }
    if health.command:
        check["Test"] = ["CMD", *health.command]
    return check


def limits(resources: Resources) -> dict[str, Any]:
    """Memory (without swap), CPU and process limits; zero means none."""
    found: dict[str, Any] = {"PidsLimit": resources.pids or None}
    if resources.memory_limit:
        found["Memory"] = found["MemorySwap"] = resources.memory_limit
    if resources.memory_request:
        found["MemoryReservation"] = resources.memory_request
    if resources.cpu_limit:
        found["NanoCpus"] = int(resources.cpu_limit * SECOND)
    if resources.cpu_request:
        found["CpuShares"] = max(2, int(resources.cpu_request * 1024))
    return found


def hardened(platform: str, json_logs: bool) -> dict[str, Any]:
    """The host configuration every container of the collection starts from."""
    found: dict[str, Any] = {
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Init": True,
        "RestartPolicy": {"Name": RESTART},
        "NetworkMode": network_name(platform),
    }
    if json_logs:
        found["LogConfig"] = {"Type": "json-file", "Config": dict(LOG_OPTIONS)}
    return found


def volume_mounts(platform: str, volumes: tuple[Volume, ...]) -> list[dict[str, Any]]:
    """Named volumes."""
    return [
        {
            "Type": "volume",
            "Source": volume_name(platform, v),
            "Target": v.path,
            "ReadOnly": v.read_only,
        }
        for v in volumes
    ]


def secret_mounts(directory: str, files: list[str]) -> list[dict[str, Any]]:
    """Each secret as a file of its own, so that its directory stays closed."""
    return [
        {
            "Type": "bind",
            "Source": f"{directory}/{file}",
            "Target": f"/run/secrets/{file}",
            "ReadOnly": True,
        }
        for file in files
    ]


def service_recipe(
    spec: ServiceSpec,
    *,
    platform: str,
    origin: str,
    replica: int,
    image: str,
    environment: Mapping[str, str],
    secrets: str,
    secrets_directory: str,
    publish: Optional[tuple[str, int]] = None,
    json_logs: bool = True,
    kind: Optional[str] = None,
) -> dict[str, Any]:
    """The Engine's description of one replica (or of a migration, C(kind))."""
    one_off = kind == MIGRATION
    files = [use.file for use in spec.secrets if use.file]
    host = {
        **hardened(platform, json_logs),
        **limits(spec.resources),
        # Until it has been healthy once, a program that ends stays as it ended, to tell why.
        "RestartPolicy": {"Name": "no"},
        "ReadonlyRootfs": spec.read_only_root,
        "Tmpfs": dict.fromkeys(spec.writable, TMPFS_OPTIONS) if spec.read_only_root else {},
        "Mounts": volume_mounts(platform, spec.volumes) + secret_mounts(secrets_directory, files),
    }
    recipe: dict[str, Any] = {
        "Image": image,
        "User": spec.user,
        "Env": [f"{key}={value}" for key, value in sorted({**spec.env, **environment}.items())],
        "Labels": labels(
            platform, spec.name, kind or spec.kind, origin, replica, spec.config_hash, secrets
        ),
        "StopSignal": spec.stop_signal,
        "StopTimeout": int(spec.stop_grace),
        "Healthcheck": healthcheck(spec.health),
        "HostConfig": host,
    }
    if spec.command:
        recipe["Cmd"] = list(spec.command)
    if one_off:
        recipe.update(_one_off(spec))
    elif publish and spec.port:
        address, port = publish
        key = f"{spec.port}/tcp"
        recipe["ExposedPorts"] = {key: {}}
        host["PortBindings"] = {key: [{"HostIp": address, "HostPort": str(port)}]}
        recipe["Labels"]["io.mainstay.port"] = str(port)
        recipe["Labels"]["io.mainstay.address"] = f"{address}:{port}"
    return recipe


def _one_off(spec: ServiceSpec) -> dict[str, Any]:
    """What differs for a migration: its command, no health check."""
    command = list(spec.migration.command) if spec.migration else []
    return {"Cmd": command, "Healthcheck": {"Test": ["NONE"]}}
