# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Nginx of this host as processes: test a tree, start, reload, see new workers, ask it."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import ssl
import subprocess
from dataclasses import dataclass
from typing import Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

PID_FILE = "/run/nginx.pid"
ERROR_LOG = "/var/log/nginx/error.log"
#: Reading certificates and opening logs takes well under a second.
COMMAND_TIMEOUT = 60.0


@dataclass(frozen=True)
class Probe:
    """A request to the edge on this host and the status it must have."""

    port: int
    path: str
    tls: bool
    host: str
    status: int = 200


class Nginx(Protocol):
    """What nginx_config needs of Nginx."""

    def test(self, configuration: str) -> None:
        """Raise L(MainstayError) when the configuration is not valid."""

    def running(self) -> bool:
        """Whether a master process lives."""

    def start(self) -> None:
        """Start the service."""

    def reload(self) -> None:
        """Ask the master for workers with the new configuration."""

    def workers(self) -> frozenset[int]:
        """Workers that accept connections."""

    def ask(self, probe: Probe) -> str:
        """Empty when the answer is as wanted, else what was found."""

    def log_end(self) -> int:
        """Where its error log ends now."""

    def complaints(self, position: int) -> tuple[str, ...]:
        """Why the master refused a configuration, as logged after C(position)."""

    def version(self) -> str:
        """C(1.26.3); empty when Nginx is not installed."""


class HostNginx:
    """The packaged Nginx under systemd."""

    def test(self, configuration: str) -> None:
        """See L(Nginx)."""
        done = _run(["nginx", "-t", "-q", "-c", configuration])
        if done.returncode != 0:
            tree = os.path.dirname(configuration) + "/"
            lines = [line.replace(tree, "") for line in done.stderr.splitlines() if line.strip()]
            raise MainstayError(
                "Nginx does not accept the configuration; nothing was changed",
                subject="nginx -t",
                found=f"exit status {done.returncode}",
                expected="exit status 0",
                evidence=tuple(lines[-5:]),
            )

    def running(self) -> bool:
        """See L(Nginx)."""
        return _master() is not None

    def start(self) -> None:
        """See L(Nginx)."""
        done = _run(["systemctl", "start", "nginx"])
        if done.returncode != 0:
            log = _run(["journalctl", "-u", "nginx", "-n", "5", "--no-pager", "-o", "cat"])
            raise MainstayError(
                "Nginx does not start",
                subject="nginx.service",
                found=done.stderr.strip()[:200],
                expected="a running service",
                next_step="journalctl -u nginx",
                evidence=tuple(log.stdout.splitlines()[-5:]),
            )

    def reload(self) -> None:
        """See L(Nginx)."""
        master = _master()
        if master is None:
            self.start()
        else:
            os.kill(master, signal.SIGHUP)

    def workers(self) -> frozenset[int]:
        """See L(Nginx)."""
        master = _master()
        if master is None:
            return frozenset()
        return frozenset(
            pid for pid in _children(master) if re.match(r"nginx: worker process\s*$", _title(pid))
        )

    def ask(self, probe: Probe) -> str:
        """See L(Nginx). The certificate is not verified: the request does not leave the host."""
        connection: http.client.HTTPConnection
        if probe.tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection = http.client.HTTPSConnection(
                "127.0.0.1", probe.port, timeout=5, context=context
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", probe.port, timeout=5)
        try:
            connection.request("GET", probe.path, headers={"Host": probe.host})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        finally:
            connection.close()
        return "" if status == probe.status else f"status {status}"

    def log_end(self) -> int:
        """See L(Nginx)."""
        try:
            return os.stat(ERROR_LOG).st_size
        except FileNotFoundError:
            return 0

    def complaints(self, position: int) -> tuple[str, ...]:
        """See L(Nginx). The level emerg is for configurations alone."""
        try:
            with open(ERROR_LOG, encoding="utf-8", errors="replace") as handle:
                handle.seek(position)
                return tuple(line.strip() for line in handle if " [emerg] " in line)[-5:]
        except FileNotFoundError:
            return ()

    def version(self) -> str:
        """See L(Nginx)."""
        if shutil.which("nginx") is None:
            return ""
        found = re.search(r"nginx/(\S+)", _run(["nginx", "-v"]).stderr)
        return found.group(1) if found else ""


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        # This code has no module at hand: it is also what the tests of a container drive.
        # pylint: disable-next=ansible-bad-function
        return subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False
        )
    except FileNotFoundError as error:
        raise MainstayError(
            "the program is not installed",
            subject=command[0],
            expected="a host made an edge by the role nginx",
            next_step="run site.yml",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise MainstayError(
            "the command did not end",
            subject=" ".join(command),
            expected=f"an end within {COMMAND_TIMEOUT:g} s",
            next_step="systemctl status nginx",
        ) from error


def _master() -> Optional[int]:
    try:
        with open(PID_FILE, encoding="ascii") as handle:
            pid = int(handle.read().strip() or 0)
    except (FileNotFoundError, ValueError):
        return None
    return pid if pid and _title(pid).startswith("nginx: master") else None


def _title(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as handle:
            return handle.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as handle:
            return [int(word) for word in handle.read().split()]
    except OSError:
        return []
