# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL cluster with a real repository, below one temporary directory.

It listens on a socket only. No cluster of the machine is touched, no path of the system is used.
"""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any, Optional

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
ARCHIVER = ROOT / "plugins" / "module_utils" / "_postgres" / "archiver.py"
USER = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
PLATFORM = "demo-test"
LIMIT = 300.0


def newest_bin() -> pathlib.Path:
    """The server's programs on this machine."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert found, "PostgreSQL's server is needed: tests/tools/packages installs postgresql"
    return found[-1].parent


def as_user(command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as the owner of the clusters."""
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        entry = pwd.getpwnam(USER)
        identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return subprocess.run(
        command,
        cwd="/",
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
        check=False,
        **identity,
        **more,
    )


class Cluster:
    """One cluster: C(engine) is pgbackrest or native."""

    def __init__(self, engine: str = "pgbackrest", options: str = "") -> None:
        self.engine = engine
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="ms-pg-", dir="/tmp"))
        self.data = self.base / "main"
        self.repo = self.base / "repo"
        self.state = self.base / "state"
        self.config = self.base / "pgbackrest.conf"
        self.port = random.randint(20000, 60000)
        self.bin = newest_bin()
        shutil.chown(self.base, USER)
        os.chmod(self.base, 0o755)
        for name in ("repo", "log", "lock", "spool"):
            (self.base / name).mkdir(mode=0o755)
            shutil.chown(self.base / name, USER)
        self.config.write_text(
            f"[global]\nrepo1-path={self.repo}\nlog-path={self.base}/log\n"
            f"lock-path={self.base}/lock\nspool-path={self.base}/spool\n"
            f"compress-type=gz\ncompress-level=1\n{options}\n[db]\npg1-path={self.data}\n"
            f"pg1-port={self.port}\npg1-socket-path={self.base}\n"
        )
        self.initialise()

    def initialise(self) -> None:
        """A new cluster in the data directory."""
        done = as_user(
            [str(self.bin / "initdb"), "-D", str(self.data), "-k", "-A", "trust", "-N", "-U", USER]
        )
        assert done.returncode == 0, done.stdout
        with (self.data / "postgresql.conf").open("a") as handle:
            handle.write(
                f"port = {self.port}\nlisten_addresses = ''\n"
                f"unix_socket_directories = '{self.base}'\n"
                "fsync = off\nsynchronous_commit = on\nshared_buffers = 16MB\n"
                f"archive_mode = on\narchive_command = '{self.archive_command()}'\n"
                "max_wal_size = 256MB\nlog_min_messages = warning\n"
            )

    def archive_command(self) -> str:
        """The command of the engine."""
        if self.engine == "native":
            return f'/usr/bin/python3 {archiver_copy(self)} push {self.repo}/db "%p" "%f"'
        return f"pgbackrest --config={self.config} --stanza=db archive-push %p"

    def arguments(self, **more: Any) -> dict[str, Any]:
        """Arguments that all modules get."""
        return {
            "platform": PLATFORM,
            "engine": self.engine,
            "repository": {"name": "local", "number": 1, "path": str(self.repo)},
            "pgbackrest_config": str(self.config),
            "data_directory": str(self.data),
            "bin_directory": str(self.bin),
            "socket_directory": str(self.base),
            "port": self.port,
            "username": USER,
            "os_user": USER,
            "state_root": str(self.state),
            "timeout": LIMIT,
            **more,
        }

    def module(
        self, name: str, *, check: bool = False, kill_at: str = "", **more: Any
    ) -> dict[str, Any]:
        """The module's answer; C({"killed": True}) when it was killed on the way."""
        document = {"ANSIBLE_MODULE_ARGS": {**self.arguments(**more), "_ansible_check_mode": check}}
        done = subprocess.run(
            [sys.executable, str(HERE / "pg_module.py"), name],
            input=json.dumps(document),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
            env={
                **os.environ,
                "MAINSTAY_KILL_AT": kill_at,
                "PYTHONPATH": f"{ROOT / 'collections'}:{os.environ.get('PYTHONPATH', '')}",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )
        if done.returncode == -signal.SIGKILL:
            return {"killed": True}
        assert done.stdout.strip(), done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer

    def good(self, name: str, **more: Any) -> dict[str, Any]:
        """The answer of a module that has to succeed."""
        answer = self.module(name, **more)
        assert not answer.get("failed") and not answer.get("killed"), answer.get("msg", answer)
        return answer

    def bad(self, name: str, **more: Any) -> str:
        """The message of a module that has to fail."""
        answer = self.module(name, **more)
        assert answer.get("failed"), answer
        return str(answer["msg"])

    def restore(self, target: str = "latest", **more: Any) -> dict[str, Any]:
        """A restore that has to succeed."""
        more.setdefault("stop_running", True)
        return self.good("postgres_restore", target=target, confirm=f"restore-{PLATFORM}", **more)

    def prepare(self) -> None:
        """The repository, before the server archives anything."""
        if self.engine == "native":
            # The first backup makes it; the archive command waits for that.
            return
        argv = ["pgbackrest", f"--config={self.config}", "--stanza=db", "--no-online"]
        done = as_user([*argv, "stanza-create"])
        assert done.returncode == 0, done.stdout

    def start(self) -> None:
        """Start the server as its owner would."""
        log = str(self.base / "server.log")
        done = as_user(
            [str(self.bin / "pg_ctl"), "-D", str(self.data), "-l", log, "-w", "-s", "start"]
        )
        assert done.returncode == 0, pathlib.Path(log).read_text()

    def stop(self, mode: str = "fast") -> None:
        """Stop it."""
        if (self.data / "postmaster.pid").exists():
            as_user(
                [str(self.bin / "pg_ctl"), "-D", str(self.data), "-m", mode, "-w", "-s", "stop"]
            )

    def running(self) -> bool:
        """Whether a server runs in the data directory."""
        return as_user([str(self.bin / "pg_ctl"), "-D", str(self.data), "status"]).returncode == 0

    def kill(self) -> None:
        """kill -9 of the postmaster, and the end of all its children."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True, check=False
        ).stdout.split()
        os.kill(pid, signal.SIGKILL)
        for child in children:
            for _try in range(200):
                if not pathlib.Path(f"/proc/{child}").exists():
                    break
                time.sleep(0.05)  # children notice the end of the postmaster by themselves

    def sql(self, text: str, database: str = "postgres") -> str:
        """The answer to a query."""
        done = as_user(
            [
                *("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.base)),
                *("-p", str(self.port), "-U", USER, "-d", database, "-c", text),
            ]
        )
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def bench(self, *options: str) -> subprocess.CompletedProcess[str]:
        """pgbench on the database postgres."""
        command = [str(self.bin / "pgbench"), "-h", str(self.base), "-p", str(self.port)]
        return as_user([*command, "-U", USER, *options, "postgres"])

    def identifier(self) -> str:
        """The system identifier."""
        return self.sql("select system_identifier from pg_control_system()")

    def archive(self) -> dict[str, pathlib.Path]:
        """Stored WAL segments by name."""
        found = {}
        for path in self.repo.rglob("*"):
            head = path.name.split("-")[0]
            if path.is_file() and len(head) == 24 and "-" in path.name:
                found[head] = path
        return found

    def remove(self) -> None:
        """Stop what runs and remove everything."""
        for place in self.base.iterdir():
            if (place / "postmaster.pid").exists():
                argv = [str(self.bin / "pg_ctl"), "-D", str(place), "-m", "immediate", "-s", "stop"]
                as_user(argv)
        shutil.rmtree(self.base, ignore_errors=True)


def begin_cluster(engine: str, options: str = "") -> Cluster:
    """A cluster with a first backup and one row."""
    made = Cluster(engine, options)
    try:
        made.prepare()
        made.start()
        made.sql("create table mark (id int primary key, at timestamptz default clock_timestamp())")
        made.good("postgres_backup")
        made.sql("insert into mark values (1)")
    except BaseException:
        made.remove()
        raise
    return made


def archiver_copy(cluster: Cluster) -> str:
    """The archive command in a place that its user can read."""
    path = cluster.base / "mainstay-archive.py"
    if not path.exists():
        shutil.copyfile(ARCHIVER, path)
        os.chmod(path, 0o755)
    return shlex.quote(str(path))


def flip(path: pathlib.Path, offset: Optional[int] = None) -> None:
    """Change one bit in the middle of a file, or at C(offset)."""
    data = bytearray(path.read_bytes())
    place = len(data) // 2 if offset is None else offset
    data[place] ^= 0x10
    path.write_bytes(bytes(data))
