# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every task about one cluster works with."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    STATE_ROOT,
    ensure_directory,
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.backrest_access import (
    Access,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
    Deadline,
    OwnedPrograms,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.engine import Engine
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.native import Native
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.pgbackrest import (
    PgBackRest,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.records import Records
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.server import (
    Place,
    Server,
)

KILL_VARIABLE = "MAINSTAY_KILL_AT"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)%")
#: Seconds between two writes of the progress.
BEAT = 1.0


class Progress:
    """C(progress.json): percent, rate and remaining seconds of the work that goes on."""

    def __init__(self, path: str, check: bool) -> None:
        self.path = path
        self.check = check
        self._began = self._wrote = time.monotonic()
        self._what, self._size = "", 0

    def begin(self, what: str, size: int = 0) -> None:
        """A new piece of work, of C(size) bytes when that is known."""
        self._what, self._size = what, size
        self._began, self._wrote = time.monotonic(), 0.0
        self.report(0.0)

    def report(self, percent: float) -> None:
        """How far it is; written about once a second."""
        now = time.monotonic()
        if self.check or now - self._wrote < BEAT:
            return
        self._wrote = now
        passed = now - self._began
        remaining = passed * (100.0 - percent) / percent if percent > 0 else None
        write_json(
            self.path,
            {
                "what": self._what,
                "percent": round(percent, 1),
                "seconds": round(passed, 1),
                "remaining": None if remaining is None else round(remaining, 1),
                "rate": round(self._size * percent / 100 / passed) if passed > 0 else 0,
            },
        )

    def line(self, text: str) -> None:
        """A line of a program; the last percentage in it counts."""
        found = _PERCENT.findall(text)
        if found:
            self.report(min(float(found[-1]), 100.0))


@dataclass
class Context:
    """One task. In check mode nothing is written and nothing is started or stopped."""

    platform: str
    store: str
    repository: str
    server: Server
    programs: OwnedPrograms
    engine: Engine
    dumps_root: str
    directory: str
    records: Records
    progress: Progress
    deadline: Deadline
    params: Mapping[str, Any]
    check: bool = False
    kill: Callable[[str], None] = lambda point: None
    actions: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        """The clock of this host."""
        return datetime.now(timezone.utc)

    @property
    def heartbeat_file(self) -> str:
        """Where the heartbeat, which is not root, keeps the last row that was committed."""
        root = str(self.params.get("state_root") or STATE_ROOT)
        return os.path.join(f"{root}-heartbeat", f"{self.store}.json")

    def file(self, name: str) -> str:
        """A file in the state directory of the store."""
        return os.path.join(self.directory, name)


def context_from(params: Mapping[str, Any], *, check: bool) -> Context:
    """The context of a task from the arguments of its module."""
    _check_names(params)
    programs = OwnedPrograms(params["os_user"])
    data = os.path.normpath(params["data_directory"])
    config = params.get("config_file") or ""
    server = Server(
        Place(
            data_directory=data,
            socket_directory=params["socket_directory"],
            port=int(params["port"]),
            username=params["username"],
            bin_directory=params.get("bin_directory") or "",
            config_file=config,
            service=params.get("service") or "",
        ),
        programs,
    )
    repository = params.get("repository") or {}
    stanza = params.get("stanza") or params["store"]
    path = repository.get("path") or ""
    root = os.path.join(path, stanza) if path else ""
    directory = os.path.join(params["state_root"], params["platform"], "postgres", params["store"])
    if not check:
        ensure_directory(directory)
    return Context(
        platform=params["platform"],
        store=params["store"],
        repository=repository.get("name") or "local",
        server=server,
        programs=programs,
        engine=_engine(params, server, programs, stanza, root),
        dumps_root=root,
        directory=directory,
        records=Records(directory),
        progress=Progress(os.path.join(directory, "progress.json"), check),
        deadline=Deadline(float(params["timeout"])),
        params=params,
        check=check,
        kill=kill_switch(params["state_root"], os.environ.get(KILL_VARIABLE, "")),
    )


def _engine(
    params: Mapping[str, Any], server: Server, programs: OwnedPrograms, stanza: str, root: str
) -> Engine:
    if params["engine"] == "native":
        if not root:
            raise MainstayError(
                "the native engine needs a directory",
                subject="repository.path",
                found="nothing",
                expected="a directory for backups and WAL",
                next_step="set repository.path",
            )
        return Native(root, server, programs)
    number = int((params.get("repository") or {}).get("number") or 1)
    access = Access(params["pgbackrest_config"], stanza, number)
    return PgBackRest(access, programs, server.place.data_directory)


def _check_names(params: Mapping[str, Any]) -> None:
    names = {
        "platform": params["platform"],
        "store": params["store"],
        "stanza": params.get("stanza") or params["store"],
        "repository.name": (params.get("repository") or {}).get("name") or "local",
    }
    wrong = [f"{key} is {value!r}" for key, value in names.items() if not _NAME.match(str(value))]
    if not os.path.isabs(params["data_directory"]):
        wrong.append(f"data_directory is {params['data_directory']!r}, no absolute path")
    if wrong:
        raise MainstayError(
            "arguments are not valid",
            found="; ".join(wrong),
            expected="names of letters, digits, _ . - and absolute paths",
        )


def kill_switch(state_root: str, wanted: str) -> Callable[[str], None]:
    """For tests: kill this process at a point. Never with the state of a real host."""

    def kill(point: str) -> None:
        if wanted and point == wanted and state_root != STATE_ROOT:
            os.kill(os.getpid(), signal.SIGKILL)

    return kill
