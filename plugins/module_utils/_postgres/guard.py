# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a former primary from writing when it comes back by itself. Python 3.9 only.

    guard.py --data /var/lib/postgresql/17/main --bin /usr/lib/postgresql/17/bin --port 5432
        --user mainstay_replication --passfile /var/lib/postgresql/.mainstay-pgpass
        --peers db2=10.0.0.2,db3=10.0.0.3 [--watch postgresql@17-main.service --every 5]

Before a start (systemd's C(ExecStartPre)) it asks the other servers of the store: one that writes
to the same cluster on a later timeline has taken over, so this one must not start as a primary.
With C(--watch) it goes on asking, and stops the server when that comes true, as after a network
that was parted. A peer that does not answer proves nothing: a start is never kept waiting for it.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Optional

_HISTORY = re.compile(r"^([0-9A-F]{8})\.history$")
#: Seconds for one answer.
LIMIT = 5

#: System identifier, timeline, and whether it is a replica.
Answer = tuple[str, int, bool]
Ask = Callable[[str], Optional[Answer]]


def own(data: str, control: str) -> tuple[str, int]:
    """System identifier and timeline of a data directory.

    Right after a promotion the control file still has the timeline before; the history file of the
    new one is there already.
    """
    found = dict(line.partition(":")[::2] for line in control.splitlines())
    identifier = found.get("Database system identifier", "").strip()
    timeline = int(found.get("Latest checkpoint's TimeLineID", "0").strip() or 0)
    place = os.path.join(data, "pg_wal")
    names = os.listdir(place) if os.path.isdir(place) else []
    known = [int(m.group(1), 16) for m in map(_HISTORY.match, names) if m]
    return identifier, max([timeline, *known])


def is_replica(data: str) -> bool:
    """Whether it starts as one, or recovers: then it writes nothing of its own."""
    return any(os.path.exists(os.path.join(data, n)) for n in ("standby.signal", "recovery.signal"))


def superseded(identifier: str, timeline: int, peers: Iterable[str], ask: Ask) -> str:
    """The peer that has taken over, with its timeline; empty when nobody is known to have."""
    for peer in peers:
        answer = ask(peer)
        if answer and answer[0] == identifier and answer[1] > timeline and not answer[2]:
            return f"{peer} writes on timeline {answer[1]}"
    return ""


def addresses_of(text: str) -> dict[str, str]:
    """C(db2=10.0.0.2,db3=10.0.0.3) as addresses by name."""
    return dict(item.split("=", 1) for item in text.split(",") if "=" in item)


def ask_with(given: argparse.Namespace) -> Ask:
    """Asks a peer through the replication protocol, which every replica may use."""
    addresses = addresses_of(given.peers)

    def ask(peer: str) -> Optional[Answer]:
        words = (
            f"host={addresses[peer]} port={given.port} user={given.user} replication=true "
            f"passfile={given.passfile} sslmode={given.sslmode} connect_timeout=3"
        )
        command = ["psql", "-XAtqw", "-d", words, "-c", "IDENTIFY_SYSTEM", "-c"]
        try:
            # pylint: disable-next=ansible-bad-function
            done = subprocess.run(
                [*command, "SHOW in_hot_standby"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                timeout=LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return parse(done.stdout) if done.returncode == 0 else None

    return ask


def parse(text: str) -> Optional[Answer]:
    """The answers to IDENTIFY_SYSTEM and SHOW in_hot_standby."""
    lines = text.strip().splitlines()
    parts = lines[0].split("|") if lines else []
    if len(lines) != 2 or len(parts) < 2 or not parts[1].isdigit():
        return None
    return parts[0], int(parts[1]), lines[1].strip() == "on"


def look(given: argparse.Namespace) -> str:
    """Who has taken over; empty when nobody has, or when this server does not write."""
    if is_replica(given.data):
        return ""
    # pylint: disable-next=ansible-bad-function
    done = subprocess.run(
        [os.path.join(given.bin, "pg_controldata"), "-D", given.data],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode:
        return ""
    identifier, timeline = own(given.data, done.stdout)
    return superseded(identifier, timeline, addresses_of(given.peers), ask_with(given))


def main(arguments: list[str]) -> int:
    """Entry point: status 1 keeps systemd from starting the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--data", "--bin", "--port", "--user", "--passfile"):
        parser.add_argument(name, required=True)
    parser.add_argument("--sslmode", default="prefer")
    parser.add_argument("--peers", default="")
    parser.add_argument("--watch", default="")
    parser.add_argument("--every", type=float, default=5.0)
    given = parser.parse_args(arguments)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda _number, _frame: stop.set())
    while True:
        found = look(given)
        if found:
            words = f"{found}: this server is no primary any more; run failover_rejoin.yml"
            sys.stderr.write(f"{words}\n")
            if not given.watch:
                return 1
            # pylint: disable-next=ansible-bad-function
            subprocess.run(["systemctl", "stop", given.watch], check=False)
        if not given.watch or stop.wait(given.every):
            return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
