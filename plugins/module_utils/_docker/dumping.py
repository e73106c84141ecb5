# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking, verifying, expiring and restoring dumps of a PostgreSQL in a container."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dump_plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_client import (
    Ended,
    Running,
    StoreClient,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_plan import (
    DOCUMENT,
    GLOBALS,
    Database,
    Dump,
    quoted,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    ensure_directory,
    exclusive,
    read_json,
    sync_directory,
    write_atomic,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import metrics
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import Deadline
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.logical import digest
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import stamp

Params = Mapping[str, Any]
#: Lines of a program's last words that go into an error.
EVIDENCE = 8
#: Longest answer of a catalogue query, in seconds.
QUERY = 60.0
RESTORE = "restore.json"
_LIST = "select datname from pg_database where datallowconn and not datistemplate order by 1"
_OPEN = "select datname, datallowconn from pg_database"
_ALL = "select datname from pg_database order by 1"
_FACTS = (
    "select datname, pg_database_size(oid), pg_get_userbyid(datdba), pg_encoding_to_char(encoding)"
    " from pg_database"
)
_TABLES = (
    "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where c.relkind in ('r', 'p') and c.relpersistence <> 't'"
    " and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'"
    " and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')"
)

# Each is waited for, 10 s at most (PostgreSQL 14 or newer).
_END = (
    "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity"
    " where datname = :'name' and pid <> pg_backend_pid();"
)


@dataclass
class Place:
    """The dumps of one store on this host, and its server."""

    client: StoreClient
    container: Running
    directory: str
    platform: str
    store: str
    username: str
    deadline: Deadline
    actions: list[str] = field(default_factory=list)

    def exec(self, argv: Sequence[str], what: str, limit: float = 1e9, **streams: Any) -> Ended:
        """A command in the container; anything but status 0 is an error with its last words."""
        ended = self.client.run(self.container.name, argv, self.deadline.left(limit), **streams)
        if ended.code:
            lines = [line for line in (ended.out + "\n" + ended.err).splitlines() if line.strip()]
            raise MainstayError(
                what,
                subject=f"{argv[0]} in {self.container.name}",
                found=f"exit status {ended.code}",
                expected="exit status 0",
                evidence=tuple(line[:300] for line in lines[-EVIDENCE:]),
            )
        return ended

    def sql(self, text: str, database: str = "postgres", limit: float = QUERY) -> list[list[str]]:
        """Rows of statements, which go in by standard input: command lines are open to all."""
        argv = ["psql", "-X", "-A", "-t", "-q", "-w", "-F", "\t", "-v", "ON_ERROR_STOP=1"]
        argv += ["-U", self.username, "-d", database]
        done = self.exec(argv, "the server refused a statement", limit, data=text.encode())
        return [line.split("\t") for line in done.out.splitlines() if line]

    def names(self, statement: str) -> list[str]:
        """The first column of a query."""
        return [row[0] for row in self.sql(statement)]

    def version(self) -> str:
        """The server's version, such as 17.5."""
        return self.sql("show server_version")[0][0].split()[0]

    def dumps(self) -> list[Dump]:
        """The dumps that are there, in the order they were taken."""
        found = _read_dumps(self.directory)
        strangers = [d for d in found if (d.platform, d.store) != (self.platform, self.store)]
        if strangers:
            raise MainstayError(
                "the directory holds dumps of another store",
                subject=self.directory,
                found=f"{strangers[0].platform}, {strangers[0].store}",
                expected=f"{self.platform}, {self.store}",
                next_step="give this store a directory of its own; nothing was changed",
            )
        return found

    def path(self, *parts: str) -> str:
        """A path below the directory of the dumps."""
        return os.path.join(self.directory, *parts)


def _read_dumps(directory: str) -> list[Dump]:
    found = []
    with contextlib.suppress(FileNotFoundError):
        for label in os.listdir(directory):
            path = os.path.join(directory, label, DOCUMENT)
            if dump_plan.LABEL.match(label) and os.path.exists(path):
                found.append(dump_plan.read(read_json(path), path))
    return sorted(found, key=lambda dump: dump.sequence)


def open_place(params: Params, client: StoreClient) -> Place:
    """The place of the arguments; the store must run on this host."""
    container = client.store(params["platform"], params["store"])
    if container is None:
        raise MainstayError(
            "the store does not run in Docker on this host",
            subject=f"store {params['store']} of {params['platform']}",
            found="no running container of it",
            expected="a container that deploy.yml started",
            next_step="look at status.yml; nothing was changed",
        )
    return Place(
        client=client,
        container=container,
        directory=params["directory"],
        platform=params["platform"],
        store=params["store"],
        username=params["username"],
        deadline=Deadline(float(params["timeout"])),
    )


def _result(place: Place, began: float, changed: bool, **facts: Any) -> Result:
    after = "".join(f"{action}\n" for action in place.actions)
    return Result(
        changed=changed,
        actions=place.actions,
        diff={"before": "", "after": after if changed else ""},
        duration=time.monotonic() - began,
        facts=facts,
    )


def backup(params: Params, client: StoreClient, *, check: bool) -> Result:
    """One call of docker_store_backup."""
    began = time.monotonic()
    place = open_place(params, client)
    with contextlib.nullcontext() if check else exclusive(place.path("lock")):
        if not check:
            _heal(place)
        if params["state"] == "taken":
            return _result(place, began, True, backup=_take(place, params, check))
        if params["state"] == "verified":
            found = _verify_all(place, params["labels"], check)
            return _result(place, began, False, verification=found)
        facts = _expire(place, params, check)
        return _result(place, began, bool(facts["expired"]), retention=facts)


def info(params: Params, client: StoreClient) -> Result:
    """One call of docker_store_backup_info."""
    began = time.monotonic()
    place = open_place(params, client)
    dumps = place.dumps()
    whole = [dump for dump in dumps if dump.whole]
    age = round(time.time() - whole[-1].started, 1) if whole else -1.0
    return _result(
        place,
        began,
        False,
        backups={
            "list": [dump.shown() for dump in dumps],
            "age_verified": age,
            "databases": place.names(_LIST),
            "restores": [asdict(record) for record in _records(place)],
        },
    )


def _take(place: Place, params: Params, check: bool) -> dict[str, Any]:
    known = {row[0]: row for row in place.sql(_FACTS)}
    databases = dump_plan.databases_to_dump(params["databases"], place.names(_LIST))
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
            sequence=dump_plan.sequence_of(dumps),
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
        dump = _must_be_whole(place, dump)
    if params["prove_restore"]:
        place.actions += [_prove(place, dump, name) for name in databases]
    return dump.shown()


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
        entries, tables = _listed(place, target)
        _name, size, owner, encoding = known[name]
        found[name] = Database(entries, tables, int(size), owner, encoding)
    return found


def _listed(place: Place, path: str) -> tuple[int, int]:
    done = place.exec(["pg_restore", "--list"], f"{path} cannot be listed", source=path)
    return dump_plan.tables_in(done.out)


def _findings(place: Place, dump: Dump) -> list[str]:
    """What is wrong with a dump; every file is read."""
    found = []
    for name, wanted in dump.files.items():
        path = place.path(dump.label, name)
        if not os.path.exists(path):
            found.append(f"{name}: no such file")
        elif digest(path) != wanted:
            found.append(f"{name}: SHA-256 is not {wanted[:16]}…")
    if not found:
        for name, database in dump.databases.items():
            path = place.path(dump.label, f"{name}.dump")
            if _listed(place, path) != (database.entries, database.tables):
                found.append(f"{name}.dump: another table of contents")
    return found


def _verify(place: Place, dump: Dump) -> tuple[Dump, list[str]]:
    findings = _findings(place, dump)
    read = replace(dump, verified=time.time(), whole=not findings)
    write_json(place.path(dump.label, DOCUMENT), read.as_dict())
    return read, findings


def _must_be_whole(place: Place, dump: Dump) -> Dump:
    read, findings = _verify(place, dump)
    if findings:
        raise _damaged(dump, findings)
    place.actions.append(f"read {dump.label} again: it is whole")
    return read


def _damaged(dump: Dump, findings: Sequence[str]) -> MainstayError:
    return MainstayError(
        "the dump is damaged",
        subject=f"{dump.store}, {dump.label}",
        found="; ".join(findings),
        expected="the files that were written",
        next_step="take a new one; what is not whole lets nothing else expire",
    )


def _verify_all(place: Place, labels: Sequence[str], check: bool) -> list[dict[str, Any]]:
    dumps = place.dumps()
    chosen = [dump_plan.choose(dumps, label) for label in labels] if labels else dumps
    place.actions += [f"read {dump.label} again" for dump in chosen]
    if check:
        return [{"label": dump.label, "findings": []} for dump in chosen]
    found = {dump.label: _verify(place, dump)[1] for dump in chosen}
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
    target = f"{name}__check_{dump.label.lower().replace('-', '_')}"
    try:
        tables = _restore_into(place, dump, name, target)
    finally:
        place.sql(f"drop database if exists {quoted(target)}", limit=600.0)
    return f"restore {name} of {dump.label} on trial: {tables} tables"


def _expire(place: Place, params: Params, check: bool) -> dict[str, Any]:
    policy = dump_plan.policy_of(params["retention"] or {})
    dumps = place.dumps()
    plan = dump_plan.plan_retention(dumps, policy)
    place.actions += [f"remove the dump {label}" for label in plan.expired]
    facts = {"kept": plan.kept, "expired": plan.expired}
    if check or not plan.expired:
        return facts
    # What is kept is read once more before anything goes: a disk may have failed since.
    kept = [dump for dump in dumps if dump.label in plan.kept and dump.whole]
    for dump in kept[-1:]:
        _must_be_whole(place, dump)
    for label in plan.expired:
        # Without its description it is no dump any more, whatever a kill leaves of the rest.
        os.unlink(place.path(label, DOCUMENT))
        shutil.rmtree(place.path(label))
    return facts


def restore(params: Params, client: StoreClient, *, check: bool) -> Result:
    """One call of docker_store_restore."""
    began = time.monotonic()
    place = open_place(params, client)
    verb = {"restored": "restore", "undone": "undo", "settled": "settle"}[params["state"]]
    words = dump_plan.confirmation(verb, place.platform)
    if not check and params["confirm"] != words:
        raise MainstayError(
            "the confirmation is missing",
            subject="confirm",
            found=repr(params["confirm"] or ""),
            expected=repr(words),
            next_step="run it in check mode, read the plan, then confirm it; nothing was changed",
        )
    with contextlib.nullcontext() if check else exclusive(place.path("lock")):
        if not check:
            _heal(place)
        if params["state"] == "restored":
            facts = _restore(place, params, check)
        elif params["state"] == "undone":
            facts = _undo(place, check)
        else:
            facts = _settle(place, check)
    facts["confirmation"] = words
    return _result(place, began, True, restore=facts)


def _restore(place: Place, params: Params, check: bool) -> dict[str, Any]:
    dump = dump_plan.choose(place.dumps(), params["label"])
    database = params["database"] or next(iter(dump.databases), "")
    now = time.time()
    run = datetime.fromtimestamp(now, timezone.utc).strftime("%Y%m%dT%H%M%S")
    existing = place.names(_ALL)
    plan = dump_plan.plan_restore(dump, database, run, existing, _free(place), place.version())
    findings = _findings(place, dump)
    if findings:
        raise _damaged(dump, findings)
    missing, statements = dump_plan.missing_roles(_text_of(place, dump), _roles(place))
    place.actions += [f"make the role {name}, which the server does not have" for name in missing]
    place.actions += plan.actions
    facts = {
        "label": dump.label,
        "database": database,
        "old_database": plan.old if database in existing else "",
        "recovered_to": dump.shown()["started"],
        "lost": dump_plan.lost_since(dump, now),
        "tables": plan.tables,
    }
    if check:
        return facts
    if statements:
        place.sql("\n".join(statements))
    record = dump_plan.Record(dump.label, database, plan.fresh, facts["old_database"], _now(now))
    _remember(place, [*_records(place), record])
    try:
        tables = _restore_into(place, dump, database, plan.fresh)
        if tables != plan.tables:
            raise MainstayError(
                "the restored database is not what was dumped",
                subject=plan.fresh,
                found=f"{tables} tables",
                expected=f"{plan.tables} tables",
                next_step="the present database is untouched",
            )
    except BaseException:
        place.sql(f"drop database if exists {quoted(plan.fresh)}", limit=600.0)
        raise
    facts["lost"] = dump_plan.lost_since(dump, time.time())
    _exchange(place, database, plan.fresh, plan.old)
    return facts


def _restore_into(place: Place, dump: Dump, name: str, target: str) -> int:
    """Restore a database of a dump as C(target), which must not exist; the number of its tables."""
    source, path = dump.databases[name], place.path(dump.label, f"{name}.dump")
    made = f"create database {quoted(target)} template template0 encoding '{source.encoding}'"
    if source.owner in _roles(place):
        made += f" owner {quoted(source.owner)}"
    place.sql(made, limit=600.0)
    user = ["-U", place.username, "-w"]
    argv = ["pg_restore", *user, "--exit-on-error", "-d", target]
    place.exec(argv, f"the dump of {name} cannot be restored", source=path)
    argv = ["pg_restore", "--create", "--schema-only", "-f", "-"]
    script = place.exec(argv, f"the dump of {name} cannot be read", source=path).out
    for statement in dump_plan.properties(script, name, target):
        place.sql(statement)
    place.sql("analyze", target, limit=3600.0)
    return int(place.sql(_TABLES, target)[0][0])


def _exchange(place: Place, database: str, fresh: str, old: str) -> None:
    """Let C(fresh) take the name of C(database), which becomes C(old), in one transaction.

    Nobody may come in between; when that fails the database serves again as it was.
    """
    there = database in place.names(_ALL)
    steps = [f"alter database {quoted(fresh)} rename to {quoted(database)}"]
    if there:
        steps.insert(0, f"alter database {quoted(database)} rename to {quoted(old)}")
        place.sql(f"alter database {quoted(database)} with allow_connections false")
    try:
        for name in (database, fresh) if there else (fresh,):
            place.sql(f"\\set name {name}\n{_END}")
        place.sql("begin;\n" + ";\n".join(steps) + ";\ncommit;")
    finally:
        # The same whether the names have changed or not: what has the name serves, and so can what
        # was put aside, to be looked at.
        for name in place.names(_ALL):
            if name in (database, old):
                place.sql(f"alter database {quoted(name)} with allow_connections true")


def _undo(place: Place, check: bool) -> dict[str, Any]:
    known = _records(place)
    record = dump_plan.to_undo(known, place.names(_ALL))
    aside = f"{record.database}__was_{record.old.rpartition('_')[2]}"
    place.actions.append(
        f"let {record.old} be {record.database} again; what was restored stays as {aside}"
    )
    if not check:
        _exchange(place, record.database, record.old, aside)
        _remember(place, [r if r != record else replace(r, old=aside, undone=True) for r in known])
    return {"label": record.label, "database": record.database, "old_database": aside}


def _settle(place: Place, check: bool) -> dict[str, Any]:
    """Drop what restores have put aside."""
    known, existing = _records(place), place.names(_ALL)
    dump_plan.to_undo(known, existing)
    going = [record for record in known if record.old in existing]
    for record in going:
        place.actions.append(f"drop {record.old}, put aside by the restore of {record.label}")
        if not check:
            place.sql(f"drop database {quoted(record.old)}", limit=600.0)
    last = going[-1]
    return {"label": last.label, "database": last.database, "old_database": ""}


def _heal(place: Place) -> None:
    """What a killed restore left: a half restored database goes, a closed one opens."""
    existing = {row[0]: row[1] == "t" for row in place.sql(_OPEN)}
    drop, opened = dump_plan.heal(_records(place), existing)
    for name in drop:
        place.sql(f"drop database {quoted(name)}", limit=600.0)
        place.actions.append(f"drop {name}, which an interrupted restore left behind")
    for name in opened:
        place.sql(f"alter database {quoted(name)} with allow_connections true")
        place.actions.append(f"open {name}, which an interrupted restore had closed")


def _records(place: Place) -> list[dump_plan.Record]:
    return dump_plan.records(read_json(place.path(RESTORE)))


def _remember(place: Place, known: Sequence[dump_plan.Record]) -> None:
    write_json(place.path(RESTORE), {"restores": [asdict(record) for record in known]})


def _roles(place: Place) -> list[str]:
    return place.names("select rolname from pg_roles")


def write_metrics(params: Params, directory: str, fine: bool) -> None:
    """The status file for node_exporter: what is there, whatever the last run did."""
    home = params["directory"]
    dumps = _read_dumps(home)
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


def _text_of(place: Place, dump: Dump) -> str:
    with open(place.path(dump.label, GLOBALS), encoding="utf-8") as handle:
        return handle.read()


def _free(place: Place) -> int:
    """Bytes that are free where the server keeps its data."""
    home = place.sql("show data_directory")[0][0]
    done = place.exec(["df", "-Pk", home], "the free space cannot be told", QUERY)
    return int(done.out.splitlines()[-1].split()[3]) * 1024


def _now(seconds: float) -> str:
    return str(stamp(datetime.fromtimestamp(int(seconds), timezone.utc)))
