# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs this playbook, where, and whether a process that held a lock is still there.

Used by action plugins, on the controller.
"""

from __future__ import annotations

import getpass
import grp
import hashlib
import os
import pathlib
import pwd
import socket
import subprocess
from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import Controller

#: Reading the revision must not hold up a release: a network file system may hang.
GIT_SECONDS = 5.0
#: Start times of processes that have none: not to be seen in /proc, and ended but not reaped.
UNSEEN, ENDED = 0, -1


def _read(path: str) -> str:
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def started_at(pid: int) -> int:
    """Start time of a process in clock ticks since boot; C(UNSEEN) when it cannot be read."""
    text = _read(f"/proc/{pid}/stat")
    if not text:
        return UNSEEN
    # The name in parentheses may hold spaces; the state is the first field after it.
    fields = text.rpartition(")")[2].split()
    return ENDED if fields[0] == "Z" else int(fields[19])


def this_controller(pid: int) -> Controller:
    """The identity of process C(pid) on this machine."""
    machine = _read("/etc/machine-id") or socket.gethostname()
    namespace = os.readlink("/proc/self/ns/pid") if os.path.exists("/proc/self/ns/pid") else ""
    return Controller(
        machine=hashlib.sha256(f"{machine}{namespace}".encode()).hexdigest()[:16],
        boot=_read("/proc/sys/kernel/random/boot_id"),
        hostname=socket.gethostname(),
        pid=pid,
        started=started_at(pid),
    )


def is_gone(holder: Controller, here: Controller) -> bool:
    """True when C(holder) was a process of this machine that does not exist any more.

    A holder on another machine, in another process namespace or from another boot is never called
    gone: clones and containers share machine ids, so a foreign boot id may be a second machine at
    work. Its lease ends by itself.
    """
    if not holder.machine or not holder.boot or not holder.pid or not holder.started:
        return False
    if (holder.machine, holder.boot) != (here.machine, here.boot):
        return False
    return not _exists(holder.pid) or started_at(holder.pid) not in (holder.started, UNSEEN)


def _exists(pid: int) -> bool:
    """False when there is no such process; one of another user that /proc hides does exist."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main_process() -> int:
    """Id of the C(ansible-playbook) process: an action runs in a fork of it."""
    return os.getppid()


def git_revision(directory: str) -> Optional[str]:
    """Commit of the checkout around C(directory), with C(+changes) when files differ from it."""
    try:
        head = _git(directory, "rev-parse", "--short=12", "HEAD")
        changes = _git(directory, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{head}+changes" if changes else head


def _git(directory: str, *arguments: str) -> str:
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        ["git", "-C", directory, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=GIT_SECONDS,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.strip()


def run_facts(variables: Mapping[str, Any], directory: str) -> dict[str, Any]:
    """The fact C(run): who started this, where, from which AWX job and which revision."""
    job = variables.get("awx_job_id") or variables.get("tower_job_id") or os.environ.get("JOB_ID")
    user = variables.get("awx_user_name") or variables.get("tower_user_name")
    return {
        "who": str(user or os.environ.get("SUDO_USER") or _user()),
        "controller": socket.gethostname(),
        "awx_job_id": str(job) if job else None,
        "git_revision": git_revision(directory),
    }


def user_groups(name: str) -> list[str]:
    """Groups of a user of this machine; none for a name that only AWX knows."""
    try:
        ids = os.getgrouplist(name, pwd.getpwnam(name).pw_gid)
    except (KeyError, OSError):
        return []
    return sorted(group.gr_name for group in grp.getgrall() if group.gr_gid in ids)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
