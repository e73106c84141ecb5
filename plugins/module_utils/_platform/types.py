# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform as dataclasses: what every view reads and no view writes.

A L(Platform) is made from the C(platform_*) variables after validation (see C(describe.py)), with
the overrides of its stage applied and every default filled in. It never holds a secret value,
only the names of secrets, so it may be shown, diffed and recorded.

Units: durations are seconds, sizes are bytes, CPU is cores, shares are percent (0 to 100).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_kubernetes import (
    Kubernetes,
    KubernetesService,
    KubernetesStore,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_postgres import (
    Postgres,
    Repository,
)


@dataclass(frozen=True)
class Health:
    """How a new container proves that it can take traffic.

    C(path) is asked over HTTP (a worker has C(command) or neither). C(interval) lies between two
    probes, C(timeout) bounds one probe, C(grace) is how long a start may take before it counts as
    failed, C(failures) probes in a row make a running container unhealthy.
    """

    path: Optional[str] = None
    command: tuple[str, ...] = ()
    interval: float = 2.0
    timeout: float = 5.0
    grace: float = 60.0
    failures: int = 3
    readiness: Optional[str] = None


@dataclass(frozen=True)
class Route:
    """A path prefix of a host name that the edge sends to a service."""

    path: str
    host: Optional[str] = None
    websocket: bool = False
    rate_limit: Optional[str] = None
    strip_prefix: bool = False
    read_timeout: float = 60.0
    cache: float = 0.0


@dataclass(frozen=True)
class Resources:
    """Requests and limits; zero means none."""

    cpu_request: float = 0.0
    cpu_limit: float = 0.0
    memory_request: int = 0
    memory_limit: int = 0
    pids: int = 512


@dataclass(frozen=True)
class Volume:
    """Named storage mounted into a container; never removed by the collection."""

    name: str
    path: str
    size: int = 0
    read_only: bool = False
    shared: bool = False


@dataclass(frozen=True)
class SecretUse:
    """Secret C(secret) given as the file C(/run/secrets/<file>) or as the variable C(env)."""

    secret: str
    file: Optional[str] = None
    env: Optional[str] = None


@dataclass(frozen=True)
class Migration:
    """Run once per release, from the new image, before the switch."""

    command: tuple[str, ...]
    reversible: bool = False
    timeout: float = 300.0
    revert_command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Smoke:
    """One request through the edge after a switch, and what its answer must be."""

    path: str
    method: str = "GET"
    status: int = 200
    contains: Optional[str] = None
    max_seconds: float = 2.0
    host: Optional[str] = None


@dataclass(frozen=True)
class Metrics:
    """Where Prometheus scrapes the service."""

    path: str
    port: int
    interval: float = 15.0


@dataclass(frozen=True)
class Service:
    """A stateless program built as an image and released by version.

    C(image) is the repository without tag; C(version) is a tag, C(digest) wins over it. A service
    without C(port) is a worker: the edge never sees it and it is replaced one by one. Values of
    C(env) may hold C(${secret:NAME}), C(${store:NAME.host}) and C(${store:NAME.port}); they are
    resolved on the target host only.
    """

    name: str
    image: str
    version: str
    digest: Optional[str] = None
    replicas: int = 1
    port: Optional[int] = None
    health: Health = field(default_factory=Health)
    routes: tuple[Route, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    secrets: tuple[SecretUse, ...] = ()
    resources: Resources = field(default_factory=Resources)
    volumes: tuple[Volume, ...] = ()
    stop_grace: float = 30.0
    stop_signal: str = "SIGTERM"
    command: tuple[str, ...] = ()
    user: str = "1001:1001"
    read_only_root: bool = True
    writable: tuple[str, ...] = ("/tmp",)
    migration: Optional[Migration] = None
    smoke: tuple[Smoke, ...] = ()
    metrics: Optional[Metrics] = None
    kubernetes: KubernetesService = field(default_factory=KubernetesService)

    @property
    def is_worker(self) -> bool:
        """True when nothing can send requests to it."""
        return self.port is None


@dataclass(frozen=True)
class Backup:
    """Policy of a store: when, how long kept, how much may be lost. Schedules are cron, in UTC."""

    schedule: str = "0 2 * * *"
    incremental: str = ""
    drill: str = "0 4 * * 0"
    engine: str = "pgbackrest"
    retention_days: int = 30
    retention_weeks: int = 8
    retention_months: int = 12
    wal_seconds: int = 60
    repositories: tuple[str, ...] = ()
    objective_loss_seconds: int = 900
    objective_restore_seconds: int = 1800


@dataclass(frozen=True)
class Store:
    """What keeps state. C(mode) is C(managed), C(host), C(docker) or C(kubernetes).

    C(kind) is C(postgres), C(redis), C(rabbitmq) or C(mongodb). A managed store has C(host); one in
    Docker has C(image), C(version) and C(volume). C(password) names a secret.
    """

    name: str
    kind: str
    mode: str = "docker"
    version: str = ""
    image: Optional[str] = None
    host: Optional[str] = None
    port: int = 0
    database: Optional[str] = None
    username: Optional[str] = None
    password: Optional[str] = None
    volume: Optional[Volume] = None
    resources: Resources = field(default_factory=Resources)
    settings: dict[str, str] = field(default_factory=dict)
    append_only: bool = True
    memory_limit: int = 0
    eviction_policy: str = "noeviction"
    replicas: int = 0
    hosts: tuple[str, ...] = ()
    postgres: Optional[Postgres] = None
    tls: bool = False
    backup: Optional[Backup] = None
    kubernetes: KubernetesStore = field(default_factory=KubernetesStore)


@dataclass(frozen=True)
class Registry:
    """Where images come from; C(kind) is C(generic), C(ghcr), C(dockerhub) or C(ecr)."""

    server: str
    kind: str = "generic"
    username: Optional[str] = None
    password: Optional[str] = None
    ca: Optional[str] = None


@dataclass(frozen=True)
class RateLimit:
    """Requests a second for each client address; C(burst) requests may come at once."""

    name: str
    rate: float
    burst: int
    zone_bytes: int = 10 * 1024 * 1024


@dataclass(frozen=True)
class Tls:
    """C(mode) is C(private_ca), C(given), C(acme) or C(off) (development only)."""

    mode: str = "private_ca"
    certificate: Optional[str] = None
    key: Optional[str] = None
    acme_email: Optional[str] = None
    protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    redirect: bool = True
    hsts_seconds: int = 31536000


@dataclass(frozen=True)
class Maintenance:
    """The page shown while the platform is taken out of service on purpose."""

    title: str = "Down for maintenance"
    message: str = "We will be back shortly."
    retry_after: int = 300
    bypass_header: str = "X-Maintenance-Bypass"
    bypass_secret: Optional[str] = None
    bypass_addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """The Nginx in front. Header values are sent as written; an empty one sends no header."""

    http_port: int = 80
    https_port: int = 443
    tls: Tls = field(default_factory=Tls)
    rate_limits: tuple[RateLimit, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    gzip: bool = True
    gzip_min_length: int = 1000
    max_body_bytes: int = 10 * 1024 * 1024
    keepalive_seconds: int = 75
    upstream_keepalive: int = 32
    health_path: str = "/-/health"
    maintenance: Maintenance = field(default_factory=Maintenance)
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class MetricGate:
    """A PromQL expression that must hold: fewer than C(minimum_samples) points is no data."""

    name: str
    query: str
    maximum: Optional[float] = None
    minimum: Optional[float] = None
    minimum_samples: int = 1
    no_data: str = "hold"


@dataclass(frozen=True)
class CommandGate:
    """A program on the controller whose exit status 0 means go."""

    name: str
    command: tuple[str, ...]
    timeout: float = 60.0


@dataclass(frozen=True)
class ApprovalGate:
    """Somebody says yes before the release goes on.

    C(after) is C(staged) (before the first visitor sees the new version), C(first), C(each) or
    C(last) step of the switch. C(approvers) are users and C(@groups); empty means anybody.
    C(other_person): not the one who started the release.
    """

    name: str
    after: str = "staged"
    timeout: float = 1800.0
    approvers: tuple[str, ...] = ()
    other_person: bool = False
    text: str = ""


@dataclass(frozen=True)
class Gates:
    """What must hold after each step of a switch.

    C(max_error_percent) and C(max_p95_seconds) are judged on the edge's own figures for the new
    group once it has answered C(minimum_requests); fewer within C(wait) seconds is no data, and
    C(no_data) says what that means: C(hold), C(pass) or C(fail).
    """

    minimum_requests: int = 20
    max_error_percent: float = 1.0
    max_p95_seconds: float = 1.0
    wait: float = 60.0
    no_data: str = "pass"
    prometheus_url: Optional[str] = None
    metrics: tuple[MetricGate, ...] = ()
    commands: tuple[CommandGate, ...] = ()
    approvals: tuple[ApprovalGate, ...] = ()


@dataclass(frozen=True)
class CanaryStep:
    """C(share) percent of the traffic goes to the new version for at least C(seconds)."""

    share: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Probe:
    """The prober that runs through every switch; over budget means revert."""

    path: str = "/"
    rate: float = 20.0
    timeout: float = 2.0
    max_failed: int = 0
    slow_seconds: float = 1.0


@dataclass(frozen=True)
class ReleasePolicy:
    """How a new version goes out and how long the old one stays.

    C(batch) is a count of hosts (C("1")) or a percentage (C("34%")) for C(rolling). C(keep_warm)
    is how long old containers keep running after the switch, C(retain) how many earlier releases
    stay on the hosts, C(drain) the longest wait for open requests and sockets.
    """

    strategy: str = "rolling"
    batch: str = "1"
    canary: tuple[CanaryStep, ...] = (CanaryStep(10.0), CanaryStep(50.0), CanaryStep(100.0))
    sticky: bool = True
    preview_header: str = "X-Mainstay-Preview"
    keep_warm: float = 600.0
    retain: int = 3
    drain: float = 30.0
    gates: Gates = field(default_factory=Gates)
    probe: Probe = field(default_factory=Probe)
    stage_timeout: float = 300.0


@dataclass(frozen=True)
class Platform:
    """All that one inventory describes, for one stage.

    C(selected) names the only services that this run may touch; empty means all of them.
    """

    name: str
    stage: str
    domain: str
    runtime: str = "docker"
    services: tuple[Service, ...] = ()
    stores: tuple[Store, ...] = ()
    repositories: tuple[Repository, ...] = ()
    registries: tuple[Registry, ...] = ()
    edge: Edge = field(default_factory=Edge)
    release: ReleasePolicy = field(default_factory=ReleasePolicy)
    kubernetes: Kubernetes = field(default_factory=Kubernetes)
    secret_names: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The name used for directories, labels, confirmations: C(<name>-<stage>)."""
        return f"{self.name}-{self.stage}"

    def service(self, name: str) -> Service:
        """The service called C(name); C(KeyError) when there is none."""
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)
