# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each kind of store is dumped and loaded: scripts for its own container. Pure.

A dump is one moment of the store: PostgreSQL exports a snapshot in which the rows are counted too,
Redis sends the file of one fork. Passwords come from the file that the store itself mounts, never
from a command line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_manifest import (
    POSTGRES,
    REDIS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_store_kinds import (  # noqa: E501
    SECRETS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

KINDS = (POSTGRES, REDIS)
_PORTS = {POSTGRES: 5432, REDIS: 6379}
#: Longest name of a database in PostgreSQL (NAMEDATALEN - 1).
_LONGEST_NAME = 63
_TABLES = """
select format('select json_build_object(%L, json_build_array(%L, %L, count(*))) from %I.%I',
              'rows', n.nspname, c.relname, n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence <> 't'
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e'
                  and d.classid = 'pg_class'::regclass)
order by 1 \\gexec
"""
_FACTS = """
select json_build_object('server', current_setting('server_version'),
  'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype,
  'owner', pg_get_userbyid(datdba), 'bytes', pg_database_size(oid))
from pg_database where datname = current_database();
"""


@dataclass(frozen=True)
class Target:
    """A store in the cluster, and where in its StatefulSet it is asked."""

    name: str
    kind: str
    statefulset: str
    container: str = ""
    username: str = "postgres"
    database: str = "postgres"
    port: int = 0
    password_file: str = f"{SECRETS}/password"

    @property
    def pod(self) -> str:
        """The first pod: the primary of PostgreSQL, the only one of Redis."""
        return f"{self.statefulset}-0"


def targets_from(stores: Sequence[Mapping[str, Any]]) -> list[Target]:
    """The option C(stores), or one error that names every problem."""
    found: list[Target] = []
    problems: list[str] = []
    for number, raw in enumerate(stores):
        where, name = f"stores[{number}]", str(raw.get("name") or "")
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?", name):
            problems.append(f"{where}.name: found {name!r}, expected small letters and digits")
        if name in {t.name for t in found}:
            problems.append(f"{where}.name: {name} is there twice")
        if raw.get("kind") not in KINDS:
            expected = " or ".join(KINDS)
            problems.append(f"{where}.kind: found {raw.get('kind')!r}, expected {expected}")
            continue
        kind = str(raw["kind"])
        target = Target(
            name,
            kind,
            str(raw.get("statefulset") or name),
            str(raw.get("container") or ""),
            str(raw.get("username") or ("postgres" if kind == POSTGRES else "")),
            str(raw.get("database") or raw.get("username") or "postgres"),
            int(raw.get("port") or _PORTS[kind]),
            str(raw.get("password_file") or f"{SECRETS}/password"),
        )
        problems += [f"{where}.{text}" for text in _problems(target)]
        found.append(target)
    if problems:
        raise MainstayError(
            f"{len(problems)} problems in the stores; nothing was changed",
            evidence=tuple(problems),
            next_step="mend the option stores, then run again",
        )
    return found


def _problems(target: Target) -> list[str]:
    found = []
    if not 0 < target.port < 65536:
        found.append(f"port: found {target.port}, expected 1 to 65535")
    if not target.password_file.startswith("/"):
        found.append(f"password_file: found {target.password_file!r}, expected a whole path")
    for field in ("database", "username"):
        text = getattr(target, field)
        if "\0" in text or "\n" in text or len(text.encode("utf-8")) > _LONGEST_NAME:
            found.append(f"{field}: expected one line of at most {_LONGEST_NAME} bytes")
    return found


def _postgres(target: Target, database: str) -> str:
    """Where psql and its like connect: the socket of the container itself."""
    return (
        f"f={quote(target.password_file)}\n"
        'if [ -r "$f" ]; then PGPASSWORD="$(cat "$f")"; export PGPASSWORD; fi\n'
        f"export PGUSER={quote(target.username)} PGDATABASE={quote(database)}"
        f" PGPORT={target.port} PGAPPNAME=mainstay PGCONNECT_TIMEOUT=10 LC_ALL=C\n"
        "unset PGHOST\n"
    )


def psql(target: Target, sql: str, database: str = "") -> str:
    """A script that runs SQL and stops at the first error."""
    return (
        _postgres(target, database or target.database)
        + f"printf '%s' {quote(sql)} | psql -X -q -A -t -w -v ON_ERROR_STOP=1\n"
    )


def dump_postgres(target: Target) -> str:
    """The dump on standard output; facts and rows as lines of JSON on standard error."""
    sql = (
        "begin isolation level repeatable read read only;\n"
        "select pg_export_snapshot() as snapshot \\gset\n"
        "\\setenv MAINSTAY_SNAPSHOT :snapshot\n"
        f"\\o | cat >&2\n{_FACTS}{_TABLES}\\o\n"
        '\\! pg_dump -Fc -w --lock-wait-timeout=60000 --snapshot="$MAINSTAY_SNAPSHOT"'
        " && echo '{\"dumped\": true}' >&2\n"
        "commit;\n"
    )
    return psql(target, sql)


def dump_roles(target: Target) -> str:
    """Roles with their passwords' hashes on standard output."""
    return _postgres(target, target.database) + "pg_dumpall -w --roles-only\n"


def count_postgres(target: Target, database: str) -> str:
    """Rows by table, as in L(dump_postgres), on standard output."""
    return psql(target, _TABLES, database)


@dataclass(frozen=True)
class Facts:
    """What a dump says about itself."""

    dumped: bool
    values: dict[str, Any]
    rows: dict[str, int]


def facts_of(text: str) -> Facts:
    """Lines of JSON among others."""
    dumped, values, rows = False, {}, {}
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if "rows" in found:
            schema, table, count = found["rows"]
            rows[f"{schema}.{table}"] = int(count)
        elif found.get("dumped"):
            dumped = True
        else:
            values.update(found)
    return Facts(dumped, values, rows)


def missing_roles(dump: str, present: Sequence[str]) -> str:
    """The statements about roles that are not there. Those that are there keep their passwords."""
    known, found = set(present), []
    for line in dump.splitlines():
        match = re.match(r'(?:CREATE|ALTER) ROLE ("(?:[^"]|"")+"|\S+?)(?=[ ;])', line)
        if match and _plain(match[1]) not in known:
            found.append(line)
        granted = re.match(r'GRANT ("(?:[^"]|"")+"|\S+) TO ("(?:[^"]|"")+"|[^\s;]+)', line)
        if granted and _plain(granted[2]) not in known:
            # Who granted it may not be there.
            found.append(re.sub(r" GRANTED BY (\"(?:[^\"]|\"\")+\"|[^\s;]+)", "", line))
    return "\n".join(found) + ("\n" if found else "")


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def ident(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL, with standard_conforming_strings."""
    return "'" + text.replace("'", "''") + "'"


def beside(database: str, word: str, mark: str) -> str:
    """The name of the database that is loaded, or kept: it fits whatever the first name is."""
    ending = f"_{word}_{mark}"
    head = database.encode("utf-8")[: _LONGEST_NAME - len(ending)].decode("utf-8", errors="ignore")
    return head + ending


def create_database(target: Target, name: str, facts: Mapping[str, Any]) -> str:
    """An empty database that is as the dumped one was."""
    sql = f"create database {ident(name)} template template0"
    for word, key in (("encoding", "encoding"), ("lc_collate", "collate"), ("lc_ctype", "ctype")):
        if facts.get(key):
            sql += f" {word} {literal(str(facts[key]))}"
    if facts.get("owner"):
        sql += f" owner {ident(str(facts['owner']))}"
    return psql(target, sql + ";", "template1")


def load_postgres(target: Target, name: str, size: int) -> str:
    """Reads exactly so many bytes of a dump into the database."""
    return (
        _postgres(target, name)
        + f"head -c {size} | pg_restore -w --exit-on-error --dbname={quote(_conninfo(name))}\n"
        + "psql -X -q -w -c analyze >/dev/null\n"
    )


def _conninfo(name: str) -> str:
    """A name with an equals sign in it would be taken for a connection string."""
    return "dbname='" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def swap(target: Target, new: str, old: str) -> str:
    """The database gets the name C(old), C(new) gets its name: both or neither."""
    now = target.database
    return psql(
        target,
        f"alter database {ident(now)} allow_connections false;\n"
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        f" where datname in ({literal(now)}, {literal(new)}) and pid <> pg_backend_pid();\n"
        "begin;\n"
        f"alter database {ident(now)} rename to {ident(old)};\n"
        f"alter database {ident(new)} rename to {ident(now)};\n"
        "commit;\n"
        f"alter database {ident(old)} allow_connections true;\n"
        f"alter database {ident(now)} allow_connections true;\n",
        "template1" if now == "postgres" else "postgres",
    )


def take_name(target: Target, new: str) -> str:
    """There is no database of that name: the loaded one just gets it."""
    sql = f"alter database {ident(new)} rename to {ident(target.database)};"
    return psql(target, sql, "template1")


def drop_database(target: Target, name: str) -> str:
    """Only for one that an unfinished restore made."""
    return psql(target, f"drop database if exists {ident(name)};", "template1")


def admit(target: Target) -> str:
    """Let connections in again, after a swap that failed."""
    sql = f"alter database {ident(target.database)} allow_connections true;"
    return psql(target, sql, "template1")


LIST = (
    "select json_build_object('databases', (select json_agg(datname) from pg_database),"
    " 'roles', (select json_agg(rolname) from pg_roles),"
    " 'recovery', pg_is_in_recovery(), 'server', current_setting('server_version'));"
)


def redis_script(target: Target) -> str:
    """What every script for Redis begins with."""
    return (
        f"f={quote(target.password_file)}\n"
        'if [ -r "$f" ]; then REDISCLI_AUTH="$(cat "$f")"; export REDISCLI_AUTH; fi\n'
        f'r() {{ redis-cli -p {target.port} "$@"; }}\n'
        # redis-cli ends with 0 when the server refuses: its answer tells.
        'must() { a="$(r "$@")"; case "$a" in OK*|PONG*) ;; *) echo "$a" >&2; exit 1;; esac; }\n'
        'value() { r config get "$1" | sed -n 2p; }\n'
    )


def ask_redis(target: Target) -> str:
    """Facts on standard output."""
    return (
        redis_script(target) + "must ping\n"
        "r info server | tr -d '\\r' | sed -n 's/^redis_version://p'\n"
        "r info replication | tr -d '\\r' | sed -n 's/^role://p'\n"
        "r info cluster | tr -d '\\r' | sed -n 's/^cluster_enabled://p'\n"
        "r info keyspace | tr -d '\\r' | sed -n 's/^db/db/p'\n"
    )


def dump_redis(target: Target) -> str:
    """The file of one fork on standard output."""
    return redis_script(target) + f"must ping >&2\nredis-cli -p {target.port} --rdb - 2>/dev/null\n"


_NAMES = (
    'd="$(value dir)"; file="$(value dbfilename)"; log="$(value appendonly)"\n'
    'name="$(value appendfilename)"; logs="$(value appenddirname)"; test -n "$d"\n'
)


def stage_redis(target: Target, mark: str, size: int) -> str:
    """Reads exactly so many bytes into a place beside the data, under the names that the server
    starts from, and has them checked.

    Redis 7 finds its log by a manifest; the log of an older one may begin with such a file.
    """
    return (
        redis_script(target) + _NAMES + f's="$d/.mainstay-restore-{mark}"\n'
        'rm -rf "$s"; mkdir -m 0700 "$s"\n'
        'if [ "$log" = yes ] && [ -n "$logs" ]; then\n'
        '  mkdir "$s/$logs"; to="$s/$logs/$name.1.base.rdb"; all="$s/$logs/$name.manifest"\n'
        '  echo "file $name.1.base.rdb seq 1 type b" > "$all"\n'
        'elif [ "$log" = yes ]; then to="$s/$name"; all="$to"\n'
        'else to="$s/$file"; all=""; fi\n'
        f'head -c {size} > "$to"; test "$(wc -c < "$to")" -eq {size}\n'
        'redis-check-rdb "$to"\n'
        'if [ -n "$all" ]; then redis-check-aof "$all"; fi\n'
        'touch "$s/.whole"\n'
        # The server may run as another user than what is started beside it.
        'if [ "$(id -u)" = 0 ]; then chown -R "$(stat -c %u:%g "$d")" "$s"; fi\n'
    )


def swap_redis(target: Target, staged: str, kept: str) -> str:
    """The data goes to C(kept), what lies in C(staged) takes its place, the server starts anew."""
    return (
        redis_script(target)
        + _NAMES
        + f's="$d/{staged}"; k="$d/{kept}"\n'
        + 'test -e "$s/.whole"; test ! -e "$k"\n'
        # Without a log, the file on disk may be older than what is in memory.
        'if [ "$log" != yes ]; then must save; fi\n'
        'must config set save ""\n'
        'mkdir -m 0700 "$k"\n'
        'for f in "$file" "$name" ${logs:+"$logs"}; do\n'
        '  if [ -e "$d/$f" ]; then mv "$d/$f" "$k/$f"; fi\n'
        "done\n"
        'touch "$k/.whole"\n'
        'for f in "$file" "$name" ${logs:+"$logs"}; do\n'
        '  if [ -e "$s/$f" ]; then mv "$s/$f" "$d/$f"; fi\n'
        "done\n"
        'if [ "$(id -u)" = 0 ]; then chown "$(stat -c %u:%g "$d")" "$k" "$k/.whole"; fi\n'
        'rm -rf "$s"; sync\n'
        "r shutdown nosave || true\n"
    )


def keys_of(text: str) -> dict[str, int]:
    """Keys by database from C(info keyspace)."""
    found = re.findall(r"^db(\d+):keys=(\d+)", text, re.M)
    return {number: int(count) for number, count in found}


def checked_keys(text: str) -> tuple[int, int]:
    """(keys, of which may expire) as redis-check-rdb has counted them."""
    keys = re.search(r"(\d+) keys read", text)
    expiring = re.search(r"(\d+) expires", text)
    return int(keys[1]) if keys else -1, int(expiring[1]) if expiring else 0
