# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of the sample services: one program, told apart by their settings."""

from __future__ import annotations

import io
import pathlib
import tarfile
from typing import Any

from . import programs, push

USER = 1001
GOOD = ("1.0.0", "1.1.0", "1.2.0")
# Tag -> what makes it bad.
BAD: dict[str, dict[str, str]] = {
    "2.0.0-exit": {"SAMPLE_FAULT": "exit"},
    "2.0.0-unhealthy": {"SAMPLE_FAULT": "never_healthy"},
    "2.0.0-turns-unhealthy": {"SAMPLE_FAULT": "turns_unhealthy"},
    "2.0.0-errors": {"SAMPLE_FAULT": "errors", "SAMPLE_ERROR_SHARE": "20"},
    "2.0.0-slow": {"SAMPLE_FAULT": "slow"},
    "2.0.0-leak": {"SAMPLE_FAULT": "leak"},
    "2.0.0-ignore-term": {"SAMPLE_FAULT": "ignore_term"},
    "2.0.0-port-taken": {"SAMPLE_FAULT": "port_taken"},
    "2.0.0-hang": {"SAMPLE_FAULT": "hang"},
    "2.0.0-migrate-fails": {"SAMPLE_MIGRATE_FAIL": "1"},
}
PORTS = {"api": 3000, "web": 4200, "worker": 0}
_SECOND = 1_000_000_000


def tags() -> dict[str, dict[str, str]]:
    """Every tag with the environment that is special to it."""
    return {**{tag: {} for tag in GOOD}, **BAD}


def settings(service: str, tag: str, special: dict[str, str]) -> dict[str, Any]:
    """The configuration of an image, in Docker's words."""
    environment = {"PATH": "/", "SAMPLE_ROLE": service, "SAMPLE_VERSION": tag, **special}
    ports: dict[str, Any] = {f"{PORTS[service]}/tcp": {}} if PORTS[service] else {}
    return {
        "User": f"{USER}:{USER}",
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Entrypoint": ["/sample"],
        "Cmd": [service],
        "WorkingDir": "/",
        "ExposedPorts": ports,
        "Healthcheck": {
            "Test": ["CMD", "/sample", "healthcheck"],
            "Interval": 2 * _SECOND,
            "Timeout": 3 * _SECOND,
            "Retries": 3,
        },
        "Labels": {
            "org.opencontainers.image.title": f"sample {service}",
            "org.opencontainers.image.version": tag,
        },
    }


def tree(program: pathlib.Path) -> bytes:
    """A tar of everything in the image."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, mode, owner in (("data", 0o750, USER), ("etc", 0o755, 0), ("tmp", 0o1777, 0)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, owner, owner
            archive.addfile(entry)
        users = f"root:x:0:0:root:/:/none\nsample:x:{USER}:{USER}:sample:/:/none\n"
        _file(archive, "etc/passwd", users.encode(), 0o644)
        _file(archive, "etc/group", f"root:x:0:\nsample:x:{USER}:\n".encode(), 0o644)
        _file(archive, "sample", program.read_bytes(), 0o755)
    return stream.getvalue()


def _file(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def publish(registry: push.Registry, architecture: str) -> int:
    """Push every service in every version; how many images that are."""
    layer = push.layer_of(tree(programs.ensure("sample")))
    pushed = 0
    for service in PORTS:
        for tag, special in tags().items():
            parts = push.image(layer, settings(service, tag, special), architecture)
            registry.push(f"sample/{service}", tag, layer, parts)
            pushed += 1
    return pushed
