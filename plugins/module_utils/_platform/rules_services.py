# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about single services: image, health, resources, user, files, migration. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from ansible_collections.mainstay.platform.plugins.module_utils._platform.context import (
    Context,
    severity,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.image import parse_image
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    WARNING,
    Problem,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Resources,
    Service,
    Volume,
)

#: Tags that are moved by convention: what was tested is not what is deployed later.
MOVING_TAGS = ("latest", "main", "master", "develop", "dev", "nightly", "edge", "stable", "staging")
#: Places inside a container that belong to the system or to the collection.
RESERVED_MOUNTS = ("/", "/proc", "/sys", "/dev", "/etc", "/run", "/bin", "/sbin", "/lib", "/usr")


def check_services(context: Context) -> Iterator[Problem]:
    """All rules of this file for every service."""
    for service in context.platform.services:
        yield from _image(context, service)
        yield from _health(context, service)
        yield from _worker(context, service)
        yield from _resources(f"platform_services.{service.name}", service.resources)
        yield from _user(context, service)
        yield from _mounts(service, context.platform.runtime == "docker")
        yield from _contradictions(service)


def _image(context: Context, service: Service) -> Iterator[Problem]:
    path = f"platform_services.{service.name}"
    raw = context.raw_service(service.name)
    written = parse_image(raw["image"])
    if not service.version and not service.digest:
        yield Problem(
            f"{path}.version",
            "the image has neither a version nor a digest",
            raw["image"],
            "a version, a digest, or both",
            "add a version, or deploy with -e release_version=",
        )
    for key, part in (("version", written.tag), ("digest", written.digest)):
        if part and raw.get(key) and raw[key] != part:
            yield Problem(
                f"{path}.{key}",
                f"the image names another {key}",
                f"{raw[key]}, and {part} in the image",
                f"one {key}",
                f"leave it out of the image: {written.repository}",
            )
    if service.version in MOVING_TAGS and not service.digest:
        yield Problem(
            f"{path}.version",
            "a tag that is moved: nobody can say later what was deployed",
            service.version,
            "a version that is never pushed twice, or a digest beside it",
            severity=severity(context.production),
        )


def _health(context: Context, service: Service) -> Iterator[Problem]:
    path, health = f"platform_services.{service.name}.health", service.health
    if not service.is_worker and not (health.path or health.command):
        yield Problem(
            path,
            "no health check: a broken version would get traffic",
            "nothing",
            "a path such as /health, or a command",
            severity=severity(context.production),
        )
    if health.grace > context.platform.release.stage_timeout:
        yield Problem(
            f"{path}.grace",
            "longer than platform_release.stage_timeout: the release gives up before",
            f"{health.grace:g} s",
            f"at most {context.platform.release.stage_timeout:g} s",
        )


def _worker(context: Context, service: Service) -> Iterator[Problem]:
    if not service.is_worker:
        return
    path, hint = f"platform_services.{service.name}", "add port, or take it out"
    first = next(context.routes(service), None)
    for where, there in (
        (first[0] if first else "", bool(first)),
        (f"{path}.health.path", service.health.path is not None),
        (f"{path}.metrics", service.metrics is not None and not service.metrics.port),
    ):
        if there:
            yield Problem(
                where,
                "a worker has no port, so nothing can send requests to it",
                f"no port at {path}",
                "a service with a port, or a worker without this",
                hint,
            )


def _resources(path: str, resources: Resources) -> Iterator[Problem]:
    for name, request, limit in (
        ("memory", resources.memory_request, resources.memory_limit),
        ("cpu", resources.cpu_request, resources.cpu_limit),
    ):
        if limit and request > limit:
            yield Problem(
                f"{path}.resources.limits.{name}",
                "the limit is below the request",
                f"limit {limit:g}, request {request:g}",
                "a limit of at least the request",
            )


def _user(context: Context, service: Service) -> Iterator[Problem]:
    user = service.user.partition(":")[0]
    if user in ("root", "0"):
        yield Problem(
            f"platform_services.{service.name}.user",
            "runs as root",
            service.user,
            "another user, such as 1001:1001",
            severity=severity(context.production),
        )


def _mounts(service: Service, on_hosts: bool) -> Iterator[Problem]:
    path = f"platform_services.{service.name}"
    names: set[str] = set()
    taken: list[tuple[str, str]] = []
    for index, volume in enumerate(service.volumes):
        where = f"{path}.volumes[{index}]"
        if volume.name in names:
            yield Problem(where, "a second volume of this name", volume.name, "each name once")
        names.add(volume.name)
        yield from _mount(where, volume.path, taken)
        if on_hosts and service.replicas > 1 and not volume.read_only:
            yield _not_shared(where, service, volume)
    for index, directory in enumerate(service.writable):
        yield from _mount(f"{path}.writable[{index}]", directory, taken)


def _mount(where: str, target: str, taken: list[tuple[str, str]]) -> Iterator[Problem]:
    normal = posixpath.normpath(target)
    reserved = normal in RESERVED_MOUNTS or within(normal, "/run/secrets") or _system(normal)
    if reserved or ".." in target.split("/"):
        yield Problem(
            where,
            "a directory that belongs to the system",
            target,
            "a directory of the program, such as /data",
        )
    for other, place in taken:
        if within(normal, other) or within(other, normal):
            yield Problem(
                where, "one mount lies in another", f"{target}, and {other} at {place}", "apart"
            )
    taken.append((normal, where))


def _system(path: str) -> bool:
    return any(within(path, top) for top in ("/proc", "/sys", "/dev", "/etc"))


def within(path: str, directory: str) -> bool:
    """True when C(path) is C(directory) or lies in it; compares whole path parts."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _not_shared(where: str, service: Service, volume: Volume) -> Problem:
    return Problem(
        where,
        "each host keeps its own copy of a volume; replicas on other hosts do not see the files",
        f"{volume.name} of {service.replicas} replicas",
        "one replica, or a store that all replicas share",
        severity=WARNING,
    )


def _contradictions(service: Service) -> Iterator[Problem]:
    path = f"platform_services.{service.name}"
    port = service.env.get("PORT")
    if port is not None and service.port is not None and port != str(service.port):
        yield Problem(
            f"{path}.env.PORT",
            "not the port of the service: it would listen where nothing asks",
            port,
            str(service.port),
        )
