# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform C(inventories/demo_database) on the bed: its playbooks, its servers, its clients."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from evidence import bed

INVENTORY = "inventories/demo_database"
PLATFORM = "vault-staging"
STORE = "orders"
HOSTS = ("db1", "db2")
DATA = "/var/lib/postgresql/17/main"
UNIT = "postgresql@17-main"
PASSWORD = bed.ROOT / "build" / "testbed" / "secrets" / "orders_password"
PROGRAM = pathlib.Path(__file__).with_name("clients.py")
#: No playbook here takes longer, on two busy cores with three hosts.
LIMIT = 900.0
#: Rows of pgbench: 10 times 100,000 accounts, 160 MB.
SCALE = 10


def play(playbook: str, *arguments: str, **options: Any) -> bed.Run:
    """Run a playbook on the platform."""
    return bed.play(playbook, *arguments, inventory=INVENTORY, limit=LIMIT, **options)


def operation(run: bed.Run) -> dict[str, Any]:
    """What the run left for machines about its operation; empty when it left nothing."""
    stats = run.report.get("custom_stats") or {}
    left = (stats.get("_run") or {}).get("mainstay") or {}
    return dict(left.get("operation") or {})


def done_after(run: bed.Run, task: str) -> float:
    """Seconds from the start of a run to the end of the first task called C(task); -1 without."""
    tasks = [task for play in run.report.get("plays") or [] for task in play["tasks"]]
    ends = [float(item["ended"]) for item in tasks if item["name"].endswith(task)]
    return ends[0] if ends else -1.0


def came_to(run: bed.Run, outcome: str) -> dict[str, Any]:
    """The operation of a run that has to come to C(outcome), or an error with its output."""
    found = operation(run)
    if found.get("outcome") != outcome:
        raise AssertionError(f"{found.get('outcome')}, expected {outcome}:\n{run.tail(60)}")
    return found


def store(playbook: str, verb: str, *arguments: str, **options: Any) -> bed.Run:
    """An operation on the store, confirmed."""
    words = ("-e", f"restore_store={STORE}", "-e", f"ops_confirm={verb}-{PLATFORM}")
    return play(playbook, *words, *arguments, **options)


def sql(host: str, text: str, database: str = "postgres") -> str:
    """The answer of the server on a host to its administrator; empty when there is none."""
    psql = f"runuser -u postgres -- psql -XAtq -d {database} <<'STATEMENT'\n{text}\nSTATEMENT"
    return bed.on_host(host, f"cd /; {psql}", check=False).strip()


def primary() -> str:
    """The host whose server writes; empty when none does."""
    for host in HOSTS:
        if sql(host, "select pg_is_in_recovery()") == "f":
            return host
    return ""


def streams(host: str) -> int:
    """Replicas that stream from the server of a host."""
    query = "select count(*) from pg_stat_replication where state = 'streaming'"
    return int(sql(host, query) or 0)


def ready() -> str:
    """The platform up, whatever the rows before left; the primary of its store."""
    bed.testbed("up", *HOSTS, "db3", "s3")
    for host in HOSTS:
        # What earlier restores kept: the disks are small, and nobody goes back.
        bed.on_host(host, f"rm -rf {DATA}.*", check=False)
    now = primary()
    if not now or streams(now) != 1 or not _covered(now):
        run = play("databases.yml")
        if run.code != 0:
            raise AssertionError(run.tail(60))
        now = primary()
    if sql(now, "select to_regclass('pgbench_accounts') is not null", STORE) != "t":
        _fill(now)
    return now


def fresh() -> str:
    """The same on machines that nothing is on."""
    bed.testbed("down", *HOSTS, "db3", "s3")
    return ready()


def backups(host: str) -> set[tuple[int, str]]:
    """Backups of the store that pgBackRest lists on a host: number of the repository, label."""
    command = "cd /; runuser -u postgres -- pgbackrest --stanza=orders --output=json info"
    found = json.loads(bed.on_host(host, command, check=False) or "[]")
    known = found[0].get("backup", []) if found else []
    return {(int(item["database"]["repo-key"]), str(item["label"])) for item in known}


def _covered(host: str) -> bool:
    return {number for number, _label in backups(host)} == {1, 2}


def client_dsn() -> str:
    """What clients on a database host connect with: the pooler of that host, over TLS."""
    return f"host=127.0.0.1 port=6432 user={STORE} dbname={STORE} sslmode=require"


def _environment(host: str) -> str:
    """A shell's beginning that lets clients on C(host) log in, with no password in an argument."""
    line = f"127.0.0.1:6432:*:{STORE}:{PASSWORD.read_text().strip()}\n"
    give(host, "/root/.pgpass", line, "0600")
    return "cd /; export PGPASSFILE=/root/.pgpass;"


def inside(host: str, command: str) -> list[str]:
    """A shell's command as root on a host, which goes on while the caller does something else."""
    return ["docker", "exec", f"mainstay-bed-{host}", "sh", "-c", command]


def give(host: str, path: str, content: str, mode: str = "0644") -> None:
    """Write a file on a host."""
    command = f"umask 077; cat >{path}.new; chmod {mode} {path}.new; mv {path}.new {path}"
    subprocess.run(
        ["docker", "exec", "-i", f"mainstay-bed-{host}", "sh", "-c", command],
        input=content,
        text=True,
        check=True,
        timeout=60,
    )


def _fill(host: str) -> None:
    head = _environment(host)
    words = f"-h 127.0.0.1 -p 6432 -U {STORE} -i -q -s {SCALE}"
    bed.on_host(host, f"{head} PGSSLMODE=require pgbench {words} {STORE} 2>&1")


@dataclass
class Answers:
    """What clients were told: acknowledged commits with their time, and refused ones."""

    acknowledged: dict[tuple[int, int], float] = field(default_factory=dict)
    refused: list[tuple[float, str]] = field(default_factory=list)

    def missing(self, host: str) -> list[float]:
        """When commits were acknowledged that the server on C(host) does not have, in order."""
        lines = sql(host, "select client, number from told", STORE).splitlines()
        kept = {(int(a), int(b)) for a, b in (line.split("|") for line in lines)}
        return sorted(at for key, at in self.acknowledged.items() if key not in kept)

    def silence(self, moment: float) -> float:
        """The longest time without an acknowledged commit from C(moment) on; -1 without any.

        Not up to the first one: children of a killed postmaster answer until they notice.
        """
        stamps = [at for at in sorted(self.acknowledged.values()) if at >= moment - 1.0]
        return max((b - a for a, b in zip(stamps, stamps[1:])), default=-1.0)


def _parse(text: str) -> Answers:
    found = Answers()
    for line in text.splitlines():
        word, client, number, _sent, answered, words = [*line.split(" ", 5), ""][:6]
        if word == "ok":
            found.acknowledged[(int(client), int(number))] = float(answered)
        else:
            found.refused.append((float(answered), words))
    return found


@contextlib.contextmanager
def writers(host: str, count: int = 4) -> Iterator[Answers]:
    """Clients on C(host) that commit through its pooler; the answers are there when it ends."""
    head, log, stop = _environment(host), "/root/told.log", "/root/told.stop"
    give(host, "/root/clients.py", PROGRAM.read_text())
    bed.on_host(host, f"rm -f {log} {stop}")
    answers = Answers()
    words = f"--dsn '{client_dsn()}' --clients {count} --log {log} --stop {stop}"
    process = subprocess.Popen(
        inside(host, f"{head} exec python3 /root/clients.py {words}"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _await_first(host, log, process)
        yield answers
    finally:
        bed.on_host(host, f"touch {stop}", check=False)
        _out, errors = process.communicate(timeout=180)
    if process.returncode:
        raise AssertionError(errors[-500:])
    found = _parse(bed.on_host(host, f"cat {log}"))
    answers.acknowledged, answers.refused = found.acknowledged, found.refused


def _await_first(host: str, log: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while "ok " not in bed.on_host(host, f"head -c 200 {log} 2>/dev/null", check=False):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError("no client was told of a commit")
        time.sleep(0.1)  # a file on another machine tells nobody that it grew


@dataclass
class Bench:
    """pgbench at work; its output is there when the block ends."""

    output: str = ""

    def figure(self, words: str) -> int:
        """The number behind C(words) in its report; -1 when it is not there."""
        for line in self.output.splitlines():
            if line.startswith(words):
                return int(line.split(":")[1].split()[0].split("/")[0])
        return -1


@contextlib.contextmanager
def bench(host: str, clients: int = 8) -> Iterator[Bench]:
    """pgbench on C(host) through its pooler, until the block ends."""
    head = _environment(host)
    words = f"-h 127.0.0.1 -p 6432 -U {STORE} -n -c {clients} -j 2 -T 3600"
    process = subprocess.Popen(
        inside(host, f"{head} PGSSLMODE=require exec pgbench {words} {STORE} 2>&1"),
        stdout=subprocess.PIPE,
        text=True,
    )
    found = Bench()
    try:
        yield found
    finally:
        # The signal of its own clock: it ends as if its time were over, with its report.
        bed.on_host(host, "pkill -ALRM -x pgbench", check=False)
        found.output = process.communicate(timeout=180)[0]


def kill_server(host: str) -> float:
    """kill -9 of the postmaster of a host; when."""
    bed.on_host(host, f"kill -9 $(head -1 {DATA}/postmaster.pid)")
    died = time.time()
    deadline = time.monotonic() + 60
    while bed.on_host(host, "pgrep -u postgres -x postgres", check=False):
        if time.monotonic() > deadline:
            raise AssertionError(f"children of the postmaster on {host} go on")
        time.sleep(0.05)  # they notice its end by themselves
    return died


def phases(found: dict[str, Any]) -> str:
    """The times of a restore in words."""
    times = found.get("phases") or {}
    return ", ".join(f"{name} {float(took):.1f}" for name, took in times.items())
