# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores as a restore sees them: checked first, filled beside, swapped, compared, swapped back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    backup_stores,
    writers,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_manifest import (
    POSTGRES,
    REDIS,
    Part,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_stores import (
    Target,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import Cluster
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.pod_shell import (
    Done,
    Place,
    Shell,
    failed,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.restore_journal import (
    Change,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

Source = Callable[[], Iterator[bytes]]
_ROOM = 1.2


@dataclass
class Loading:
    """One store that is restored: where it is, what it gets, how to reach it."""

    target: Target
    place: Place
    part: Part
    source: Source
    roles: Optional[str]
    cluster: Cluster
    shell: Shell
    mark: str
    timeout: float

    def run(self, script: str, what: str, *, source: Any = None, timeout: float = 120.0) -> Done:
        """A program that must end well."""
        done = self.shell.run(self.place, script, source=source, timeout=timeout)
        if done.code:
            raise failed(self.place, done, what)
        return done


def check(loading: Loading) -> list[str]:
    """What would be done, in sentences; refused when it could not be."""
    return _CHECKS[loading.target.kind](loading)


def planned(loading: Loading) -> Change:
    """The names that the restore will use."""
    target, mark = loading.target, loading.mark
    if target.kind == REDIS:
        return Change(
            target.name, REDIS, "", f".mainstay-restore-{mark}", f"mainstay-before-{mark}"
        )
    loaded = backup_stores.beside(target.database, "restore", mark)
    kept = backup_stores.beside(target.database, "before", mark)
    return Change(target.name, POSTGRES, target.database, loaded, kept)


def _check_postgres(loading: Loading) -> list[str]:
    target, part = loading.target, loading.part
    known = _known(loading)
    server, dumped = _major(known["server"]), _major(str(part.facts.get("server", "0")))
    if known["recovery"]:
        raise _cannot(loading, "the server is a replica", "in recovery", "the primary")
    if server < dumped:
        raise _cannot(
            loading, "the server is older than the dump", str(server), f"{dumped} or newer"
        )
    if target.database not in known["databases"]:
        text = f"restore the database {target.database} of {target.name}; there is none yet"
    else:
        change = planned(loading)
        text = (
            f"restore the database {target.database} of {target.name};"
            f" the present one is kept as {change.kept}"
        )
    free = _free(loading)
    needed = int(float(part.facts.get("bytes") or 0) * _ROOM)
    if free is not None and free < needed:
        raise _cannot(loading, "there is not enough room", f"{free} bytes", f"{needed} bytes")
    return [text, f"compare the rows of {len(part.facts.get('rows') or {})} tables"]


def _known(loading: Loading) -> dict[str, Any]:
    script = backup_stores.psql(loading.target, backup_stores.LIST, "template1")
    out = loading.run(script, f"{loading.target.name} does not answer").out
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return found


def _major(text: str) -> int:
    match = re.match(r"\d+", text)
    return int(match[0]) if match else 0


def _free(loading: Loading) -> Optional[int]:
    """Bytes that are free where the data is, when the container can tell."""
    script = backup_stores.psql(loading.target, "show data_directory;", "template1")
    out = loading.run(script, f"{loading.target.name} does not answer").out.strip()
    done = loading.shell.run(loading.place, f"df -Pk {_quoted(out)}")
    fields = done.out.splitlines()[-1].split() if not done.code and done.out.strip() else []
    return int(fields[3]) * 1024 if len(fields) > 3 and fields[3].isdigit() else None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _check_redis(loading: Loading) -> list[str]:
    asked = loading.run(
        backup_stores.ask_redis(loading.target), f"{loading.target.name} does not answer"
    ).out.splitlines()
    server, dumped = _major(asked[0]), _major(str(loading.part.facts.get("server", "0")))
    if len(asked) > 2 and asked[2] == "1":
        raise _cannot(loading, "it is a Redis Cluster", "cluster_enabled:1", "one server")
    if len(asked) > 1 and asked[1] != "master":
        raise _cannot(loading, "the server is a replica", asked[1], "the primary")
    if server < dumped:
        raise _cannot(loading, "the server is older than the dump", str(server), str(dumped))
    kept = planned(loading).kept
    return [f"restore {loading.target.name}; the present data is kept in {kept}"]


_CHECKS = {POSTGRES: _check_postgres, REDIS: _check_redis}


def fill(loading: Loading, change: Change) -> None:
    """Load beside what is there. Nothing that anybody uses is touched."""
    if loading.target.kind == POSTGRES:
        _fill_postgres(loading, change)
    else:
        _fill_redis(loading)


def _fill_postgres(loading: Loading, change: Change) -> None:
    target, part, name = loading.target, loading.part, change.loaded
    known = _known(loading)
    roles = backup_stores.missing_roles(loading.roles or "", known["roles"])
    if roles:
        script = backup_stores.psql(target, "\\i /dev/stdin", "template1")
        # The statements go in on the input: they hold hashes of passwords.
        script = script.replace("printf '%s' '\\i /dev/stdin' | ", "")
        data = roles.encode("utf-8")
        script = script.replace("psql -X", f"head -c {len(data)} | psql -X", 1)
        loading.run(script, f"the roles of {target.name} cannot be made", source=[data])
    loading.run(
        backup_stores.drop_database(target, name), "the database of an earlier try cannot go"
    )
    facts = dict(part.facts)
    loading.run(
        backup_stores.create_database(target, name, facts), f"{name} cannot be made in the store"
    )
    loading.run(
        backup_stores.load_postgres(target, name, part.size),
        f"the dump of {target.name} cannot be loaded; the present data is untouched",
        source=loading.source(),
        timeout=loading.timeout,
    )
    compare(loading, name)


def compare(loading: Loading, database: str) -> int:
    """The rows of every table as they were in the dump; how many tables that were."""
    counted = loading.run(
        backup_stores.count_postgres(loading.target, database),
        "the rows cannot be counted",
        timeout=loading.timeout,
    )
    rows = backup_stores.facts_of(counted.out).rows
    wanted: Mapping[str, int] = loading.part.facts.get("rows") or {}
    differing = sorted(t for t in {*rows, *wanted} if rows.get(t) != wanted.get(t))
    if differing:
        raise MainstayError(
            "what was loaded is not what was dumped; the present data is untouched",
            subject=f"{loading.target.name}, database {database}",
            evidence=tuple(
                f"{t}: {rows.get(t, 'no table')} rows, {wanted.get(t, 'no table')} in the backup"
                for t in differing[:20]
            ),
            next_step="use another backup",
        )
    return len(wanted)


def _fill_redis(loading: Loading) -> None:
    target = loading.target
    done = loading.run(
        backup_stores.stage_redis(target, loading.mark, loading.part.size),
        f"the dump of {target.name} cannot be staged; the present data is untouched",
        source=loading.source(),
        timeout=loading.timeout,
    )
    if backup_stores.checked_keys(done.out)[0] < 0:
        raise _cannot(loading, "redis-check-rdb did not count the keys", done.out[-200:], "a count")


def swap(loading: Loading, change: Change) -> None:
    """Let what was loaded take the place of what is there."""
    if loading.target.kind == POSTGRES:
        _swap_postgres(loading, change.loaded, change.kept)
    else:
        _swap_redis(loading, change.loaded, change.kept)


def swap_back(loading: Loading, change: Change) -> str:
    """Go back; where the data of the restore is kept now. Empty when there was nothing to do."""
    if loading.target.kind == POSTGRES:
        known = _known(loading)["databases"]
        if change.kept not in known:
            return ""
        aside = backup_stores.beside(change.database, "undone", loading.mark)
        _swap_postgres(loading, change.kept, aside)
        return aside
    aside = f"mainstay-undone-{loading.mark}"
    found = loading.run(_there(loading.target, change.kept), "the store does not answer").out
    if "there" not in found:
        return ""
    _swap_redis(loading, change.kept, aside)
    return aside


def clear(loading: Loading, change: Change) -> None:
    """Remove what an unfinished restore had loaded and nobody ever used."""
    target = loading.target
    if target.kind == POSTGRES:
        script = backup_stores.drop_database(target, change.loaded)
    else:
        script = backup_stores.redis_script(target) + f'rm -rf "$(value dir)/{change.loaded}"\n'
    loading.run(script, "what an interrupted restore left cannot be removed")


def _there(target: Target, name: str) -> str:
    script = backup_stores.redis_script(target)
    return script + f'd="$(value dir)"\nif [ -e "$d/{name}/.whole" ]; then echo there; fi\n'


def _swap_postgres(loading: Loading, new: str, old: str) -> None:
    target = loading.target
    what = f"the database of {target.name} cannot be swapped; nothing of it was changed"
    if target.database not in _known(loading)["databases"]:
        loading.run(backup_stores.take_name(target, new), what)
        return
    try:
        loading.run(backup_stores.swap(target, new, old), what)
    except MainstayError:
        loading.shell.run(loading.place, backup_stores.admit(target))
        raise


def _swap_redis(loading: Loading, staged: str, kept: str) -> None:
    target, place = loading.target, loading.place
    pod = loading.cluster.get(writers.POD, place.namespace, place.pod)
    before = writers.starts_of(pod or {})
    done = loading.shell.run(place, backup_stores.swap_redis(target, staged, kept), timeout=120.0)
    # The server ends with this very container, so how its last program ended may not be told.
    if done.code and "shutdown" not in done.err and done.code not in (137, 143, 255):
        raise failed(place, done, f"the data of {target.name} cannot be swapped")
    writers.await_objects(
        loading.cluster,
        place.namespace,
        writers.POD,
        lambda pods: writers.restarted(pods, place.pod, before),
        loading.timeout,
        f"{target.name} does not come up with the data of the backup",
    )


def after(loading: Loading, queries: Sequence[str]) -> list[str]:
    """What holds after the swap, in sentences; refused when it does not."""
    target, part = loading.target, loading.part
    if target.kind == POSTGRES:
        tables = compare(loading, target.database)
        for sql in queries:
            out = loading.run(backup_stores.psql(target, sql), "a check of yours ends badly").out
            if out.strip() not in ("t", "true", "1"):
                raise _cannot(loading, "a check of yours does not hold", out.strip()[:100], "true")
        rows = sum((part.facts.get("rows") or {}).values())
        return [f"{target.name}: {rows} rows of {tables} tables as in the backup"]
    script = backup_stores.ask_redis(target)
    keys = backup_stores.keys_of(loading.run(script, f"{target.name} does not answer").out)
    return [f"{target.name}: {sum(keys.values())} keys"]


def _cannot(loading: Loading, what: str, found: str, expected: str) -> MainstayError:
    return MainstayError(
        what,
        subject=f"{loading.target.name} in {loading.place}",
        found=found,
        expected=expected,
        next_step="look at the store and the backup; nothing was changed",
    )
