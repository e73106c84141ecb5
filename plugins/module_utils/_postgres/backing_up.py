# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking, marking and expiring backups."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import exclusive
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import retention, target
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.archiving import (
    await_segment,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.logical import Dumps
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    FULL,
    LOGICAL,
    Backup,
    stamp,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.verifying import (
    explain_findings,
    read_again,
)

#: Files that are named; the number of all is in the result.
SHOWN = 20
_MARK = (
    "select p.lsn, pg_walfile_name(p.lsn), pg_switch_wal() "
    "from (select pg_create_restore_point(:'point') as lsn) p"
)


def taken(context: Context) -> dict[str, Any]:
    """State C(taken)."""
    kind = context.params["type"]
    own_cluster(context)
    context.actions.append(f"take a {kind} backup of {context.store} into {context.repository}")
    if kind == LOGICAL:
        return _take_dump(context)
    known = context.engine.capabilities()
    if kind not in known.kinds:
        raise MainstayError(
            f"the engine {context.engine.name} takes no {kind} backups",
            subject="type",
            expected=" or ".join(known.kinds),
        )
    if context.check:
        return {"label": "", "kind": kind, "verified": False}
    with exclusive(context.file("backup.lock")):
        context.actions += context.engine.prepare()
        context.progress.begin(f"{kind} backup of {context.store}")
        jobs = int(context.params["jobs"])
        label = context.engine.backup(kind, jobs, context.deadline.left(), context.progress.line)
        context.kill("backup")
        item = context.engine.catalog().backup(label)
        if item is None:
            raise MainstayError("the new backup is not in the repository", subject=label)
        context.records.remember_identity(item.system_identifier)
        whole = bool(context.params["verify"]) and _verify_new(context, item)
    return {**item.as_dict(), "verified": whole}


def _verify_new(context: Context, item: Backup) -> bool:
    context.progress.begin(f"reading {item.label} again", item.repository_size)
    findings = read_again(context, [item.label], remember=True)[item.label]
    if findings:
        raise explain_findings(findings, f"{item.label} in {context.repository}")
    context.actions.append(f"read {item.label} again: it is whole")
    return True


def _take_dump(context: Context) -> dict[str, Any]:
    dumps = dumps_of(context)
    databases = dumps.databases(context.params["databases"])
    context.actions += [f"dump the database {name}" for name in databases]
    if context.check:
        return {"label": "", "kind": LOGICAL, "databases": databases, "verified": False}
    with exclusive(context.file("dump.lock")):
        document = dumps.take(databases, int(context.params["jobs"]), context.deadline)
    findings = dumps.verify(document["label"]) if context.params["verify"] else []
    if findings:
        raise explain_findings(findings, document["label"])
    jobs = int(context.params["jobs"])
    proved = databases if context.params["prove_restore"] else []
    tables = {name: dumps.prove(document["label"], name, jobs, context.deadline) for name in proved}
    context.actions += [f"restore {k} on trial: {v} tables" for k, v in tables.items()]
    return {
        "label": document["label"],
        "kind": LOGICAL,
        "databases": databases,
        "entries": document["databases"],
        "restored_tables": tables,
        "size": document["size"],
        "repository_size": document["size"],
        "verified": bool(context.params["verify"]),
    }


def dumps_of(context: Context) -> Dumps:
    """The dumps of the store; their directory has to be named."""
    if not context.dumps_root:
        raise MainstayError(
            "logical dumps need a directory",
            subject="repository.path",
            found="nothing",
            expected="a directory for dumps",
            next_step="set repository.path",
        )
    return Dumps(context.dumps_root, context.server, context.programs)


def own_cluster(context: Context) -> None:
    """Refuse a repository of another cluster."""
    control = context.server.control()
    if control is None:
        raise MainstayError(
            "there is no cluster",
            subject=context.server.place.data_directory,
            expected="a data directory of PostgreSQL",
        )
    if context.params.get("type") == LOGICAL:
        return
    theirs = context.engine.catalog().system_identifier
    if theirs and theirs != control.system_identifier:
        raise MainstayError(
            "the repository belongs to another cluster",
            subject=context.repository,
            found=f"system identifier {theirs}",
            expected=f"system identifier {control.system_identifier}",
            next_step="give this cluster a repository or a stanza of its own",
        )


def marked(context: Context) -> dict[str, Any]:
    """State C(marked): a restore point that is surely in the repository."""
    own_cluster(context)
    name = str(context.params["point"])
    _check_point(name)
    known = context.records.points()
    if name in known:
        context.actions.append(f"the restore point {name} is left as it is")
        return {"name": name, "lsn": known[name], "segment": ""}
    context.actions.append(f"make the restore point {name} and see it archived")
    if context.check:
        return {"name": name, "lsn": "", "segment": ""}
    now = context.now()
    answer = context.server.query("\n".join([f"\\set point {name}", _MARK]))
    lsn, segment, _end = answer.split("\t")
    context.records.remember_point(name, lsn, now)
    await_segment(context, segment, float(context.params["archive_timeout"]))
    return {"name": name, "lsn": lsn, "segment": segment, "time": stamp(now)}


def revived(context: Context) -> dict[str, Any]:
    """State C(revived): the repository as it was, whatever was deleted or overwritten since."""
    try:
        wanted = target.parse_target(str(context.params["moment"]))
    except ValueError as error:
        raise MainstayError(
            "the moment is not valid", subject="moment", found=str(error)
        ) from error
    if wanted.moment is None or wanted.moment > context.now():
        raise MainstayError(
            "the moment is not valid",
            subject="moment",
            found=str(context.params["moment"]),
            expected="a time in the past with its zone, such as 2026-11-20 14:03:00+00",
        )
    with exclusive(context.file("backup.lock")) if not context.check else nullcontext():
        paths = context.engine.revive(wanted.moment, check=context.check)
    context.actions += [f"bring back {path}" for path in paths[:SHOWN]]
    if len(paths) > SHOWN:
        context.actions.append(f"and {len(paths) - SHOWN} files more")
    return {"moment": stamp(wanted.moment), "files": len(paths)}


def _check_point(name: str) -> None:
    fine = name and len(name) < 64 and all(c.isalnum() or c in "_.:-" for c in name)
    if not fine or not name.isascii():
        raise MainstayError(
            "the name of the restore point is not valid",
            subject="point",
            found=repr(name),
            expected="1 to 63 letters, digits, _ . : -",
        )


def policy_from(context: Context) -> retention.Policy:
    """The policy of the arguments; all its problems at once."""
    given = {k: int(v) for k, v in (context.params["retention"] or {}).items() if v is not None}
    policy = retention.Policy(**given)
    problems = policy.problems()
    if problems:
        raise MainstayError("the retention is not valid", found="; ".join(problems))
    return policy


def expired(context: Context) -> dict[str, Any]:
    """State C(expired)."""
    policy = policy_from(context)
    catalog = context.engine.catalog()
    whole = context.records.whole(context.repository)
    plan = retention.plan_retention(catalog.backups, whole, policy)
    context.actions += [f"remove the backup {label}" for label in plan.expired]
    facts = {"kept": plan.kept, "expired": plan.expired, "wal_from": plan.wal_from}
    if context.check or not plan.expired:
        return facts
    with exclusive(context.file("backup.lock")):
        # What is kept is read once more before anything goes: a disk may have failed since.
        kept = [b.label for b in catalog.backups if b.label in plan.kept and b.kind == FULL]
        newest = kept[-1:]
        broken = {k: v for k, v in read_again(context, newest, remember=True).items() if v}
        if broken or not newest:
            findings = [f for part in broken.values() for f in part]
            raise explain_findings(findings, f"{context.repository}: nothing was removed")
        context.engine.expire(plan.expired, plan.wal_from, context.deadline.left())
    return facts
