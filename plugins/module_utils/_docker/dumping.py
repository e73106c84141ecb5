# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking, verifying, trying and expiring dumps of a PostgreSQL in a container."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dump_plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_away import (
    Repository,
    repositories,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_client import (
    StoreClient,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_place import (
    Params,
    Place,
    listed,
    must_be_whole,
    open_place,
    read_dumps,
    verify,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_plan import (
    DOCUMENT,
    GLOBALS,
    Database,
    Dump,
    quoted,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_restoring import (
    aside,
    heal,
    records,
    restore_into,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    ensure_directory,
    exclusive,
    sync_directory,
    write_atomic,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    metrics,
    retention,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.logical import digest

_LIST = "select datname from pg_database where datallowconn and not datistemplate order by 1"
_FACTS = (
    "select datname, pg_database_size(oid), pg_get_userbyid(datdba), pg_encoding_to_char(encoding)"
    " from pg_database"
)


def backup(params: Params, client: StoreClient, *, check: bool) -> Result:
    """One call of docker_store_backup."""
    began = time.monotonic()
    place = open_place(params, client)
    with contextlib.nullcontext() if check else exclusive(place.path("lock")):
        if not check:
            heal(place)
        if params["state"] == "taken":
            return place.result(began, True, backup=_take(place, params, check))
        if params["state"] == "verified":
            found = _verify_all(place, params["labels"], check)
            return place.result(began, False, verification=found)
        facts = _expire(place, params, check)
        changed = bool(facts["expired"] or any(facts["copies"].values()))
        return place.result(began, changed, retention=facts)


def info(params: Params, client: StoreClient) -> Result:
    """One call of docker_store_backup_info."""
    began = time.monotonic()
    place = open_place(params, client)
    dumps = place.dumps()
    whole = [dump for dump in dumps if dump.whole]
    age = round(time.time() - whole[-1].started, 1) if whole else -1.0
    there = {repository.name: _labels_there(repository) for repository in place.repositories}
    return place.result(
        began,
        False,
        backups={
            "list": [dump.shown() for dump in dumps],
            "age_verified": age,
            "databases": place.names(_LIST),
            "restores": [asdict(record) for record in records(place)],
            "copies": {name: labels for name, (labels, _silent) in there.items()},
            "silent": {name: silent for name, (_labels, silent) in there.items()},
        },
    )


def _take(place: Place, params: Params, check: bool) -> dict[str, Any]:
    known = {row[0]: row for row in place.sql(_FACTS)}
    databases = dump_plan.databases_to_dump(params["databases"], place.names(_LIST), aside(place))
    place.actions += [f"dump the database {name} of {place.store}" for name in databases]
    dumps = place.dumps()
    _room(place, sum(int(known[name][1]) for name in databases), dumps)
    if check:
        return {"label": "", "kind": "logical", "databases": databases, "verified": None}
    started = time.time()
    moment = datetime.fromtimestamp(started, timezone.utc)
    label = dump_plan.label_of(moment, os.listdir(place.directory))
    partial = place.path(f".{label}.partial")
    _remove_partial(place)
    ensure_directory(partial)
    try:
        found = _dump(place, partial, databases, known)
        files = {name: digest(os.path.join(partial, name)) for name in sorted(os.listdir(partial))}
        dump = Dump(
            label=label,
            platform=place.platform,
            store=place.store,
            sequence=dump_plan.sequence_of(dumps, started),
            started=started,
            stopped=time.time(),
            version=place.version(),
            image=place.container.image,
            databases=found,
            files=files,
            size=sum(os.path.getsize(os.path.join(partial, name)) for name in files),
        )
        write_json(os.path.join(partial, DOCUMENT), dump.as_dict())
        os.rename(partial, place.path(label))
        sync_directory(place.directory)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    if params["verify"]:
        dump = must_be_whole(place, dump)
    if params["prove_restore"]:
        place.actions += [_prove(place, dump, name) for name in databases]
    _copy(place)
    return dump.shown()


def _copy(place: Place) -> None:
    """Copy every dump that is whole to each repository that does not have it."""
    whole = [dump for dump in place.dumps() if dump.whole]
    problems = []
    for repository in place.repositories:
        try:
            there = {dump.label for dump in repository.dumps()}
            for dump in whole:
                if dump.label not in there:
                    repository.put(place.directory, dump)
                    place.actions.append(f"copy {dump.label} to {repository.name}")
        except MainstayError as error:
            problems.append(f"{repository.name}: {error}")
    if problems:
        raise MainstayError(
            "dumps are here, but not everywhere they should be",
            subject=place.directory,
            found="; ".join(problems),
            expected="a copy of every verified dump in each repository",
            next_step="mend what is named; the next run copies what is missing",
        )


def _labels_there(repository: Repository) -> tuple[list[str], str]:
    """Labels of the copies, and why they are not known when the repository does not tell them."""
    try:
        return [dump.label for dump in repository.dumps()], ""
    except MainstayError as error:
        return [], f"{repository.name}: {error.what}, {error.found}"


def _room(place: Place, needed: int, dumps: Sequence[Dump]) -> None:
    """Refuse a dump that would fill the disk: the last one tells more than the server's size."""
    if dumps:
        needed = min(needed, 2 * dumps[-1].size)
    home = place.directory
    while not os.path.isdir(home):
        home = os.path.dirname(home)
    free = shutil.disk_usage(home).free
    if free < needed:
        raise MainstayError(
            "there is no room for a dump",
            subject=place.directory,
            found=f"{free} bytes free",
            expected=f"{needed} bytes, twice the last dump or the size of the databases",
            next_step="make room; no dump was removed",
        )


def _remove_partial(place: Place) -> None:
    """What a killed run left behind was never a dump."""
    for name in os.listdir(place.directory):
        if name.startswith(".") and name.endswith(".partial"):
            shutil.rmtree(place.path(name))
            place.actions.append(f"remove {name}, which an interrupted run left behind")


def _dump(
    place: Place, partial: str, databases: Sequence[str], known: Mapping[str, list[str]]
) -> dict[str, Database]:
    user = ["-U", place.username, "-w"]
    target = os.path.join(partial, GLOBALS)
    argv = ["pg_dumpall", *user, "-l", "postgres", "--globals-only"]
    place.exec(argv, "the roles cannot be dumped", target=target)
    found = {}
    for name in databases:
        target = os.path.join(partial, f"{name}.dump")
        argv = ["pg_dump", *user, "-F", "custom", "--lock-wait-timeout=60s", "-d", name]
        place.exec(argv, f"the database {name} cannot be dumped", target=target)
        entries, tables = listed(place, target)
        _name, size, owner, encoding = known[name]
        found[name] = Database(entries, tables, int(size), owner, encoding)
    return found


def _verify_all(place: Place, labels: Sequence[str], check: bool) -> list[dict[str, Any]]:
    dumps = place.dumps()
    chosen = [dump_plan.choose(dumps, label) for label in labels] if labels else dumps
    place.actions += [f"read {dump.label} again" for dump in chosen]
    if check:
        return [{"label": dump.label, "findings": []} for dump in chosen]
    found = {dump.label: verify(place, dump)[1] for dump in chosen}
    for repository in place.repositories:
        there, silent = _labels_there(repository)
        for label in sorted(set(found) - set(there)):
            found[label].append(silent or f"no complete copy in {repository.name}")
    broken = [f"{label}: {', '.join(items)}" for label, items in found.items() if items]
    if broken or not chosen:
        raise MainstayError(
            "dumps are damaged" if broken else "there is no dump",
            subject=place.directory,
            found="; ".join(broken) or "none",
            expected="whole dumps",
            next_step="take a new one with docker_backup.yml",
        )
    return [{"label": label, "findings": items} for label, items in found.items()]


def _prove(place: Place, dump: Dump, name: str) -> str:
    """Restore one database under a name of its own, count its tables, drop it."""
    target = dump_plan.trial_name(name, dump.label)
    try:
        tables = restore_into(place, dump, name, target)
    finally:
        place.last_chance()
        place.sql(f"drop database if exists {quoted(target)}", limit=600.0)
    return f"restore {name} of {dump.label} on trial: {tables} tables"


def _expire(place: Place, params: Params, check: bool) -> dict[str, Any]:
    policy = dump_plan.policy_of(params["retention"] or {})
    dumps = place.dumps()
    plan = dump_plan.plan_retention(dumps, policy)
    place.actions += [f"remove the dump {label}" for label in plan.expired]
    going = [
        (repository, _expired_there(repository, policy, plan.kept))
        for repository in place.repositories
    ]
    for repository, labels in going:
        place.actions += [f"remove the copy {label} from {repository.name}" for label in labels]
    facts = {
        "kept": plan.kept,
        "expired": plan.expired,
        "copies": {repository.name: labels for repository, labels in going},
    }
    if check or not (plan.expired or any(labels for _repository, labels in going)):
        return facts
    # What is kept is read once more before anything goes: a disk may have failed since.
    kept = [dump for dump in dumps if dump.label in plan.kept and dump.whole]
    for dump in kept[-1:]:
        must_be_whole(place, dump)
    for label in plan.expired:
        # Without its description it is no dump any more, whatever a kill leaves of the rest.
        os.unlink(place.path(label, DOCUMENT))
        shutil.rmtree(place.path(label))
    for repository, labels in going:
        for label in labels:
            repository.remove(label)
    return facts


def _expired_there(
    repository: Repository, policy: retention.Policy, here: Collection[str]
) -> list[str]:
    """Copies that go by the same rules, each repository for itself: a lost host's count too.

    What stays on the host stays there as well, or the next run would copy it again.
    """
    expired = dump_plan.plan_retention(repository.dumps(), policy).expired
    return [label for label in expired if label not in here]


def write_metrics(params: Params, directory: str, fine: bool) -> None:
    """The status file for node_exporter: what is there, whatever the last run did."""
    home = params["directory"]
    dumps = read_dumps(home)
    whole = [dump for dump in dumps if dump.whole]
    status = metrics.Status(
        platform=params["platform"],
        store=params["store"],
        repository="dumps",
        ok=fine,
        last_full=dumps[-1].stopped if dumps else None,
        last_verified=whole[-1].stopped if whole else None,
        verified_at=max((dump.verified or 0.0 for dump in whole), default=None),
        size=sum(d.size for d in dumps[-1].databases.values()) if dumps else None,
        repository_size=dumps[-1].size if dumps else None,
        backups=len(dumps),
    )
    path = os.path.join(directory, f"mainstay_{params['store']}_dumps.prom")
    write_atomic(path, metrics.render(status).encode(), 0o644)
    for repository in repositories(params["repositories"], params["platform"], params["store"]):
        try:
            copies, answers = repository.dumps(), True
        except MainstayError:
            copies, answers = [], False
        status = metrics.Status(
            platform=params["platform"],
            store=params["store"],
            repository=repository.name,
            ok=answers and bool(whole) and whole[-1].label in [dump.label for dump in copies],
            last_full=copies[-1].stopped if copies else None,
            backups=len(copies) if answers else None,
        )
        path = os.path.join(directory, f"mainstay_{params['store']}_{repository.name}.prom")
        write_atomic(path, metrics.render(status).encode(), 0o644)
