# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring a dump of a store in Docker beside the serving database, and the way back."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dump_plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_away import Repository
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_client import (
    StoreClient,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_place import (
    EVERY,
    QUERY,
    Params,
    Place,
    damaged,
    findings_of,
    open_place,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_plan import (
    GLOBALS,
    Dump,
    quoted,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    exclusive,
    read_json,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import stamp

RESTORE = "restore.json"
_OPEN = "select datname, datallowconn from pg_database"
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
            heal(place)
        if params["state"] == "restored":
            facts = _restore(place, params, check)
        elif params["state"] == "undone":
            facts = _undo(place, check)
        else:
            facts = _settle(place, check)
    facts["confirmation"] = words
    return place.result(began, True, restore=facts)


def _restore(place: Place, params: Params, check: bool) -> dict[str, Any]:
    dump, sources = _source(place, params["label"])
    database = params["database"] or next(iter(dump.databases), "")
    now = time.time()
    run = datetime.fromtimestamp(now, timezone.utc).strftime("%Y%m%dT%H%M%S")
    existing = place.names(EVERY)
    plan = dump_plan.plan_restore(dump, database, run, existing, _free(place), place.version())
    _fetch(place, dump, sources, check)
    statements = [] if sources and check else _whole_and_roles(place, dump)
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
    _remember(place, [*records(place), record])
    try:
        tables = restore_into(place, dump, database, plan.fresh)
        if tables != plan.tables:
            raise MainstayError(
                "the restored database is not what was dumped",
                subject=plan.fresh,
                found=f"{tables} tables",
                expected=f"{plan.tables} tables",
                next_step="the present database is untouched",
            )
    except BaseException:
        place.last_chance()
        place.sql(f"drop database if exists {quoted(plan.fresh)}", limit=600.0)
        raise
    facts["lost"] = dump_plan.lost_since(dump, time.time())
    _exchange(place, database, plan.fresh, plan.old)
    return facts


def _source(place: Place, label: str) -> tuple[Dump, list[Repository]]:
    """The dump that is meant, and the repositories that have it when it is not here."""
    here = place.dumps()
    if any(dump.label == label for dump in here):
        return dump_plan.choose(here, label), []
    away: dict[str, tuple[Dump, list[Repository]]] = {}
    silent: list[MainstayError] = []
    for repository in place.repositories:
        try:
            found = repository.dumps()
        except MainstayError as error:
            silent.append(error)
            place.actions.append(f"leave out {repository.name}: {error.what}, {error.found}")
            continue
        for dump in found:
            away.setdefault(dump.label, (dump, []))[1].append(repository)
    for dump in here:
        away.pop(dump.label, None)
    known = [*here, *(dump for dump, _repositories in away.values())]
    fitting = [dump for dump in known if (dump.whole if label == "latest" else dump.label == label)]
    if silent and not fitting:
        # Whether there is such a dump is not known: that is another thing than that there is none.
        raise silent[0]
    chosen = dump_plan.choose(known, label)
    return chosen, away[chosen.label][1] if chosen.label in away else []


def _fetch(place: Place, dump: Dump, sources: Sequence[Repository], check: bool) -> None:
    """Bring the dump here from the first of its repositories whose copy is whole."""
    for number, repository in enumerate(sources, 1):
        place.actions.append(f"fetch {dump.label} from {repository.name}")
        if check:
            return
        try:
            repository.fetch(dump, place.directory)
        except MainstayError as error:
            if number == len(sources):
                raise
            place.actions.append(f"leave out {repository.name}: {error.what}, {error.found}")
        else:
            return


def _whole_and_roles(place: Place, dump: Dump) -> list[str]:
    """Statements for the roles that the server lacks; an error when the dump is not whole."""
    findings = findings_of(place, dump)
    if findings:
        raise damaged(dump, findings)
    missing, statements = dump_plan.missing_roles(_text_of(place, dump), _roles(place))
    place.actions += [f"make the role {name}, which the server does not have" for name in missing]
    return statements


def restore_into(place: Place, dump: Dump, name: str, target: str) -> int:
    """Restore a database of a dump as C(target), which must not exist; the number of its tables."""
    source, path = dump.databases[name], place.path(dump.label, f"{name}.dump")
    made = f"create database {quoted(target)} template template0 encoding '{source.encoding}'"
    if source.owner in _roles(place):
        made += f" owner {quoted(source.owner)}"
    place.sql(made, limit=600.0)
    user = ["-U", place.username, "-w"]
    argv = ["pg_restore", *user, "--exit-on-error", "-d", target]
    place.exec(argv, f"the dump of {name} cannot be restored", source=path)
    # A schema that nobody can have made leaves what belongs to the database itself, and nothing of
    # what its users wrote: the statements below run with all rights.
    nothing = f"none_{secrets.token_hex(12)}"
    argv = ["pg_restore", "--create", "--schema-only", "-n", nothing, "-f", "-"]
    script = place.exec(argv, f"the dump of {name} cannot be read", source=path).out
    for statement in dump_plan.properties(script, name, target):
        place.sql(statement)
    place.sql("analyze", target, limit=3600.0)
    return int(place.sql(_TABLES, target)[0][0])


def _exchange(place: Place, database: str, fresh: str, old: str) -> None:
    """Let C(fresh) take the name of C(database), which becomes C(old), in one transaction.

    Nobody may come in between; when that fails the database serves again as it was.
    """
    there = database in place.names(EVERY)
    steps = [f"alter database {quoted(fresh)} rename to {quoted(database)}"]
    if there:
        steps.insert(0, f"alter database {quoted(database)} rename to {quoted(old)}")
        place.sql(f"alter database {quoted(database)} with allow_connections false")
    try:
        for name in (database, fresh) if there else (fresh,):
            place.sql(f"\\set name {name}\n{_END}")
        place.sql("begin;\n" + ";\n".join(steps) + ";\ncommit;")
    finally:
        place.last_chance()
        # The same whether the names have changed or not: what has the name serves, and so can what
        # was put aside, to be looked at.
        for name in place.names(EVERY):
            if name in (database, old):
                place.sql(f"alter database {quoted(name)} with allow_connections true")


def _undo(place: Place, check: bool) -> dict[str, Any]:
    known = records(place)
    record = dump_plan.to_undo(known, place.names(EVERY))
    aside = dump_plan.was_name(record)
    place.actions.append(
        f"let {record.old} be {record.database} again; what was restored stays as {aside}"
    )
    if not check:
        _exchange(place, record.database, record.old, aside)
        _remember(place, [r if r != record else replace(r, old=aside, undone=True) for r in known])
    return {"label": record.label, "database": record.database, "old_database": aside}


def _settle(place: Place, check: bool) -> dict[str, Any]:
    """Drop what restores have put aside."""
    known, existing = records(place), place.names(EVERY)
    dump_plan.to_undo(known, existing)
    going = [record for record in known if record.old in existing]
    for record in going:
        place.actions.append(f"drop {record.old}, put aside by the restore of {record.label}")
        if not check:
            place.sql(f"drop database {quoted(record.old)}", limit=600.0)
    last = going[-1]
    return {"label": last.label, "database": last.database, "old_database": ""}


def heal(place: Place) -> None:
    """What a killed restore left: a half restored database goes, a closed one opens."""
    existing = {row[0]: row[1] == "t" for row in place.sql(_OPEN)}
    drop, opened = dump_plan.heal(records(place), existing)
    drop += dump_plan.trials(place.dumps(), list(existing))
    for name in drop:
        place.sql(f"drop database {quoted(name)}", limit=600.0)
        place.actions.append(f"drop {name}, which an interrupted run left behind")
    for name in opened:
        place.sql(f"alter database {quoted(name)} with allow_connections true")
        place.actions.append(f"open {name}, which an interrupted restore had closed")


def records(place: Place) -> list[dump_plan.Record]:
    """The restores of the store, the newest last."""
    return dump_plan.records(read_json(place.path(RESTORE)))


def aside(place: Place) -> list[str]:
    """Databases that restores of ours made or put aside, or would: no dump needs them."""
    found = [(r.fresh, r.old, dump_plan.was_name(r)) for r in records(place)]
    return [name for names in found for name in names if name]


def _remember(place: Place, known: Sequence[dump_plan.Record]) -> None:
    write_json(place.path(RESTORE), {"restores": [asdict(record) for record in known]})


def _roles(place: Place) -> list[str]:
    return place.names("select rolname from pg_roles")


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
