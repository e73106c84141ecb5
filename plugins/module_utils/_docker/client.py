# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to the Docker Engine: a small Protocol, and its implementation on the C(docker) SDK."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, Callable, Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._docker.evidence import explain
from ansible_collections.mainstay.platform.plugins.module_utils._docker.observe import (
    parse_container,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.recipe import RESTART
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    LABEL,
    Container,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    AbsentError,
    MainstayError,
)

try:
    import docker
    import docker.errors
    import requests.exceptions

    HAS_DOCKER = True
except ImportError:
    HAS_DOCKER = False

#: The Engine reports the end of a command in a container only when it is asked.
POLL_SECONDS = 0.02
SOCKET_PATH = "/var/run/docker.sock"
SOCKET = f"unix://{SOCKET_PATH}"


class DockerClient(Protocol):
    """The calls that the engine needs. Every failure is a MainstayError."""

    def containers(self) -> list[Container]:
        """All containers of every platform on this host, running or not."""

    def inspect(self, name: str) -> dict[str, Any]:
        """Everything about one container; empty when it is gone."""

    def image(self, reference: str) -> Optional[dict[str, Any]]:
        """The local image, or nothing."""

    def pull(self, reference: str, login: Optional[Mapping[str, str]]) -> None:
        """Fetch an image by tag or digest."""

    def create(self, name: str, recipe: Mapping[str, Any]) -> None:
        """Create a container."""

    def start(self, name: str) -> None:
        """Start it."""

    def stop(self, name: str, grace: float) -> None:
        """Stop it; killed after C(grace) seconds."""

    def restart_always(self, name: str) -> None:
        """Let the Engine start it again whenever it ends, until it is stopped on purpose."""

    def remove(self, name: str) -> None:
        """Remove it; gone already is fine. Volumes stay."""

    def logs(self, name: str, lines: int) -> list[str]:
        """The last lines it wrote."""

    def run(self, name: str, command: list[str]) -> tuple[int, str]:
        """A command inside a running container: exit status and output."""

    def ask(self, name: str, command: list[str], limit: float) -> Optional[int]:
        """Its exit status alone; nothing when it took longer than C(limit) seconds."""

    def ensure_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Create the bridge network when it is missing."""

    def ensure_volume(self, name: str, labels: Mapping[str, str]) -> Optional[str]:
        """Create the volume when it is missing; the path of a new one."""

    def json_logs(self) -> bool:
        """True when the daemon writes JSON files by default."""

    def events(self, platform: str) -> Iterator[Mapping[str, Any]]:
        """Events of the platform's containers from now on, until L(close)."""

    def close(self) -> None:
        """End the stream of events."""


class PruneClient(Protocol):
    """The calls that pruning needs."""

    def all_images(self) -> list[dict[str, Any]]:
        """All images, without intermediate layers."""

    def used_images(self) -> set[str]:
        """Ids of the images that any container on the host was made from."""

    def remove_image(self, name: str) -> None:
        """Remove an image with all its names."""

    def build_cache_size(self) -> int:
        """Bytes of build cache that are not in use."""

    def prune_build_cache(self) -> None:
        """Remove it."""


class SdkClient:
    """L(DockerClient) on the C(docker) SDK, from 5.0 on."""

    def __init__(self, url: str = SOCKET, timeout: float = 60.0) -> None:
        if not HAS_DOCKER:
            raise AbsentError(
                "the Docker SDK for Python is missing on this host",
                subject="python3-docker",
                next_step="apply the role docker_host, or install the package python3-docker",
            )
        self._streams: list[Any] = []
        with _translated("Docker", "connecting to the Engine"):
            self._api = docker.APIClient(base_url=url, version="auto", timeout=int(timeout))

    def containers(self) -> list[Container]:
        """See L(DockerClient)."""
        with _translated("Docker", "listing containers"):
            raw = self._api.containers(all=True, filters={"label": f"{LABEL}platform"})
        return sorted((parse_container(item) for item in raw), key=lambda c: c.name)

    def inspect(self, name: str) -> dict[str, Any]:
        """See L(DockerClient)."""
        return self._or_none(lambda: self._api.inspect_container(name), name, "inspecting") or {}

    def image(self, reference: str) -> Optional[dict[str, Any]]:
        """See L(DockerClient)."""
        found: Optional[dict[str, Any]] = self._or_none(
            lambda: self._api.inspect_image(reference), reference, "inspecting"
        )
        return found

    def all_images(self) -> list[dict[str, Any]]:
        """See L(PruneClient)."""
        with _translated("Docker", "listing images"):
            found: list[dict[str, Any]] = self._api.images()
        return found

    def used_images(self) -> set[str]:
        """See L(PruneClient)."""
        with _translated("Docker", "listing containers"):
            return {str(c.get("ImageID")) for c in self._api.containers(all=True)}

    def remove_image(self, name: str) -> None:
        """See L(PruneClient)."""
        # Forced, because an image may have several names; one in use is refused all the same.
        self._or_none(lambda: self._api.remove_image(name, force=True), name, "removing the image")

    def build_cache_size(self) -> int:
        """See L(PruneClient)."""
        with _translated("Docker", "measuring the build cache"):
            layers = self._api.df().get("BuildCache") or []
        return sum(int(item.get("Size") or 0) for item in layers if not item.get("InUse"))

    def prune_build_cache(self) -> None:
        """See L(PruneClient)."""
        with _translated("Docker", "removing the build cache"):
            self._api.prune_builds()

    def pull(self, reference: str, login: Optional[Mapping[str, str]]) -> None:
        """See L(DockerClient)."""
        repository, _at, digest = reference.partition("@")
        with _translated(reference, "pulling the image"):
            lines = self._api.pull(
                repository,
                tag=digest or None,
                stream=True,
                decode=True,
                auth_config=dict(login) if login else None,
            )
            for line in lines:
                if line.get("error"):
                    raise explain(str(line["error"]), reference, "pulling the image")

    def create(self, name: str, recipe: Mapping[str, Any]) -> None:
        """See L(DockerClient)."""
        with _translated(name, "creating the container"):
            self._api.create_container_from_config(dict(recipe), name)

    def start(self, name: str) -> None:
        """See L(DockerClient)."""
        with _translated(name, "starting the container"):
            self._api.start(name)

    def stop(self, name: str, grace: float) -> None:
        """See L(DockerClient)."""
        self._or_none(lambda: self._api.stop(name, timeout=int(grace)), name, "stopping")

    def restart_always(self, name: str) -> None:
        """See L(DockerClient)."""
        policy: Any = {"Name": RESTART}  # the types of the library name two of the four policies
        with _translated(name, "setting the restart policy"):
            self._api.update_container(name, restart_policy=policy)

    def remove(self, name: str) -> None:
        """See L(DockerClient)."""
        self._or_none(lambda: self._api.remove_container(name, force=True), name, "removing")

    def logs(self, name: str, lines: int) -> list[str]:
        """See L(DockerClient)."""
        raw = self._or_none(lambda: self._api.logs(name, tail=lines), name, "reading logs of")
        return (raw or b"").decode("utf-8", "replace").splitlines()

    def run(self, name: str, command: list[str]) -> tuple[int, str]:
        """See L(DockerClient)."""
        with _translated(name, "running a command in the container"):
            job = self._api.exec_create(name, command)
            output = self._api.exec_start(job["Id"]) or b""
            code = self._api.exec_inspect(job["Id"]).get("ExitCode")
        return int(code or 0), output.decode("utf-8", "replace").strip()

    def ask(self, name: str, command: list[str], limit: float) -> Optional[int]:
        """See L(DockerClient)."""
        deadline = time.monotonic() + limit
        with _translated(name, "running a command in the container"):
            job = self._api.exec_create(name, command)
            self._api.exec_start(job["Id"], detach=True)
            while True:
                state = self._api.exec_inspect(job["Id"])
                # Just after the start it neither runs nor has a status yet.
                if not state.get("Running") and state.get("ExitCode") is not None:
                    return int(state["ExitCode"])
                if time.monotonic() >= deadline:
                    return None
                time.sleep(POLL_SECONDS)

    def ensure_network(self, name: str, labels: Mapping[str, str]) -> None:
        """See L(DockerClient)."""
        with _translated(name, "creating the network"):
            known = self._api.networks(names=[name])
            if not any(item.get("Name") == name for item in known):
                self._api.create_network(name, driver="bridge", labels=dict(labels))

    def ensure_volume(self, name: str, labels: Mapping[str, str]) -> Optional[str]:
        """See L(DockerClient)."""
        if self._or_none(lambda: self._api.inspect_volume(name), name, "inspecting"):
            return None
        with _translated(name, "creating the volume"):
            made = self._api.create_volume(name, labels=dict(labels))
        return str(made.get("Mountpoint") or "") or None

    def json_logs(self) -> bool:
        """See L(DockerClient)."""
        with _translated("Docker", "asking the Engine"):
            return bool(self._api.info().get("LoggingDriver") == "json-file")

    def events(self, platform: str) -> Iterator[Mapping[str, Any]]:
        """See L(DockerClient)."""
        with _translated("Docker", "listening to events"):
            stream = self._api.events(
                decode=True,
                filters={"type": "container", "label": f"{LABEL}platform={platform}"},
            )
        self._streams.append(stream)
        return self._read(stream)

    def close(self) -> None:
        """See L(DockerClient)."""
        for stream in self._streams:
            # The stream may have ended by itself: nothing is left to close then.
            with contextlib.suppress(Exception):
                stream.close()
        self._streams.clear()

    @staticmethod
    def _read(stream: Any) -> Iterator[Mapping[str, Any]]:
        # Closing the stream from another thread surfaces here as one of several errors.
        with contextlib.suppress(Exception):
            yield from stream

    @staticmethod
    def _or_none(call: Callable[[], Any], subject: str, doing: str) -> Any:
        with _translated(subject, doing):
            try:
                return call()
            except docker.errors.NotFound:
                return None


@contextlib.contextmanager
def _translated(subject: str, doing: str) -> Iterator[None]:
    """Errors of the SDK as MainstayError."""
    try:
        yield
    except docker.errors.APIError as error:
        raise explain(str(error.explanation or error), subject, doing) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise (MainstayError if os.path.exists(SOCKET_PATH) else AbsentError)(
            f"{doing} failed",
            subject=subject,
            found=str(error),
            expected=f"a Docker Engine that answers at {SOCKET}",
            next_step="look at 'systemctl status docker' on the host",
        ) from error
