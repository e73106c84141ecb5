# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of a database that write down what they were told. Runs on a host of the bed.

    clients.py --dsn 'host=... dbname=...' --clients 4 --log FILE --stop FILE

Each client commits one row after the other and never sends one twice. Its answers are lines of the
log: C(ok <client> <number> <sent> <answered>) for a commit that was acknowledged, C(no <client>
<number> <sent> <answered> <words>) for one that was not. Times are seconds since 1970. It ends
when the stop file is there.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import threading
import time
from typing import IO

import psycopg2

INSERT = "insert into told (client, number) values (%s, %s)"
TABLE = "create table if not exists told (client int, number bigint, primary key (client, number))"


#: Seconds that the answers which are still due may take when it ends.
PATIENCE = 5.0


class Client(threading.Thread):
    """One connection that writes; another one after an error."""

    def __init__(self, number: int, given: argparse.Namespace, log: IO[str]) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.given = given
        self.log = log
        self.next = time.time_ns() // 1000

    def run(self) -> None:
        """Write until the stop file is there."""
        while not os.path.exists(self.given.stop):
            # A connection that was refused says nothing about a commit.
            with contextlib.suppress(psycopg2.Error):
                self._write()
            time.sleep(self.given.pause)

    def _write(self) -> None:
        with contextlib.closing(psycopg2.connect(self.given.dsn)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            while not os.path.exists(self.given.stop):
                self.next += 1
                sent = time.time()
                try:
                    cursor.execute(INSERT, (self.number, self.next))
                except psycopg2.Error as error:
                    self._say("no", sent, " ".join(str(error).split()))
                    return
                self._say("ok", sent)
                time.sleep(self.given.pause)

    def _say(self, word: str, sent: float, text: str = "") -> None:
        self.log.write(f"{word} {self.number} {self.next} {sent:.6f} {time.time():.6f} {text}\n")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--log", required=True)
    parser.add_argument("--stop", required=True)
    parser.add_argument("--pause", type=float, default=0.02)
    given = parser.parse_args()
    with contextlib.closing(psycopg2.connect(given.dsn)) as connection:
        connection.autocommit = True
        connection.cursor().execute(TABLE)
    with open(given.log, "w", encoding="utf-8", buffering=1) as log:
        clients = [Client(number, given, log) for number in range(given.clients)]
        for client in clients:
            client.start()
        while not os.path.exists(given.stop):
            time.sleep(0.1)
        # Whoever waits for a server that is gone would wait as long as the pooler lets them.
        end = time.monotonic() + PATIENCE
        for client in clients:
            client.join(max(end - time.monotonic(), 0.0))
        log.flush()
        os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
