# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""(request, journal, containers) -> what a state of docker_release does. Pure.

Each planner returns data whose C(actions) are the sentences that check mode prints and a run
executes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker.journal import (
    REVERTED,
    Journal,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.request import Request
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import (
    MIGRATION,
    SERVICE,
    STORE,
    WORKER,
    Container,
    ServiceSpec,
    StoreSpec,
    container_name,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

CREATE, REPLACE, WAKE, ADOPT = "create", "replace", "wake", "adopt"
REPLICAS = (SERVICE, WORKER)


@dataclass(frozen=True)
class Replica:
    """One container to have at the end of a stage.

    C(how) is create, replace (a half-made one is removed first), wake (start a stopped one) or
    adopt (it runs, only its health is looked at).
    """

    spec: ServiceSpec
    replica: int
    origin: str
    name: str
    how: str
    image: str
    secrets: str
    existing: Optional[Container] = None

    @property
    def is_worker(self) -> bool:
        """Workers are made while staging and started while switching."""
        return self.spec.kind == WORKER

    def action(self) -> str:
        """The sentence for this replica; empty when nothing is done."""
        if self.how == ADOPT:
            return ""
        if self.how == WAKE:
            return "" if self.is_worker else f"start {self.name} again"
        verb = "create" if self.is_worker else "create and start"
        return f"{verb} {self.name} ({self.image})"


@dataclass(frozen=True)
class StorePlan:
    """One store: C(how) is create, replace, wake, adopt; C(warning) says what is left alone."""

    spec: StoreSpec
    name: str
    how: str
    secrets: str
    existing: Optional[Container] = None
    warning: str = ""

    def action(self) -> str:
        """The sentence for this store."""
        verbs = {CREATE: "create", REPLACE: "create again", WAKE: "start"}
        verb = verbs.get(self.how)
        return f"{verb} store {self.spec.name} ({self.spec.image})" if verb else ""


@dataclass(frozen=True)
class Back:
    """What a revert removes, stops and starts."""

    releases: tuple[str, ...] = ()
    remove: tuple[Container, ...] = ()
    stop: tuple[Container, ...] = ()
    start: tuple[Container, ...] = ()

    @property
    def actions(self) -> list[str]:
        """Sentences."""
        return (
            [f"remove {c.name}" for c in self.remove]
            + [f"stop {c.name}" for c in self.stop]
            + [f"start {c.name} again" for c in self.start]
        )


@dataclass(frozen=True)
class Finish:
    """What a finish keeps warm, stops and removes; C(forget) are releases the journal drops."""

    back: Back = field(default_factory=Back)
    warm: tuple[Container, ...] = ()
    stop: tuple[Container, ...] = ()
    remove: tuple[Container, ...] = ()
    forget: tuple[str, ...] = ()


def plan_replicas(
    request: Request,
    journal: Journal,
    containers: list[Container],
    fingerprints: dict[str, str],
) -> list[Replica]:
    """The replicas of this host for a stage; C(fingerprints) are keyed hashes by service."""
    by_name = {c.name: c for c in containers}
    found = []
    for spec in request.services:
        if spec.name not in request.from_releases:
            found.extend(_new_replicas(request, journal, spec, by_name, fingerprints[spec.name]))
    for service, origin in sorted(request.from_releases.items()):
        found.extend(_old_replicas(request.platform, journal, service, origin, by_name))
    return found


def _new_replicas(
    request: Request,
    journal: Journal,
    spec: ServiceSpec,
    by_name: dict[str, Container],
    fingerprint: str,
) -> list[Replica]:
    record = journal.releases.get(request.release_id)
    image = (record.images.get(spec.name) if record else None) or spec.image
    found = []
    for number in spec.replicas:
        name = container_name(request.platform, spec.name, number, request.release_id)
        existing = by_name.get(name)
        how = CREATE
        if existing:
            same = existing.config == spec.config_hash and existing.secrets == fingerprint
            ready = existing.running or (spec.kind == WORKER and existing.state == "created")
            how = ADOPT if same and ready else REPLACE
        found.append(
            Replica(spec, number, request.release_id, name, how, image, fingerprint, existing)
        )
    return found


def _old_replicas(
    platform: str, journal: Journal, service: str, origin: str, by_name: dict[str, Container]
) -> list[Replica]:
    """Replicas of an earlier release, from what the journal remembers; none never lived here."""
    record = journal.releases.get(origin)
    spec = record.services.get(service) if record else None
    if record is None or spec is None:
        _refuse_forgotten(service, origin, by_name)
        return []
    image = record.images.get(service) or spec.image
    secrets = record.secrets.get(service, "")
    found = []
    for number in spec.replicas:
        name = container_name(platform, service, number, origin)
        existing = by_name.get(name)
        how = CREATE if existing is None else (ADOPT if existing.running else WAKE)
        found.append(Replica(spec, number, origin, name, how, image, secrets, existing))
    return found


def _refuse_forgotten(service: str, origin: str, by_name: dict[str, Container]) -> None:
    left = [c.name for c in by_name.values() if c.service == service and c.origin == origin]
    if left:
        raise MainstayError(
            "the journal of this host does not know this release any more",
            subject=f"service {service} of release {origin}",
            found=f"containers {', '.join(left)} without a journal record",
            expected="a record of the release in journal.json",
            next_step="deploy the wanted version with deploy.yml instead of going back to it",
        )


def plan_stores(
    request: Request, containers: list[Container], fingerprints: dict[str, str]
) -> list[StorePlan]:
    """Absent stores are created; existing ones are left alone unless named in recreate_stores."""
    found = []
    for spec in request.stores:
        existing = next((c for c in containers if c.kind == STORE and c.service == spec.name), None)
        name = container_name(request.platform, spec.name, 1, request.release_id)
        secrets = fingerprints[spec.name]
        if existing is None:
            found.append(StorePlan(spec, name, CREATE, secrets))
            continue
        differs = existing.config != spec.config_hash or existing.secrets != secrets
        if differs and spec.name in request.recreate_stores:
            found.append(StorePlan(spec, name, REPLACE, secrets, existing))
            continue
        how = ADOPT if existing.running else WAKE
        warning = f"store {spec.name} differs from its description and is left as it is"
        found.append(
            StorePlan(spec, existing.name, how, secrets, existing, warning if differs else "")
        )
    return found


def plan_back(
    releases: list[str], keep: dict[str, str], journal: Journal, containers: list[Container]
) -> Back:
    """Take C(releases) back: what they made goes, what they stopped and C(keep) names runs again.

    Stores stay: they hold data and serve every version.
    """
    remove, stop = [], []
    for container in containers:
        kept = keep.get(container.service) == container.origin and container.kind != MIGRATION
        if container.kind == STORE or kept:
            continue
        records = [journal.releases[r] for r in releases if r in journal.releases]
        if container.origin in releases or any(container.name in r.created for r in records):
            remove.append(container)
        elif container.running and any(container.name in r.started for r in records):
            stop.append(container)
    start = [
        c
        for c in containers
        if c.kind in REPLICAS and keep.get(c.service) == c.origin and not c.running
    ]
    return Back(tuple(releases), tuple(remove), tuple(stop), tuple(start))


def plan_finish(
    request: Request, journal: Journal, containers: list[Container], now: float
) -> Finish:
    """Retire everything that C(request.keep) does not name."""
    interrupted = [r for r in journal.unfinished() if r != request.release_id]
    back = plan_back(interrupted, request.keep, journal, containers)
    going = {c.name for c in back.remove}
    others = [
        c
        for c in containers
        if c.kind in REPLICAS and request.keep.get(c.service) != c.origin and c.name not in going
    ]
    retained = retained_origins(request.keep, request.retain, journal, others, interrupted)
    remove = [c for c in others if c.origin not in retained.get(c.service, ())]
    remove += [
        c for c in containers if c.kind == MIGRATION and c.name not in going and not c.running
    ]
    staying = [c for c in others if c.running and c not in remove]
    warm_until = {n: r.due for r in journal.retiring for n in r.containers}
    overdue = [
        c for c in staying if request.keep_warm <= 0 or warm_until.get(c.name, now + 1) <= now
    ]
    warm = [c for c in staying if c not in overdue and c.name not in warm_until]
    return Finish(
        back=back,
        warm=tuple(warm),
        stop=tuple(overdue),
        remove=tuple(remove),
        forget=_forgotten(request, journal, retained),
    )


def retained_origins(
    keep: dict[str, str],
    retain: int,
    journal: Journal,
    others: list[Container],
    interrupted: list[str],
) -> dict[str, set[str]]:
    """By service, the C(retain) releases that served last, which are those one goes back to.

    A release that never served (on this host, or before it kept a history) comes after them, the
    newest first.
    """
    known: dict[str, set[str]] = {}
    for release, record in journal.releases.items():
        if record.phase == REVERTED or release in interrupted:
            continue
        for service in record.services:
            known.setdefault(service, set()).add(release)
    for container in others:
        known.setdefault(container.service, set()).add(container.origin)
    return {
        service: set(_latest_first(origins - {keep.get(service, "")}, journal, service)[:retain])
        for service, origins in known.items()
    }


def _served(journal: Journal, service: str) -> list[str]:
    """Releases that served, the latest first; what serves until now is the latest of all."""
    latest = journal.serving.get(service)
    return [*([latest] if latest else []), *journal.history.get(service, [])]


def _latest_first(origins: set[str], journal: Journal, service: str) -> list[str]:
    met, served = journal.by_age(), _served(journal, service)
    newest = sorted(origins, key=lambda o: (met.index(o) if o in met else -1, o), reverse=True)
    return sorted(newest, key=lambda o: served.index(o) if o in served else len(served))


def _forgotten(
    request: Request, journal: Journal, retained: dict[str, set[str]]
) -> tuple[str, ...]:
    wanted = {request.release_id, *request.keep.values()}
    for origins in retained.values():
        wanted |= origins
    return tuple(sorted(r for r in journal.releases if r not in wanted))


def plan_workers(
    replicas: list[Replica], containers: list[Container]
) -> list[tuple[Optional[Container], Optional[Replica]]]:
    """Pairs (old to stop, new to start), in the order they are done."""
    pairs: list[tuple[Optional[Container], Optional[Replica]]] = []
    for service in sorted({r.spec.name for r in replicas}):
        new = [r for r in replicas if r.spec.name == service]
        names = {r.name for r in new}
        old = sorted(
            (
                c
                for c in containers
                if c.service == service and c.kind == WORKER and c.running and c.name not in names
            ),
            key=lambda c: c.replica,
        )
        waiting = [r for r in new if not (r.existing and r.existing.running)]
        for index in range(max(len(old), len(waiting))):
            pairs.append(
                (
                    old[index] if index < len(old) else None,
                    waiting[index] if index < len(waiting) else None,
                )
            )
    return pairs
