# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container needs so that systemd and Docker run inside it, by cgroup version."""

from __future__ import annotations

import pathlib

# CAP_SYS_RESOURCE: where it is not in the bounding set, docker run --privileged fails.
_SYS_RESOURCE = 1 << 24
_CAPABILITIES = ("SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "NET_RAW")
_UNCONFINED = ("seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined")


def version() -> int:
    """1 or 2, of this machine."""
    return 2 if pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1


def may_be_privileged(status: str) -> bool:
    """Whether the bounding set in a /proc/PID/status allows all that --privileged asks for."""
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) & _SYS_RESOURCE)
    return False


def flags(cgroup: int, privileged: bool) -> list[str]:
    """Flags of docker create."""
    words = ["--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec"]
    words += ["--env", "container=docker", "--stop-signal", "SIGRTMIN+3"]
    if cgroup == 2 and privileged:
        return [*words, "--privileged", "--cgroupns=private"]
    for capability in _CAPABILITIES:
        words += ["--cap-add", capability]
    for option in _UNCONFINED:
        words += ["--security-opt", option]
    words += ["--cgroupns=host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"]
    if cgroup == 1:
        words += ["--env", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"]
    return words


def detected() -> list[str]:
    """The flags for this machine."""
    status = pathlib.Path("/proc/self/status").read_text(encoding="utf-8")
    return flags(version(), may_be_privileged(status))
