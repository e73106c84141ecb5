# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only Kubernetes needs to know of a platform, a service and a store, as dataclasses.

Units as in types.py: durations are seconds, sizes are bytes, CPU is cores, shares are percent. The
figures of probes and of scaling are those that the platforms' papers agree on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional


@dataclass(frozen=True)
class Scaling:
    """At most C(percent) of the pods are added or taken away within C(period)."""

    window: float = 30.0
    percent: int = 100
    period: float = 30.0


@dataclass(frozen=True)
class Autoscaling:
    """Number of pods by load. C(cpu) and C(memory) are percent of the request; zero is not used."""

    minimum: int
    maximum: int
    cpu: int = 70
    memory: int = 80
    up: Scaling = field(default_factory=Scaling)
    down: Scaling = field(default_factory=lambda: Scaling(300.0, 50, 60.0))


@dataclass(frozen=True)
class ProbeTimes:
    """When one probe asks."""

    initial_delay: float
    period: float
    timeout: float
    failures: int = 3


@dataclass(frozen=True)
class Probes:
    """When the probes of a service ask; what they ask stands in its C(health)."""

    liveness: ProbeTimes = field(default_factory=lambda: ProbeTimes(60.0, 30.0, 10.0))
    readiness: ProbeTimes = field(default_factory=lambda: ProbeTimes(10.0, 5.0, 5.0))


@dataclass(frozen=True)
class Egress:
    """A network (C(to)) or another C(namespace) that pods may reach on TCP C(ports)."""

    ports: tuple[int, ...]
    to: str = ""
    excluded: tuple[str, ...] = ()
    namespace: str = ""


@dataclass(frozen=True)
class LoadBalancer:
    """A load balancer of a service's own."""

    port: int = 80
    sticky: bool = True
    sticky_seconds: int = 10800
    internal: bool = False
    sources: tuple[str, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class KubernetesService:
    """What only Kubernetes needs to know of a service.

    C(surge), C(unavailable) and C(disruption) are a count (C("1")) or a percentage (C("25%")).
    C(drain) is how long a pod that ends goes on serving until no one sends to it any more.
    """

    autoscaling: Optional[Autoscaling] = None
    probes: Probes = field(default_factory=Probes)
    surge: str = "1"
    unavailable: str = "0"
    drain: float = 5.0
    affinity: str = "preferred"
    zones: str = "preferred"
    disruption: str = "1"
    load_balancer: Optional[LoadBalancer] = None
    egress: tuple[Egress, ...] = ()
    calls: tuple[str, ...] = ()
    identity: Optional[str] = None
    node_selector: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dump:
    """Logical dumps of a store into a volume."""

    schedule: str = "0 2 * * *"
    keep_days: int = 7
    size: int = 20 * 1024**3
    image: Optional[str] = None


@dataclass(frozen=True)
class Upkeep:
    """Indexes rebuilt without locks, statistics refreshed."""

    schedule: str = "0 3 * * 0"
    image: Optional[str] = None


@dataclass(frozen=True)
class KubernetesStore:
    """What only Kubernetes needs to know of a store; C(shards) is for a Redis Cluster."""

    user: int = 999
    shards: int = 0
    cluster_secret: Optional[str] = None
    networks: tuple[str, ...] = ()
    dump: Optional[Dump] = None
    upkeep: Optional[Upkeep] = None


@dataclass(frozen=True)
class Ingress:
    """How requests come in; C(kind) is C(ingress), C(gateway) or C(none).

    The share of a canary is one of C(replicas), or C(weights) that the controller sends by.
    """

    kind: str = "ingress"
    class_name: str = "nginx"
    canary: str = "replicas"
    gateway: Optional[str] = None
    gateway_namespace: Optional[str] = None
    issuer: Optional[str] = None
    issuer_kind: str = "ClusterIssuer"
    tls_secret: Optional[str] = None
    namespace: str = "ingress-nginx"
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Amounts:
    """CPU and memory; zero says nothing."""

    cpu: float = 0.0
    memory: int = 0


@dataclass(frozen=True)
class Quota:
    """What the namespace may use in all; zero says nothing."""

    requests: Amounts = field(default_factory=Amounts)
    limits: Amounts = field(default_factory=Amounts)
    pods: int = 0
    volumes: int = 0
    storage: int = 0


@dataclass(frozen=True)
class LimitRange:
    """What a container gets that says nothing, and the most one may have."""

    default: Amounts = field(default_factory=Amounts)
    default_request: Amounts = field(default_factory=Amounts)
    maximum: Amounts = field(default_factory=Amounts)


@dataclass(frozen=True)
class Network:
    """Who may talk to whom, beside what the description needs."""

    policies: bool = True
    dns_namespace: str = "kube-system"
    egress: tuple[Egress, ...] = ()


@dataclass(frozen=True)
class PriorityClass:
    """Priority of the pods; with C(value) the class is made."""

    name: Optional[str] = None
    value: Optional[int] = None


@dataclass(frozen=True)
class StorageClass:
    """Where volumes come from; empty names mean what the flavour usually has."""

    name: Optional[str] = None
    shared: Optional[str] = None
    create: bool = False
    provisioner: Optional[str] = None
    parameters: dict[str, str] = field(default_factory=dict)
    reclaim: str = "Retain"


@dataclass(frozen=True)
class Monitors:
    """ServiceMonitor and PodMonitor objects."""

    enabled: bool = False
    namespace: str = "monitoring"
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Velero:
    """A schedule of Velero; C(retention) is in seconds."""

    enabled: bool = False
    namespace: str = "velero"
    schedule: str = "0 2 * * *"
    retention: float = 720 * 3600.0
    location: Optional[str] = None


@dataclass(frozen=True)
class Access:
    """Groups that may release, and groups that may look."""

    deployers: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kubernetes:
    """The cluster. C(flavour) is C(eks), C(gke), C(aks) or C(on_premises).

    An empty C(namespace) means the id of the platform.
    """

    namespace: str = ""
    flavour: str = "on_premises"
    context: Optional[str] = None
    kubeconfig: Optional[str] = None
    pod_security: str = "restricted"
    ingress: Ingress = field(default_factory=Ingress)
    quota: Quota = field(default_factory=Quota)
    limit_range: LimitRange = field(default_factory=LimitRange)
    network: Network = field(default_factory=Network)
    priority_class: PriorityClass = field(default_factory=PriorityClass)
    storage_class: StorageClass = field(default_factory=StorageClass)
    monitors: Monitors = field(default_factory=Monitors)
    velero: Velero = field(default_factory=Velero)
    access: Access = field(default_factory=Access)
