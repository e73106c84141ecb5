# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of k8s_backup, and the list of k8s_backup_info."""

from __future__ import annotations

import datetime
import json
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    backup_arguments,
    backup_manifest,
    backup_objects,
    backup_stores,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_catalog import (
    Repository,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_manifest import (
    OBJECTS,
    POSTGRES,
    REDIS,
    ROLES,
    Listed,
    Manifest,
    Part,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_seal import (
    Keys,
    keys_of,
    new_salt,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_stores import (
    Target,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import (
    Cluster,
    Object,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import BUILT_IN
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    DEPLOYED,
    Parent,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.pod_shell import (
    Place,
    Shell,
    failed,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.records import Records
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.rights import (
    require,
    rights,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result

STATEFUL_SET = BUILT_IN["apps/v1", "StatefulSet"]
POD = BUILT_IN["v1", "Pod"]
SECRET = BUILT_IN["v1", "Secret"]
CLAIM = BUILT_IN["v1", "PersistentVolumeClaim"]
NAMESPACE = BUILT_IN["v1", "Namespace"]
_NAME = "app.kubernetes.io/name"


@dataclass
class Taking:
    """One backup that is being taken."""

    repository: Repository
    cluster: Cluster
    shell: Shell
    label: str
    keys: Optional[Keys]
    folder: str
    timeout: float
    parts: list[Part] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, part: Part, source: Iterable[bytes]) -> Part:
        """Put one part away."""
        written = self.repository.write_part(self.label, part, self.keys, source, self.folder)
        self.parts.append(written)
        return written


def backup(
    params: Mapping[str, Any],
    cluster: Cluster,
    shell: Shell,
    repository: Optional[Repository] = None,
    *,
    check: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Run k8s_backup."""
    started = clock()
    if params["state"] == "present" and (text := backup_arguments.sealing_problems(params)):
        raise backup_arguments.wrong(text)
    policy = backup_arguments.policy_from(params)
    targets = backup_stores.targets_from(params.get("stores") or [])
    repository = repository or backup_arguments.repository_from(params)
    now = cluster.server_time()
    facts: dict[str, Any] = {}
    actions: list[str] = []
    if params["state"] == "present":
        actions, facts = _take(params, cluster, shell, repository, targets, check)
    elif params["state"] == "verified":
        actions, facts = _verify(params, repository, now, check)
    actions += _expire(repository, policy, now, check)
    facts["backups"] = [entry_of(e, now) for e in repository.listed()]
    return Result(
        changed=bool(actions),
        actions=actions,
        duration=clock() - started,
        facts=facts,
    )


def _take(
    params: Mapping[str, Any],
    cluster: Cluster,
    shell: Shell,
    repository: Repository,
    targets: list[Target],
    check: bool,
) -> tuple[list[str], dict[str, Any]]:
    namespace = str(params["namespace"])
    require(cluster, backup_rights(namespace, bool(targets)), "take a backup")
    records = Records(cluster, str(params["platform"]), namespace)
    parent = records.parent()
    _check_parent(params, parent)
    places = {t.name: place_of(cluster, namespace, t, parent) for t in targets}
    now = cluster.server_time()
    label = backup_manifest.label_of(now, uuid.uuid4().hex)
    known = repository.listed()
    what = [f"back up {len(parent.members)} objects of namespace {namespace}"]
    what += [f"dump {t.kind} {t.name} from {places[t.name]}" for t in targets]
    if check:
        return what, {"backup": {"label": label, "stores": [t.name for t in targets]}}
    salt = new_salt() if repository.passphrase else b""
    keys = keys_of(repository.passphrase, salt) if salt else None
    sequence = 1 + max((e.manifest.sequence for e in known if e.manifest), default=0)
    with tempfile.TemporaryDirectory(prefix="mainstay-backup-") as folder:
        taking = Taking(repository, cluster, shell, label, keys, folder, float(params["timeout"]))
        _objects(taking, records, parent, namespace, params["secrets"] == "sealed")
        for target in targets:
            (_postgres if target.kind == POSTGRES else _redis)(taking, target, places[target.name])
    manifest = Manifest(
        label=label,
        platform=str(params["platform"]),
        namespace=namespace,
        started=backup_manifest.stamp(now),
        finished=backup_manifest.stamp(_now(cluster, now)),
        sequence=sequence,
        release_id=parent.current,
        cluster=_identity(cluster),
        secrets=str(params["secrets"]),
        salt=salt.hex(),
        parts=tuple(taking.parts),
        left_out=tuple(taking.left_out),
    )
    repository.write_manifest(manifest, keys)
    problems = repository.verify(label, _now(cluster, now))
    if problems:
        raise _not_whole(label, problems)
    entry = next(e for e in repository.listed() if e.label == label)
    return [*what, f"read back {len(manifest.parts)} parts: whole"], {
        "backup": entry_of(entry, now)
    }


def _now(cluster: Cluster, least: datetime.datetime) -> datetime.datetime:
    return max(cluster.server_time(), least)


def _not_whole(label: str, problems: list[str]) -> MainstayError:
    return MainstayError(
        f"{len(problems)} parts of the backup are not whole",
        subject=label,
        evidence=tuple(problems),
        expected="every part as it was written",
        next_step="look at the repository, then take another backup",
    )


def _check_parent(params: Mapping[str, Any], parent: Parent) -> None:
    if not parent.current:
        raise MainstayError(
            "nothing of this platform is deployed in the namespace",
            subject=f"platform {parent.platform}, namespace {parent.namespace}",
            found=parent.phase or "no record of a release",
            expected="a deployed release",
            next_step="deploy first, or look at platform and namespace",
        )
    if params.get("fence") is not None:
        backup_arguments.check_fence(int(params["fence"]), parent)


def backup_rights(namespace: str, stores: bool) -> list[Any]:
    """What a backup needs; only reading, and programs in the pods of stores."""
    wanted = ["configmaps: get", "secrets: get list", "persistentvolumeclaims: list"]
    if stores:
        wanted += ["apps/statefulsets: get", "pods: get", "pods/exec: create get"]
    return rights(namespace, *wanted)


def place_of(cluster: Cluster, namespace: str, target: Target, parent: Parent) -> Place:
    """The container of a store that is this platform's and runs; refused otherwise."""
    found = cluster.get(STATEFUL_SET, namespace, target.statefulset)
    subject = f"StatefulSet {namespace}/{target.statefulset}"
    if found is None:
        raise MainstayError(
            "the store is not there",
            subject=subject,
            found="nothing",
            expected=f"the StatefulSet of the store {target.name}",
            next_step="look at the names in stores; nothing was changed",
        )
    keys = {(m.key.kind, m.key.namespace, m.key.name) for m in parent.members}
    if ("StatefulSet", namespace, target.statefulset) not in keys:
        raise MainstayError(
            "the store belongs to somebody else",
            subject=subject,
            found=str((found["metadata"].get("labels") or {}).get(_NAME, "not of this platform")),
            expected=f"one that the platform {parent.platform} released",
            next_step="look at platform and namespace; nothing was changed",
        )
    containers = found["spec"]["template"]["spec"]["containers"]
    names = [str(c["name"]) for c in containers]
    if target.container and target.container not in names:
        raise MainstayError(
            "the store has no such container",
            subject=subject,
            found=", ".join(names),
            expected=target.container,
            next_step="mend stores; nothing was changed",
        )
    _check_pod(cluster.get(POD, namespace, target.pod), f"Pod {namespace}/{target.pod}")
    return Place(namespace, target.pod, target.container or names[0])


def _check_pod(pod: Optional[Object], subject: str) -> None:
    conditions = ((pod or {}).get("status") or {}).get("conditions") or []
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
    if not ready:
        raise MainstayError(
            "the store does not run",
            subject=subject,
            found=str(((pod or {}).get("status") or {}).get("phase", "no pod")),
            expected="a pod that is ready",
            next_step="bring the store up first; nothing was changed",
        )


def _objects(
    taking: Taking, records: Records, parent: Parent, namespace: str, values: bool
) -> None:
    """What was released, as it is on record, and what there is now beside it."""
    summary = next((s for s in records.summaries() if s.release_id == parent.current), None)
    if summary is None:
        raise MainstayError(
            "the release that is there is not on record",
            subject=f"platform {parent.platform}",
            found=parent.current,
            expected="a record in the cluster",
            next_step="deploy once more, then take the backup",
        )
    released = records.manifests(summary)
    live, missing = [], []
    for member in parent.members:
        found = taking.cluster.get(member.resource, member.key.namespace, member.key.name)
        if found is None:
            missing.append(str(member.key))
        else:
            live.append(backup_objects.exported(found, values=values))
    claims, _version = taking.cluster.find(CLAIM, namespace)
    document = {
        "namespace": namespace,
        "release": parent.current,
        "phase": parent.phase,
        "released": [backup_objects.exported(m, values=values) for m in released],
        "live": live,
        "claims": [backup_objects.exported(c, values=True) for c in claims],
    }
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode("utf-8")
    facts = {"objects": len(released), "claims": len(claims)}
    taking.add(Part("objects.json", OBJECTS, facts=facts), [data])
    if missing:
        taking.left_out.append(f"not there any more: {', '.join(sorted(missing))}")
    if parent.phase != DEPLOYED:
        taking.left_out.append(f"the last release is {parent.phase}: objects may be in between")


def _postgres(taking: Taking, target: Target, place: Place) -> None:
    told: list[str] = []
    roles = taking.shell.run(place, backup_stores.dump_roles(target), timeout=60.0)
    if roles.code:
        raise failed(place, roles, f"the roles of {target.name} cannot be dumped")
    part = Part(f"{target.name}.roles.sql", ROLES, target.name)
    taking.add(part, [roles.out.encode("utf-8")])
    part = Part(f"{target.name}.dump", POSTGRES, target.name, target.database)
    source = _output(taking, place, backup_stores.dump_postgres(target), told)
    written = taking.add(part, source)
    facts = backup_stores.facts_of(told[0])
    if not facts.dumped or not written.size:
        raise MainstayError(
            f"the database of {target.name} cannot be dumped",
            subject=str(place),
            found=f"{written.size} bytes, and no word of its end",
            expected="a whole dump",
            next_step="look at the last lines, mend the cause, then run again",
            evidence=tuple(line for line in told[0].splitlines() if not line.startswith("{"))[-8:],
        )
    taking.parts[-1] = replace(written, facts={**facts.values, "rows": facts.rows})


def _redis(taking: Taking, target: Target, place: Place) -> None:
    asked = taking.shell.run(place, backup_stores.ask_redis(target), timeout=60.0)
    if asked.code:
        raise failed(place, asked, f"{target.name} does not answer")
    lines = asked.out.splitlines()
    if len(lines) > 2 and lines[2] == "1":
        raise MainstayError(
            "a Redis Cluster has no dump of one moment",
            subject=str(place),
            found="cluster_enabled:1",
            expected="one server",
            next_step="leave it out of stores, and say in its backup policy why nothing is lost",
        )
    told: list[str] = []
    part = Part(f"{target.name}.rdb", REDIS, target.name)
    source = _file(_output(taking, place, backup_stores.dump_redis(target), told), place)
    written = taking.add(part, source)
    facts = {"server": lines[0] if lines else "", "keys": backup_stores.keys_of(asked.out)}
    taking.parts[-1] = replace(written, facts=facts)


#: What ends a file of Redis: an opcode and a checksum of eight bytes; a stream that is not from a
#: file ends with forty characters more, which only separate it from what would follow.
_END, _MARK = 9, 40


def _file(source: Iterable[bytes], place: Place) -> Iterator[bytes]:
    """The file that Redis sends, and nothing but it; anything else is an error sent as data."""
    held, size, head = b"", 0, b""
    for data in source:
        head = (head + data)[:5] if len(head) < 5 else head
        held += data
        size += len(data)
        yield held[: -(_END + _MARK)]
        held = held[-(_END + _MARK) :]
    marked = len(held) == _END + _MARK and re.fullmatch(rb"[0-9a-f]{40}", held[_END:])
    if marked and held[0] == 0xFF:
        held = held[:_END]
    if head != b"REDIS" or held[-_END:][:1] != b"\xff":
        raise MainstayError(
            "what Redis sent is no whole dump",
            subject=str(place),
            found=f"{size} bytes",
            expected="a file that begins with REDIS and ends with its checksum",
            next_step="look at the log of the store, then run again",
        )
    yield held


def _output(taking: Taking, place: Place, script: str, told: list[str]) -> Iterator[bytes]:
    """The output of a program while it runs; what it says beside goes to C(told).

    The program runs in a thread that waits for the reader: never more than some pieces in memory.
    """
    import queue
    import threading

    pieces: queue.Queue[Optional[bytes]] = queue.Queue(maxsize=64)
    ended = threading.Event()
    outcome: list[Any] = []

    def take(data: bytes) -> None:
        while not ended.is_set():
            try:
                pieces.put(data, timeout=0.5)
                return
            except queue.Full:
                continue
        raise OSError("nobody reads any more")

    def work() -> None:
        try:
            outcome.append(taking.shell.run(place, script, sink=take, timeout=taking.timeout))
        except Exception as error:
            outcome.append(error)
        finally:
            if not ended.is_set():
                pieces.put(None)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while (data := pieces.get()) is not None:
            yield data
    finally:
        ended.set()
    worker.join()
    done = outcome[0]
    if isinstance(done, Exception):
        raise done
    told.append(done.err)
    if done.code:
        raise failed(place, done, "the store cannot be dumped")


def _identity(cluster: Cluster) -> str:
    """Which cluster: the uid of a namespace that every cluster has exactly once, when it may be
    asked for."""
    try:
        found = cluster.get(NAMESPACE, "", "kube-system")
    except MainstayError:
        return ""
    return str((found or {}).get("metadata", {}).get("uid", ""))


def _verify(
    params: Mapping[str, Any], repository: Repository, now: datetime.datetime, check: bool
) -> tuple[list[str], dict[str, Any]]:
    listed = repository.listed()
    wanted = params.get("backup")
    labels = [e.label for e in listed if e.manifest and (not wanted or e.label == wanted)]
    if not labels:
        backup_manifest.choose(listed, str(wanted or ""), repository.platform)
    if check:
        return [], {}
    problems = {label: repository.verify(label, now) for label in labels}
    wrong = [f"{label}: {text}" for label, texts in problems.items() for text in texts]
    if wrong:
        raise _not_whole(", ".join(label for label, texts in problems.items() if texts), wrong)
    return [], {"verified": labels}


def _expire(repository: Repository, policy: Any, now: datetime.datetime, check: bool) -> list[str]:
    """By the rules of retention; only what was verified counts, and nothing good is last."""
    plan = backup_manifest.expiring(repository.listed(), policy)
    actions = [f"expire the backup {label}" for label in plan.expired]
    gone = repository.abandoned(now)
    actions += [f"remove what is left of the unfinished backup {label}" for label in gone]
    if not check:
        for label in [*plan.expired, *gone]:
            repository.expire(label)
    return actions


def entry_of(listed: Listed, now: datetime.datetime) -> dict[str, Any]:
    """A backup as results show it."""
    manifest = listed.manifest
    found: dict[str, Any] = {
        "label": listed.label,
        "verified": listed.verified,
        "verified_at": listed.verified_at,
        "problem": listed.problem,
    }
    if manifest is not None:
        age = (now - backup_manifest.moment_of(manifest.finished)).total_seconds()
        found.update(
            finished=manifest.finished,
            age=max(0.0, round(age, 1)),
            size=manifest.size,
            sealed=bool(manifest.salt),
            secrets=manifest.secrets,
            namespace=manifest.namespace,
            release_id=manifest.release_id,
            stores=list(manifest.stores),
            left_out=list(manifest.left_out),
        )
    return found


def look(params: Mapping[str, Any], repository: Optional[Repository] = None) -> Result:
    """Run k8s_backup_info: nothing but the repository is asked."""
    started = time.monotonic()
    repository = repository or backup_arguments.repository_from(params)
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    listed = repository.listed()
    entries = [entry_of(e, now) for e in listed]
    usable = [e for e in entries if e["verified"]]
    newest = min((e["age"] for e in usable), default=None)
    longest = params.get("max_age")
    facts = {
        "backups": entries,
        "newest_age": newest,
        "too_old": bool(longest) and (newest is None or newest > float(longest or 0)),
    }
    return Result(changed=False, duration=time.monotonic() - started, facts=facts)
