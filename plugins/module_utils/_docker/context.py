# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every state of docker_release works with."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker import evidence
from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import DockerClient
from ansible_collections.mainstay.platform.plugins.module_utils._docker.journal import (
    Journal,
    Record,
    save,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.recipe import volume_name
from ansible_collections.mainstay.platform.plugins.module_utils._docker.request import Request
from ansible_collections.mainstay.platform.plugins.module_utils._docker.secrets import (
    SecretFiles,
    directory_name,
    names_used,
    owner_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    LABEL,
    Container,
    ServiceSpec,
    network_name,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.timer import Timers
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Volume


@dataclass
class Context:
    """One call: what is asked, what is known, and the hands to act with.

    In check mode (C(check)) nothing is written and no call that changes anything is made.
    """

    request: Request
    client: DockerClient
    directory: str
    journal: Journal
    containers: list[Container]
    timers: Timers
    check: bool = False
    now: Callable[[], float] = time.time
    kill: Callable[[str], None] = lambda point: None
    actions: list[str] = field(default_factory=list)
    migrations: dict[str, Any] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.RLock)

    @property
    def secrets(self) -> SecretFiles:
        """The secret files of the platform on this host."""
        return SecretFiles(self.directory)

    @property
    def record(self) -> Record:
        """The journal's record of this release, made when it is new."""
        return self.journal.open(self.request.release_id)

    def save(self, point: str = "") -> None:
        """Write the journal; tests may kill the run right behind it."""
        with self._lock:
            if not self.check:
                save(self.directory, self.journal)
        if point:
            self.kill(point)

    def note(self, kind: str, name: str) -> None:
        """Write down, ahead of doing it, that C(name) is created, started or stopped."""
        with self._lock:
            names: list[str] = getattr(self.record, kind)
            if name not in names:
                names.append(name)
                self.save()

    def refresh(self) -> None:
        """Look at the containers again."""
        self.containers = self.client.containers()

    def own(self) -> list[Container]:
        """Containers of this platform; others on the host only matter for their ports."""
        return [c for c in self.containers if c.platform == self.request.platform]

    def fingerprints(self) -> dict[str, str]:
        """Keyed hash of the secrets of each service and store that is made from the description."""
        found = {
            spec.name: self.secrets.fingerprint(
                names_used(spec), self.request.secrets, not self.check
            )
            for spec in self.request.services
            if spec.name not in self.request.from_releases
        }
        for store in self.request.stores:
            used = [store.password] if store.password else []
            found[store.name] = self.secrets.fingerprint(used, self.request.secrets, not self.check)
        return found

    def prepare_host(self, volumes: list[tuple[ServiceSpec, Any]]) -> None:
        """The network and the volumes, before any container needs them."""
        labels = {f"{LABEL}platform": self.request.platform}
        self.client.ensure_network(network_name(self.request.platform), labels)
        self.kill("network")
        for spec, volume in volumes:
            path = self.client.ensure_volume(volume_name(self.request.platform, volume), labels)
            owner = owner_of(spec.user)
            if path and owner and os.path.isdir(path):
                os.chown(path, *owner)

    def prepare_store_volume(self, volume: Volume) -> None:
        """The volume of a store; its own start program sets the owner."""
        labels = {f"{LABEL}platform": self.request.platform}
        self.client.ensure_volume(volume_name(self.request.platform, volume), labels)

    def failure(self, name: str, what: str, **details: Any) -> MainstayError:
        """The error for a container, with its last lines and without any secret value."""
        try:
            inspected = self.client.inspect(name)
            logs = self.client.logs(name, evidence.LOG_LINES)
        except MainstayError:  # the Engine itself is gone: say what is known
            inspected, logs = {}, []
        error = evidence.failure(name, what, inspected, logs, **details)
        return redacted(error, self.secret_values(name))

    def secret_values(self, name: str) -> list[str]:
        """Every value that must not be shown in what C(name) wrote."""
        values = list(self.request.secrets.values())
        container = next((c for c in self.containers if c.name == name), None)
        if container and container.secrets:
            try:
                place = directory_name(container.secrets, container.config)
                values += self.secrets.environment(place).values()
            except MainstayError:
                pass
        return values


def redacted(error: MainstayError, values: list[str]) -> MainstayError:
    """The same error with every secret value replaced."""
    worth = sorted((v for v in values if len(v) >= 4), key=len, reverse=True)
    if not worth:
        return error
    pattern = re.compile("|".join(re.escape(v) for v in worth))

    def clean(text: str) -> str:
        return pattern.sub("********", text)

    return MainstayError(
        clean(error.what),
        subject=error.subject,
        found=clean(error.found),
        expected=error.expected,
        next_step=error.next_step,
        evidence=tuple(clean(line) for line in error.evidence),
    )


def grace_of(known: Journal, container: Container) -> float:
    """How long the program may take to stop: from its own spec."""
    spec: Optional[ServiceSpec] = known.spec_of(container.origin, container.service)
    return spec.stop_grace if spec else 30.0
