# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of k8s_restore: everything is fetched and checked first, then stores are filled beside
what is there, swapped, compared, and the programs come back."""

from __future__ import annotations

import functools
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    backup_arguments,
    backup_manifest,
    backup_objects,
    backup_stores,
    backup_take,
    engine,
    restore_stores,
    writers,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_catalog import (
    Repository,
    as_document,
    opened,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_manifest import (
    OBJECTS,
    POSTGRES,
    ROLES,
    Manifest,
    Part,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_seal import Keys
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_stores import (
    Target,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import (
    Cluster,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import (
    Manifest as Object,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    Parent,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.pod_shell import Shell
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.records import Records
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.restore_journal import (
    DONE,
    UNDONE,
    WORKING,
    Change,
    Journal,
    read_journal,
    write_journal,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.restore_stores import (
    Loading,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.rights import (
    require,
    rights,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.writers import (
    Writer,
    Writers,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result

KILL_VARIABLE = "MAINSTAY_KILL_AT"
#: Objects without a namespace are shared with whoever else is in the cluster.
_SHARED = frozenset({"PriorityClass", "StorageClass", "CustomResourceDefinition", "ClusterRole"})


@dataclass
class Restore:
    """One call: what is asked, what was fetched, and the hands to act with."""

    params: Mapping[str, Any]
    cluster: Cluster
    shell: Shell
    folder: str
    parent: Parent
    repository: Repository
    described: list[Object] = field(default_factory=list)
    fetched: dict[str, str] = field(default_factory=dict)
    manifest: Optional[Manifest] = None
    keys: Optional[Keys] = None
    targets: list[Target] = field(default_factory=list)
    manifests: list[Object] = field(default_factory=list)
    version: str = ""
    told: list[str] = field(default_factory=list)

    @property
    def platform(self) -> str:
        """Id of the platform."""
        return str(self.params["platform"])

    @property
    def namespace(self) -> str:
        """Where it is restored."""
        return str(self.params["namespace"])

    @property
    def timeout(self) -> float:
        """For each long step."""
        return float(self.params["timeout"])

    def write(self, journal: Journal) -> Journal:
        """Keep it in the cluster."""
        self.version = write_journal(
            self.cluster, self.platform, self.namespace, journal, self.version
        )
        return journal

    def kill(self, point: str) -> None:
        """Ends this very process at the point that a test names, as a power cut would."""
        if os.environ.get(KILL_VARIABLE) == f"restore-{point}":
            os.kill(os.getpid(), signal.SIGKILL)

    @property
    def backup(self) -> Manifest:
        """The backup that is restored."""
        if self.manifest is None:
            raise MainstayError("no backup was chosen", subject=f"platform {self.platform}")
        return self.manifest

    def loading(self, target: Target, mark: str) -> Loading:
        """What the restore of one store needs; without a backup it can only go back."""
        part, roles = Part(target.name, target.kind, target.name, target.database), None
        if self.manifest is not None:
            part = _must(self.manifest.part(target.kind, target.name), target.name, self.manifest)
            kept = self.manifest.part(ROLES, target.name)
            if kept is not None:
                roles = b"".join(self.opened(kept)).decode("utf-8")
        place = backup_take.place_of(self.cluster, self.namespace, target, self.parent)
        return Loading(
            target,
            place,
            part,
            functools.partial(self.opened, part),
            roles,
            self.cluster,
            self.shell,
            mark,
            self.timeout,
        )

    def opened(self, part: Part) -> Iterator[bytes]:
        """What a fetched part holds."""
        name = self.repository.name(self.backup.label, part.name)
        return opened(self.fetched[part.name], name, self.keys)


def confirmation(platform: str, state: str) -> str:
    """What has to be typed."""
    return f"{'undo' if state == 'undone' else 'restore'}-{platform}"


def restore(
    params: Mapping[str, Any],
    cluster: Cluster,
    shell: Shell,
    repository: Optional[Repository] = None,
    *,
    check: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Run k8s_restore."""
    started = clock()
    problems = backup_arguments.id_problems("restore_id", params["restore_id"])
    if not params["objects"] and not params["stores"] and params["state"] == "present":
        problems.append("objects, stores: nothing to restore; set objects or name stores")
    if problems:
        raise backup_arguments.wrong(problems)
    targets = backup_stores.targets_from(params.get("stores") or [])
    repository = repository or backup_arguments.repository_from(params)
    wanted = confirmation(str(params["platform"]), str(params["state"]))
    with tempfile.TemporaryDirectory(prefix="mainstay-restore-") as folder:
        run = _prepare(params, cluster, shell, repository, targets, folder)
        journal, run.version = read_journal(cluster, run.platform, run.namespace)
        if params["state"] == "undone":
            plan = _plan_undo(run, journal)
        else:
            plan = _plan(run, journal)
        if not check:
            _confirmed(params, wanted, plan)
            if params["state"] == "undone" and journal is not None:
                journal = _undo(run, journal)
            else:
                journal = _bring(run, journal)
    facts = {
        "restore": {
            "id": str(params["restore_id"]),
            "backup": run.manifest.label if run.manifest else journal.backup if journal else "",
            "taken": run.manifest.finished if run.manifest else "",
            "phase": "planned" if check else journal.phase if journal else "",
            "confirmation": wanted,
            "checks": run.told,
            "kept": {c.store: c.kept for c in journal.changes} if journal and not check else {},
            "release_before": run.parent.current,
        }
    }
    return Result(changed=bool(plan), actions=plan, duration=clock() - started, facts=facts)


def _prepare(
    params: Mapping[str, Any],
    cluster: Cluster,
    shell: Shell,
    repository: Repository,
    targets: list[Target],
    folder: str,
) -> Restore:
    """Everything that can be known without changing anything; the repository first."""
    records = Records(cluster, str(params["platform"]), str(params["namespace"]))
    run = Restore(params, cluster, shell, folder, Parent("", ""), repository, targets=targets)
    if params["state"] == "present":
        listed = repository.listed()
        chosen = backup_manifest.choose(listed, str(params.get("backup") or ""), run.platform)
        run.manifest = repository.manifest(chosen.label)
        run.keys = repository.keys(run.manifest)
        _fetch(run)
    wanted = _rights(run)
    require(cluster, wanted, f"restore the platform {run.platform}")
    run.parent = records.parent()
    backup_arguments.check_fence(int(params.get("fence") or 0), run.parent)
    summaries = records.summaries()
    summary = next((s for s in summaries if s.release_id == run.parent.current), None)
    run.described = records.manifests(summary) if summary else []
    return run


def _rights(run: Restore) -> list[Any]:
    wanted = [
        "configmaps: get create update",
        "secrets: get list",
        "apps/deployments: get list watch patch",
        "apps/deployments/scale: patch",
        "batch/cronjobs: get list patch",
        "pods: get list watch",
    ]
    if run.targets:
        wanted += ["apps/statefulsets: get list watch", "pods/exec: create get"]
    if run.params["objects"]:
        wanted += ["secrets: create update patch", "services: get list patch"]
    return rights(run.namespace, *wanted)


def _must(part: Optional[Part], store: str, manifest: Manifest) -> Part:
    if part is None:
        raise MainstayError(
            "the backup has nothing of this store",
            subject=f"backup {manifest.label}, store {store}",
            found=", ".join(manifest.stores) or "no store",
            expected=store,
            next_step="choose another backup, or other stores; nothing was changed",
        )
    return part


def _fetch(run: Restore) -> None:
    """All parts that are needed, whole and opened once, before anything is changed."""
    manifest, repository = run.backup, run.repository
    parts = []
    for target in run.targets:
        parts.append(_must(manifest.part(target.kind, target.name), target.name, manifest))
        if target.kind == POSTGRES:
            parts += [p for p in (manifest.part(ROLES, target.name),) if p]
    if run.params["objects"]:
        parts.append(_must(manifest.part(OBJECTS), "objects", manifest))
    for part in parts:
        run.fetched[part.name] = repository.fetch(manifest, part, run.keys, run.folder)
    if run.params["objects"]:
        part = _must(manifest.part(OBJECTS), "objects", manifest)
        document = as_document(b"".join(run.opened(part)), part.name)
        released: Any = document["released"]
        run.manifests = _restorable(run, released, manifest)


def _restorable(run: Restore, released: Sequence[Object], manifest: Manifest) -> list[Object]:
    blank = backup_objects.without_values(released)
    found = backup_objects.restorable(released, manifest.namespace, run.namespace)
    moved = manifest.namespace != run.namespace
    kept = []
    for body in found:
        name = str(body["metadata"]["name"])
        if body.get("kind") == "Secret" and name in blank:
            _present(run, name)
            continue
        if moved and body.get("kind") in _SHARED:
            continue
        kept.append(body)
    return kept


def _present(run: Restore, name: str) -> None:
    """A Secret whose values were left out must be there already."""
    if run.cluster.get(backup_take.SECRET, run.namespace, name) is None:
        raise MainstayError(
            "the values of a Secret are not in the backup, and it is not in the namespace",
            subject=f"Secret {run.namespace}/{name}",
            found="nothing",
            expected="the Secret, or a backup that was taken with secrets=sealed",
            next_step="make the Secret, then run again; nothing was changed",
        )


def _live_writers(run: Restore, journal: Optional[Journal]) -> tuple[Writer, ...]:
    """Those of this platform. After an interrupted restore its journal knows the numbers."""
    mine = {(m.key.kind, m.key.name) for m in run.parent.members}
    live = []
    for resource in (writers.DEPLOYMENT, writers.CRON_JOB):
        found, _version = run.cluster.find(resource, run.namespace)
        live += [o for o in found if (resource.kind, o["metadata"]["name"]) in mine]
    now = {(w.kind, w.name): w for w in writers.writers_of(live)}
    if journal is not None and journal.phase == WORKING:
        now.update({(w.kind, w.name): w for w in journal.writers})
    return tuple(w for w in now.values() if w.replicas != 0)


def _plan(run: Restore, journal: Optional[Journal]) -> list[str]:
    plan = []
    if journal is not None and journal.phase == WORKING:
        plan.append(f"take up after the interrupted restore {journal.restore_id}")
    resting = _live_writers(run, journal) if run.targets else ()
    plan += [f"let {writer} rest" for writer in resting]
    if run.params["objects"]:
        plan += [f"objects: {text}" for text in _release(run, run.manifests, True)]
    mark = Journal(str(run.params["restore_id"]), "").mark
    for target in run.targets:
        there = run.cluster.get(backup_take.STATEFUL_SET, run.namespace, target.statefulset)
        if there is None and run.params["objects"]:
            plan.append(f"restore {target.name} once it is there")
            continue
        plan += restore_stores.check(run.loading(target, mark))
    plan += [f"let {writer} work again" for writer in resting]
    return plan


def _release(run: Restore, manifests: list[Object], check: bool) -> list[str]:
    """Objects come back as a release of their own: owned, awaited, on record, undone by another."""
    asked = {
        "platform": run.platform,
        "namespace": run.namespace,
        "release_id": run.params["restore_id"],
        "manifests": manifests,
        "fence": run.params["fence"],
        "prune": False,
        "timeout": run.timeout,
        "retain": 10,
    }
    return engine.release(asked, run.cluster, check=check).actions


def _confirmed(params: Mapping[str, Any], wanted: str, plan: list[str]) -> None:
    if params.get("confirm") != wanted:
        raise MainstayError(
            "the confirmation was not typed; nothing was changed",
            subject="confirm",
            found=str(params.get("confirm") or "nothing"),
            expected=wanted,
            next_step="read the plan, then run again with this confirmation",
            evidence=tuple(plan),
        )


def _bring(run: Restore, journal: Optional[Journal]) -> Journal:
    """Do it. The programs come back also when a store could not be restored."""
    resting = _live_writers(run, journal) if run.targets else ()
    before = run.parent.current
    if journal is not None and journal.phase == WORKING:
        before = journal.release_before
    fresh = Journal(
        str(run.params["restore_id"]),
        run.backup.label,
        release_before=before,
        writers=resting,
    )
    if run.params["objects"] and run.cluster.get(backup_take.NAMESPACE, "", run.namespace) is None:
        # The journal needs its namespace; a release makes it first.
        first = [m for m in run.manifests if m.get("kind") == "Namespace"]
        for body in first:
            run.cluster.apply(backup_take.NAMESPACE, body)
    fresh = run.write(fresh)
    run.kill("journal")
    programs = Writers(run.cluster, run.namespace, writers.by_key(run.described))
    programs.rest(resting, run.timeout)
    run.kill("rest")
    try:
        if journal is not None and journal.phase == WORKING:
            _settle(run, journal)
        if run.params["objects"] and run.targets:
            first = [m for m in run.manifests if m.get("kind") not in backup_objects.PROGRAMS]
            _release(run, first, False)
            run.parent = Records(run.cluster, run.platform, run.namespace).parent()
        for target in run.targets:
            fresh = _store(run, target, fresh)
    finally:
        programs.back(resting, run.timeout)
    if run.params["objects"]:
        _release(run, run.manifests, False)
    run.kill("back")
    return run.write(replace(fresh, phase=DONE))


def _settle(run: Restore, journal: Journal) -> None:
    """Take back what an interrupted restore did to the stores that are restored now."""
    by_name = {t.name: t for t in run.targets}
    for change in journal.changes:
        if change.store in by_name:
            loading = run.loading(by_name[change.store], journal.mark)
            if change.swapped:
                restore_stores.swap_back(loading, change)
            restore_stores.clear(loading, change)


def _store(run: Restore, target: Target, journal: Journal) -> Journal:
    loading = run.loading(target, journal.mark)
    restore_stores.check(loading)
    change = restore_stores.planned(loading)
    journal = run.write(replace(journal, changes=(*journal.changes, change)))
    restore_stores.fill(loading, change)
    run.kill("filled")
    swapped = (*journal.changes[:-1], replace(change, swapped=True))
    journal = run.write(replace(journal, changes=swapped))
    restore_stores.swap(loading, change)
    run.kill("swapped")
    queries = [str(c["sql"]) for c in run.params["checks"] if c["store"] == target.name]
    try:
        run.told += restore_stores.after(loading, queries)
    except MainstayError:
        # What was restored does not hold: the data before serves again.
        restore_stores.swap_back(loading, change)
        raise
    return journal


def _plan_undo(run: Restore, journal: Optional[Journal]) -> list[str]:
    if journal is None or journal.phase == UNDONE:
        raise MainstayError(
            "there is no restore to undo",
            subject=f"platform {run.platform}, namespace {run.namespace}",
            found="nothing" if journal is None else f"{journal.restore_id}, {journal.phase}",
            expected="a restore that was done or interrupted",
            next_step="nothing was changed",
        )
    named = {t.name for t in run.targets}
    lacking = sorted({c.store for c in journal.changes if c.swapped} - named)
    if lacking:
        raise backup_arguments.wrong(
            [f"stores: {name} was restored and is not named" for name in lacking]
        )
    plan = [f"let {w} rest" for w in _live_writers(run, journal)]
    plan += [f"give {c.store} the data of {c.kept} back" for c in journal.changes if c.swapped]
    if journal.release_before and journal.release_before != run.parent.current:
        plan.append(f"rollback.yml -e release_id={journal.release_before} brings the objects back")
    return plan


def _undo(run: Restore, journal: Journal) -> Journal:
    resting = _live_writers(run, journal)
    mark = Journal(str(journal.restore_id), "").mark
    journal = run.write(replace(journal, phase=WORKING, writers=resting))
    programs = Writers(run.cluster, run.namespace, writers.by_key(run.described))
    programs.rest(resting, run.timeout)
    by_name = {t.name: t for t in run.targets}
    done: list[Change] = []
    try:
        for change in journal.changes:
            if change.swapped and change.store in by_name:
                loading = run.loading(by_name[change.store], mark)
                aside = restore_stores.swap_back(loading, change)
                run.told.append(
                    f"{change.store}: what was restored is kept as {aside or 'nothing'}"
                )
                done.append(replace(change, kept=aside))
    finally:
        programs.back(resting, run.timeout)
    return run.write(replace(journal, phase=UNDONE, changes=tuple(done)))
