# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovering a copied cluster behind closed doors: its own socket directory, no network.

Nobody but this task can reach the server until everything is proved. Its configuration is a file
that includes the real one and overrides what must not work yet.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shlex
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    sync_directory,
    write_atomic,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import wal
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.server import (
    PAUSE,
    Ended,
    Server,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.target import (
    TIME,
    Target,
)

AUTO, ASIDE = "postgresql.auto.conf", "postgresql.auto.conf.mainstay"
#: Settings of a former recovery or replica; left in place they would lead the next start astray.
_STALE = re.compile(
    r"^\s*(restore_command|recovery_\w+|primary_conninfo|primary_slot_name|promote_trigger_file|"
    r"archive_cleanup_command)\b",
    re.IGNORECASE,
)
#: What PostgreSQL says when WAL ends before the target (13 and newer).
_SHORT = "recovery ended before configured recovery target was reached"
_CLOSED = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "ssl": "off",
    "hot_standby": "on",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m ",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "recovery_min_apply_delay": "0",
    "recovery_end_command": "",
    "archive_cleanup_command": "",
    "recovery_target_action": "promote",
    "synchronous_standby_names": "",
    "external_pid_file": "",
}
#: Beside that, for a drill: nothing leaves, nothing that a preloaded library schedules runs.
SCRATCH = {
    "archive_mode": "off",
    "archive_command": "/bin/false",
    "shared_preload_libraries": "",
    "session_preload_libraries": "",
    "local_preload_libraries": "",
    "max_logical_replication_workers": "0",
}


@dataclass
class Room:
    """Where a recovery takes place. C(private) holds its configuration and its log."""

    data: str
    private: str
    config_file: str
    extra: Mapping[str, str]
    tail: str = ""

    @property
    def log(self) -> str:
        """The server's log."""
        return os.path.join(self.private, "recovery.log")


class Recovery:
    """One recovery, from a copied data directory to an open server that only we can reach."""

    def __init__(self, context: Context, room: Room) -> None:
        self.context = context
        self.room = room
        self._socket = ""
        self.server: Server = context.server.at(data_directory=room.data, service="")

    @property
    def open(self) -> bool:
        """Whether this very recovery has a server that answers; any other one does not count."""
        return bool(self._socket) and self.server.ask("select 1") == "1"

    def prepare(self) -> None:
        """Make the copy one that recovers: settings aside, C(recovery.signal)."""
        data = self.room.data
        auto, aside = os.path.join(data, AUTO), os.path.join(data, ASIDE)
        if not os.path.exists(aside):
            kept = _without_stale(auto)
            write_atomic(aside, kept, 0o600)
        write_atomic(auto, b"", 0o600)
        write_atomic(os.path.join(data, "recovery.signal"), b"", 0o600)
        for name in ("standby.signal", "postmaster.pid"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(data, name))
        for name in (AUTO, ASIDE, "recovery.signal"):
            self.context.programs.own(os.path.join(data, name))
        sync_directory(data)

    def settle(self) -> None:
        """Put the cluster's own settings back in place."""
        data = self.room.data
        if os.path.exists(os.path.join(data, ASIDE)):
            os.replace(os.path.join(data, ASIDE), os.path.join(data, AUTO))
            sync_directory(data)

    def _write(self, target: Target, timeline: str, limit: float) -> str:
        room, own = self.room, self.context.programs.own
        os.makedirs(room.private, mode=0o700, exist_ok=True)
        own(room.private)
        fetch = self.context.engine.fetch_command(room.data, room.private)
        files = {
            "fetch-wal": fetch_script(fetch, room.tail, min(limit, 600.0)),
            "hba.conf": f"local all {_quoted(self.server.place.username)} trust\n",
            "ident.conf": "",
        }
        config = room.config_file or os.path.join(room.data, "postgresql.conf")
        script = os.path.join(room.private, "fetch-wal")
        values = {
            **_CLOSED,
            **room.extra,
            # Only one of the targets may be named, even an empty one counts.
            **target.settings(),
            "data_directory": room.data,
            "hba_file": os.path.join(room.private, "hba.conf"),
            "ident_file": os.path.join(room.private, "ident.conf"),
            "unix_socket_directories": self._socket,
            "port": str(self.server.place.port),
            "restore_command": f'/bin/sh {shlex.quote(script)} "%f" "%p"',
            "recovery_target_timeline": timeline,
        }
        lines = [f"include {_value(config)}", f"include {_value(os.path.join(room.data, ASIDE))}"]
        lines += [f"{name} = {_value(value)}" for name, value in values.items()]
        files["postgresql.conf"] = "\n".join(lines) + "\n"
        for name, text in files.items():
            path = os.path.join(room.private, name)
            write_atomic(path, text.encode(), 0o600)
            own(path)
        return os.path.join(room.private, "postgresql.conf")

    def run(self, target: Target, timeline: str) -> dict[str, Any]:
        """Recover to the target; what was recovered. WAL that ends before a time is its end."""
        left = self.context.deadline.left
        try:
            self._start(target, timeline)
            self._await_end(left())
        except MainstayError as error:
            if target.kind != TIME or _SHORT not in read_log(self.room.log):
                raise error
            # Nothing was written between the end of the WAL and the target: recovering everything
            # is exact. That all of the WAL was read is checked by the caller.
            self.close()
            self._start(Target("latest"), timeline)
            self._await_end(left())
        return self.facts()

    def _start(self, target: Target, timeline: str) -> None:
        self.close()
        # The path of a socket may have 107 signs: a directory of its own, near the root.
        self._socket = tempfile.mkdtemp(prefix="mainstay-", dir="/tmp")
        self.context.programs.own(self._socket)
        self.server = self.server.at(socket_directory=self._socket)
        config = self._write(target, timeline, self.context.deadline.left())
        with open(self.room.log, "ab"):
            self.context.programs.own(self.room.log)
        self.server.start(self.context.deadline.left(60.0), self.room.log, config)

    def isolate(self) -> bool:
        """Start the recovered server again without any network; false when the kernel forbids it.

        Its socket is a file, so that it can be asked all the same. Recovery itself needs the
        network where the repository is an object storage.
        """
        user = self.context.programs.os_user
        drop = ("setpriv", f"--reuid={user}", f"--regid={group_of(user)}", "--init-groups", "--")
        within = ("unshare", "--net", "--", *drop)
        if os.geteuid() != 0 or self.context.programs.run([*within, "true"], 30.0).code:
            return False
        self.server.stop(self.context.deadline.left(600.0))
        config = os.path.join(self.room.private, "postgresql.conf")
        self.server.start(self.context.deadline.left(60.0), self.room.log, config, within)
        self.server.wait_open(self.context.deadline.left(600.0))
        return True

    def _await_end(self, limit: float) -> None:
        """Until the server is out of recovery; at once when it ended or paused instead."""
        end, ended = time.monotonic() + limit, Ended(self.server)
        while True:
            answer = self.server.ask("select pg_is_in_recovery()")
            if answer == "f":
                return
            if answer is None and ended():
                raise self._dead("the server ended during recovery")
            if answer == "t" and self._paused():
                raise self._dead("recovery is paused")
            if time.monotonic() > end:
                raise self._dead(f"recovery did not end within {limit:.0f} s")
            time.sleep(PAUSE)  # the server tells nobody that it is through

    def _paused(self) -> bool:
        return self.server.ask("select pg_is_wal_replay_paused()") == "t"

    def _dead(self, what: str) -> MainstayError:
        lines = [line for line in read_log(self.room.log).splitlines() if line.strip()]
        important = [line for line in lines[-60:] if "FATAL" in line or "PANIC" in line]
        return MainstayError(
            what,
            subject=self.room.data,
            found=important[-1][:300] if important else "no reason in its log",
            expected="a server that reaches the target and opens",
            next_step=f"read {self.room.log}; run the task again to go on, or undo the restore",
            evidence=tuple(line[:300] for line in lines[-12:]),
        )

    def facts(self) -> dict[str, Any]:
        """How far it came, from the server and from its log."""
        answer = self.server.query(
            "select coalesce(to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', "
            "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), ''), "
            "coalesce(pg_last_wal_replay_lsn()::text, ''), "
            "substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8), "
            "pg_snapshot_xmax(pg_current_snapshot())"
        )
        moment, lsn, timeline, next_xid = answer.split("\t")
        said = from_log(read_log(self.room.log))
        return {
            "time": moment or said.get("time"),
            "lsn": lsn or said.get("lsn"),
            "timeline": int(timeline, 16),
            "stopped": said.get("stopped"),
            "heartbeat": self._heartbeat(),
            "next_xid": int(next_xid),
        }

    def _heartbeat(self) -> Optional[str]:
        """The newest heartbeat row of any database that has the table."""
        if self.server.query("select to_regclass('mainstay.heartbeat') is not null") != "t":
            return None
        answer = self.server.query(
            "select to_char(max(at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') "
            "from mainstay.heartbeat"
        )
        return answer or None

    def close(self) -> None:
        """Stop the server when it runs, and remove its socket's directory."""
        if self.server.running():
            self.server.stop(self.context.deadline.left(600.0))
        if self._socket:
            shutil.rmtree(self._socket, ignore_errors=True)
            self._socket = ""


def group_of(user: str) -> int:
    """The number of a user's own group."""
    return pwd.getpwnam(user).pw_gid


def _without_stale(path: str) -> bytes:
    try:
        with open(path, encoding="utf-8") as handle:
            lines = handle.readlines()
    except FileNotFoundError:
        return b""
    return "".join(line for line in lines if not _STALE.match(line)).encode()


def _value(text: str) -> str:
    """A value of postgresql.conf."""
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def fetch_script(command: list[str], tail: str, limit: float) -> str:
    """The program behind C(restore_command): the saved WAL first, then the repository.

    Status 1 means the end of the WAL and nothing else. Whatever else goes wrong becomes a status
    above 125, at which PostgreSQL stops, instead of opening a database that lacks its last hours.
    """
    words = " ".join(shlex.quote(word) for word in command)
    saved = ""
    if tail:
        place = shlex.quote(tail)
        saved = f'if [ -f {place}/"$1" ]; then cp {place}/"$1" "$2" && exit 0; exit 200; fi\n'
    return (
        "# Written by Mainstay for one recovery.\n"
        f'{saved}timeout {limit:.0f} {words} "$1" "$2"\n'
        'status=$?\n[ "$status" -le 1 ] && exit "$status"\nexit 200\n'
    )


def read_log(path: str) -> str:
    """The server's log, empty when there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read()
    except FileNotFoundError:
        return ""


_STOPPED = re.compile(r"LOG:\s+(recovery stopping (?:before|after|at) .*)")
_REDO = re.compile(r"redo done at ([0-9A-F]+/[0-9A-F]+)")
_LAST = re.compile(r"last completed transaction was at log time (\S+) (\S+?)\+00")


def from_log(text: str) -> dict[str, str]:
    """What the log says of the end of the recovery: C(stopped), C(lsn), C(time)."""
    found: dict[str, str] = {}
    for name, pattern in (("stopped", _STOPPED), ("lsn", _REDO)):
        matches = pattern.findall(text)
        if matches:
            found[name] = matches[-1]
    moments = _LAST.findall(text)
    if moments:
        found["time"] = f"{moments[-1][0]}T{moments[-1][1]}Z"
    return found


def read_all(facts: Mapping[str, Any], newest: str, size: int) -> bool:
    """Whether recovery came into the newest segment that was known before it began."""
    if not newest:
        return True
    reached = wal.parse_lsn(str(facts.get("lsn") or "0/0"))
    return reached >= wal.split(newest, size)[1] * size
