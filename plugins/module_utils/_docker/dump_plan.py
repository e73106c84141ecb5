# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps of a PostgreSQL in a container: what one holds, which stay, how one comes back. Pure.

A dump is a directory C(<label>/) with C(globals.sql), one file C(<database>.dump) in the custom
format for each database, and C(dump.json), which is written last: without it there is no dump.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import retention
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.types import (
    FULL,
    Backup,
    stamp,
)

DOCUMENT = "dump.json"
GLOBALS = "globals.sql"
#: NAMEDATALEN of PostgreSQL is 64 with its end; the longest suffix of ours takes 24 of it.
LONGEST_NAME = 63
_SAFE = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,35}$")
LABEL = re.compile(r"^[0-9]{8}T[0-9]{6}Z(-[0-9]+)?$")
#: A table itself: its row of pg_class (1259) is named; data and partitions attached have none.
_TABLE = re.compile(r"^[0-9]+; 1259 [0-9]+ TABLE ")
_NAME = r'"(?:[^"]|"")+"|[^ ;"]+'
_ROLE = re.compile(rf"^(?:CREATE|ALTER) ROLE (?P<name>{_NAME})(?: |$)")
#: One piece of a script of pg_dump or pg_dumpall: a comment, something quoted (they double
#: quotes, also within E''), a body between dollars, the end of a statement, or anything else.
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<quoted>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag))"
    r"|(?P<end>;)"
    r"|(?P<meta>\\[^\n]*)"
    r"|(?P<space>\s+)"
    r"|(?P<broken>['\"]|/\*)"
    r"|(?P<other>\w+|.)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Database:
    """One database of a dump: entries of its table of contents, its tables, bytes it had."""

    entries: int
    tables: int
    size: int
    owner: str = ""
    encoding: str = "UTF8"


@dataclass(frozen=True)
class Dump:
    """What C(dump.json) says. Times are seconds since 1970, C(sequence) counts a store's dumps.

    C(files) are SHA-256 sums by file name; C(verified) is when all of them were last read again,
    C(whole) whether they were right then.
    """

    label: str
    platform: str
    store: str
    sequence: int
    started: float
    stopped: float
    version: str
    image: str
    databases: dict[str, Database]
    files: dict[str, str]
    size: int
    verified: Optional[float] = None
    whole: Optional[bool] = None

    def as_dict(self) -> dict[str, Any]:
        """The document."""
        return asdict(self)

    def shown(self) -> dict[str, Any]:
        """What results show: times as text, no sums."""
        return {
            "label": self.label,
            "kind": "logical",
            "started": _text(self.started),
            "stopped": _text(self.stopped),
            "size": self.size,
            "version": self.version,
            "databases": {name: asdict(found) for name, found in self.databases.items()},
            "verified": _text(self.verified) if self.whole else None,
        }


@dataclass(frozen=True)
class Restore:
    """How one database of a dump comes back.

    It is restored under C(fresh), beside the old one, which keeps its data under C(old) when the
    two change places.
    """

    label: str
    database: str
    fresh: str
    old: str
    tables: int
    needed: int
    actions: list[str] = field(default_factory=list)


def _text(seconds: Optional[float]) -> Optional[str]:
    return None if seconds is None else stamp(datetime.fromtimestamp(seconds, timezone.utc))


def read(document: Any, path: str) -> Dump:
    """The dump of a document; an error names what is wrong with it."""
    try:
        if not isinstance(document, dict):
            raise ValueError("no object")
        databases = {str(k): Database(**v) for k, v in document["databases"].items()}
        found = Dump(**{**document, "databases": databases})
        if not LABEL.match(found.label) or not found.files:
            raise ValueError("no label, or no files")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MainstayError(
            "the description of a dump cannot be read",
            subject=path,
            found=f"{type(error).__name__}: {error}",
            expected="a document that this module wrote",
            next_step="move the directory aside; nothing was changed",
        ) from error
    return found


def label_of(moment: datetime, taken: Sequence[str]) -> str:
    """A label that no dump has: the second it began, and a number when that is taken."""
    first = f"{moment.astimezone(timezone.utc):%Y%m%dT%H%M%SZ}"
    number, found = 1, first
    while found in taken:
        number += 1
        found = f"{first}-{number}"
    return found


def sequence_of(dumps: Sequence[Dump], now: float) -> int:
    """The number of the next dump: more than any before, whatever the clock says.

    It is the second it began at unless that is behind the last one, so that a host made anew goes
    on behind the copies that the lost one left elsewhere.
    """
    return max([int(now), *(dump.sequence + 1 for dump in dumps)])


def databases_to_dump(
    wanted: Sequence[str], known: Sequence[str], aside: Sequence[str] = ()
) -> list[str]:
    """The databases to dump: C(wanted), or all but C(aside), which restores of ours made.

    All that cannot be dumped are refused together.
    """
    unknown = [name for name in wanted if name not in known]
    chosen = list(dict.fromkeys(wanted)) or [name for name in known if name not in aside]
    unsafe = [name for name in chosen if not _SAFE.match(name)]
    if unknown or unsafe or not chosen:
        raise MainstayError(
            "databases cannot be dumped",
            subject=", ".join(dict.fromkeys([*unknown, *unsafe])) or "all",
            found=f"databases {', '.join(known) or 'none'}",
            expected="names of databases, of up to 36 letters, digits, _ . -",
            next_step="name the databases to dump in databases",
        )
    return chosen


def tables_in(listing: str) -> tuple[int, int]:
    """(entries, tables) of what C(pg_restore --list) printed."""
    lines = [line for line in listing.splitlines() if line.strip() and not line.startswith(";")]
    return len(lines), sum(1 for line in lines if _TABLE.match(line))


def plan_retention(dumps: Sequence[Dump], policy: retention.Policy) -> retention.Plan:
    """Which dumps stay: grandfather, father, son over those that were read again and are whole.

    The rules are those of physical backups; the order of the dumps stands for the WAL.
    """
    known = {dump.label: dump.whole for dump in dumps if dump.whole is not None}
    return retention.plan_retention([_as_backup(d) for d in dumps], known, policy)


def _as_backup(dump: Dump) -> Backup:
    place, segment = f"0/{dump.sequence:X}", "1".rjust(8, "0") + "0" * 16
    return Backup(
        label=dump.label,
        kind=FULL,
        started=datetime.fromtimestamp(dump.started, timezone.utc),
        stopped=datetime.fromtimestamp(dump.stopped, timezone.utc),
        size=dump.size,
        repository_size=dump.size,
        wal_start=segment,
        wal_stop=segment,
        lsn_start=place,
        lsn_stop=place,
        system_identifier="",
        version=dump.version,
    )


def choose(dumps: Sequence[Dump], label: str) -> Dump:
    """The dump called C(label), or the newest that is known to be whole for C(latest)."""
    ordered = sorted(dumps, key=lambda dump: dump.sequence)
    whole = [dump for dump in ordered if dump.whole]
    if label == "latest":
        found = whole[-1:]
    else:
        found = [dump for dump in ordered if dump.label == label]
    if not found:
        raise MainstayError(
            "there is no such dump",
            subject="label",
            found=label,
            expected=", ".join(["latest", *(dump.label for dump in ordered)])
            if whole
            else "a verified dump; there is none",
            next_step="choose one of these, or take one first; nothing was changed",
        )
    return found[0]


def plan_restore(
    dump: Dump, database: str, stamp_of_run: str, existing: Sequence[str], free: int, version: str
) -> Restore:
    """The restore of one database, checked; C(free) are bytes, C(version) the server's.

    Every problem is told at once; nothing was changed by then.
    """
    short = stamp_of_run.lower().replace("-", "_")
    fresh, old = f"{database}__new_{short}", f"{database}__old_{short}"
    source = dump.databases.get(database)
    problems = []
    if source is None:
        problems.append(f"the dump has no database {database}, but {', '.join(dump.databases)}")
    for name in (fresh, old):
        if name in existing:
            problems.append(f"the database {name} is there already")
        if len(name) > LONGEST_NAME:
            problems.append(f"the name {name} is longer than {LONGEST_NAME} characters")
    if _major(version) < _major(dump.version):
        problems.append(f"the server is {version}, older than {dump.version} of the dump")
    # Indexes are built anew and WAL is written: as much again as the data had.
    needed = 2 * source.size if source else 0
    if free < needed:
        problems.append(f"{free} bytes are free where the data is, {needed} are needed")
    if problems:
        raise MainstayError(
            "the dump cannot be restored",
            subject=f"{dump.label}, {database}",
            found="; ".join(problems),
            expected="a dump of this database, a server as new, and room for a second copy",
            next_step="nothing was changed",
        )
    actions = [
        f"restore {database} of {dump.label} as {fresh}, beside the present one",
        f"compare its {source.tables if source else 0} tables with the dump",
    ]
    if database in existing:
        actions.append(f"let the two change places; the data of now stays as {old}")
    else:
        actions.append(f"name it {database}; there is none of that name now")
    tables = source.tables if source else 0
    return Restore(dump.label, database, fresh, old, tables, needed, actions)


def _major(version: str) -> int:
    match = re.match(r"[0-9]+", version)
    return int(match.group(0)) if match else 0


def split(script: str) -> list[str]:
    """The statements of a script that pg_dump or pg_dumpall wrote, without their last semicolon.

    Text within quotes belongs to its statement, whatever it looks like: a setting of a role or the
    body of a function may hold lines that read like statements, and those must never be run.
    """
    found, statement = [], ""
    for token in _TOKEN.finditer(script):
        if token["broken"] is not None:
            raise MainstayError(
                "a script of the dump cannot be read",
                subject="the statements of the dump",
                found=f"a quote without an end, {token.start()} characters from the start",
                expected="what pg_dump and pg_dumpall write",
                next_step="take the dump again; nothing was changed",
            )
        if token["end"] is not None:
            found.append(statement.strip())
            statement = ""
        elif token["meta"] is not None and not statement.strip():
            continue
        elif token["comment"] is None:
            statement += token.group()
    return [text for text in [*found, statement.strip()] if text]


def missing_roles(text: str, known: Sequence[str]) -> tuple[list[str], list[str]]:
    """(names, statements) of C(globals.sql) for roles that the server does not have."""
    names: list[str] = []
    statements = []
    for statement in split(text):
        match = _ROLE.match(statement)
        if match is None:
            continue
        name = _unquoted(match.group("name"))
        if name in known:
            continue
        if name not in names:
            names.append(name)
        statements.append(f"{statement};")
    return names, statements


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def properties(script: str, database: str, fresh: str) -> list[str]:
    """Statements about the database itself (settings, rights) of a script, for C(fresh) instead.

    C(script) is what C(pg_restore --create --schema-only) prints of the database alone: its own
    quoting is kept.
    """
    names = "|".join(re.escape(name) for name in (quoted(database), database))
    pattern = re.compile(
        rf"^(?P<head>ALTER DATABASE|ALTER ROLE (?:{_NAME}) IN DATABASE|COMMENT ON DATABASE"
        rf"|(?:GRANT|REVOKE) [A-Z, ]+ ON DATABASE) (?:{names}) (?P<rest>.*)$",
        re.DOTALL,
    )
    found = [pattern.match(statement) for statement in split(script)]
    return [f"{m.group('head')} {quoted(fresh)} {m.group('rest')};" for m in found if m]


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Record:
    """One restore of a store, as C(restore.json) keeps them, the newest last.

    It is written before the first database is made. C(undone) is true once it was taken back; then
    C(old) has what had been restored.
    """

    label: str
    database: str
    fresh: str
    old: str
    at: str
    undone: bool = False


def records(document: Any) -> list[Record]:
    """The restores of a store; none when there is no document."""
    return [Record(**item) for item in (document or {}).get("restores", [])]


def heal(known: Sequence[Record], existing: Mapping[str, bool]) -> tuple[list[str], list[str]]:
    """(databases to drop, databases to open) after a restore that was killed.

    C(existing) says of each database whether it lets anybody in. While C(fresh) is there, the two
    have not changed places: it holds nothing that the dump does not.
    """
    drop, opened = [], []
    for record in known[-1:]:
        if record.fresh in existing:
            drop.append(record.fresh)
        opened += [n for n in (record.database, record.old) if existing.get(n) is False]
    return drop, opened


def trial_name(database: str, label: str) -> str:
    """The name under which a database of a dump is tried out."""
    return f"{database}__check_{label.lower().replace('-', '_')}"


def was_name(record: Record) -> str:
    """The name that what was restored gets when it is taken back."""
    return f"{record.database}__was_{record.old.rpartition('_')[2]}"


def trials(dumps: Sequence[Dump], existing: Sequence[str]) -> list[str]:
    """Databases that a killed trial left behind."""
    made = {trial_name(name, dump.label) for dump in dumps for name in dump.databases}
    return [name for name in existing if name in made]


def to_undo(known: Sequence[Record], existing: Sequence[str]) -> Record:
    """The newest restore whose old database is there."""
    found = [record for record in known if record.old in existing]
    if not found:
        raise MainstayError(
            "there is no restore to go back from",
            subject="restored databases",
            found="no database that a restore put aside",
            expected="the old database of a restore",
            next_step="nothing was changed",
        )
    return found[-1]


def lost_since(dump: Dump, now: float) -> dict[str, Any]:
    """What a restore of C(dump) loses, in seconds and as a sentence."""
    seconds = max(0.0, now - dump.started)
    return {
        "seconds": round(seconds, 1),
        "text": f"everything written after {_text(dump.started)} ({round(seconds / 60)} minutes)",
    }


def confirmation(verb: str, platform: str) -> str:
    """The words that somebody has to type; C(platform) is C(<name>-<stage>)."""
    return f"{verb}-{platform}"


def policy_of(given: Mapping[str, Any]) -> retention.Policy:
    """The policy of the arguments; all its problems at once."""
    policy = retention.Policy(
        **{**{k: int(v) for k, v in given.items() if v is not None}, "wal_days": 0}
    )
    problems = policy.problems()
    if problems:
        raise MainstayError("the retention is not valid", found="; ".join(problems))
    return policy
