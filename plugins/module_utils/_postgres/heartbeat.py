# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A row that is written every few seconds, so that "recovered up to" is a fact. Python 3.9 only.

    heartbeat.py --database postgres --socket /var/run/postgresql --port 5432 --every 5

With C(--state) each row that was committed is written to a file, too: what the server last did is
then known when its data is gone. One connection is kept; after an error a new one is made. Nothing
is written during recovery.
Its table is C(mainstay.heartbeat): one row by host with the time and the WAL position.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable

TABLE = """
create schema if not exists mainstay;
create table if not exists mainstay.heartbeat (
    host text primary key, at timestamptz not null, lsn pg_lsn not null);
"""


def beat(host: str) -> str:
    """The statement that writes the row."""
    name = host.replace("'", "''")
    return (
        "insert into mainstay.heartbeat (host, at, lsn) "
        f"select '{name}', clock_timestamp(), pg_current_wal_insert_lsn() "
        "where not pg_is_in_recovery() "
        "on conflict (host) do update set at = excluded.at, lsn = excluded.lsn "
        "returning to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), "
        "lsn, pg_current_xact_id();\n"
    )


def keep(lines: Iterable[str], path: str) -> None:
    """Write each committed row to the file, whole or not at all."""
    for line in lines:
        parts = line.strip().split("|")
        if not path or len(parts) != 3:
            continue
        temporary = f"{path}.new"
        with contextlib.suppress(OSError):
            with open(temporary, "w", encoding="ascii") as handle:
                json.dump({"at": parts[0], "lsn": parts[1], "xid": int(parts[2])}, handle)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(temporary, path)


def run(given: argparse.Namespace, stop: threading.Event) -> None:
    """Beat until C(stop) is set."""
    while not stop.is_set():
        # pylint: disable-next=ansible-bad-function
        process = subprocess.Popen(
            [
                *(
                    "psql",
                    "-X",
                    "-A",
                    "-t",
                    "-q",
                    "-w",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-h",
                    given.socket,
                ),
                *("-p", str(given.port), "-U", given.username, "-d", given.database),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with contextlib.suppress(BrokenPipeError), process:
            if process.stdin is None or process.stdout is None:
                return
            reader = threading.Thread(target=keep, args=(process.stdout, given.state), daemon=True)
            reader.start()
            process.stdin.write("set statement_timeout = '10s';\n")
            process.stdin.write(f"set client_min_messages = warning;\n{TABLE}")
            while not stop.is_set() and process.poll() is None:
                process.stdin.write(beat(given.host))
                process.stdin.flush()
                stop.wait(given.every)
        stop.wait(given.every)


def main(arguments: list[str]) -> int:
    """Entry point; ends on SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="postgres")
    parser.add_argument("--socket", default="/var/run/postgresql")
    parser.add_argument("--port", type=int, default=5432)
    parser.add_argument("--username", default="postgres")
    parser.add_argument("--host", default=socket.gethostname())
    parser.add_argument("--state", default="")
    parser.add_argument("--every", type=float, default=5.0)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda _number, _frame: stop.set())
    run(parser.parse_args(arguments), stop)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
