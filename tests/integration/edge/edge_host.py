# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container that is an edge: the distribution's Nginx, the view's configuration, the modules."""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
import subprocess
import time
from collections.abc import Callable
from typing import Any, Optional

import ansible

from ansible_collections.mainstay.platform.plugins.module_utils._nginx.site import (
    secret_files,
    site,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Edge,
    Maintenance,
    Platform,
    Route,
    Service,
    Tls,
)

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
PREFIX = "mainstay-edge-test"
COLLECTION = "/opt/python/ansible_collections/mainstay/platform"
OLD, NEW = "20261121T061500Z-1a2b3c", "20261121T071500Z-4d5e6f"
OLD_PORTS, NEW_PORTS = (20001, 20002, 20003), (20011, 20012, 20013)
BYPASS = "let-me-through-please"

PLATFORM = Platform(
    name="shop",
    stage="production",
    domain="shop.example.com",
    services=(
        Service(
            name="api",
            image="api",
            version="1",
            port=3000,
            routes=(Route(path="/"), Route(path="/ws", websocket=True, read_timeout=3600.0)),
        ),
    ),
    edge=Edge(
        tls=Tls(mode="off"),
        headers={"X-Frame-Options": "DENY"},
        maintenance=Maintenance(retry_after=77, bypass_secret="bypass"),
    ),
)


def members(ports: tuple[int, ...]) -> list[dict[str, Any]]:
    """The members of a group on these ports of the edge itself."""
    return [{"address": f"127.0.0.1:{port}"} for port in ports]


def group(release: str, ports: tuple[int, ...], share: float = 100.0) -> dict[str, Any]:
    """One group of a document."""
    return {"release": release, "share": share, "members": members(ports)}


def only(release: str) -> dict[str, Any]:
    """The document that sends everything to one release."""
    ports = OLD_PORTS if release == OLD else NEW_PORTS
    return {"api": {"groups": [group(release, ports)]}}


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """One call of the client; its error output belongs to the failure."""
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0 or not check, f"docker {' '.join(arguments)}: {done.stderr.strip()}"
    return done


def _program(release: str, ports: tuple[int, ...]) -> str:
    """Shell words that start members and wait until they listen."""
    words = " ".join(str(port) for port in ports)
    rows = " ".join(f"0100007F:{port:04X}" for port in ports)
    return (
        f"nohup python3 /opt/test/program.py {release} {words} >/dev/null 2>&1 & "
        f'for row in {rows}; do until grep -q "$row 00000000:0000 0A" /proc/net/tcp; '
        "do sleep 0.02; done; done; "
    )


def until(check: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """The first true value of C(check)."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"not reached in {seconds:g} s: {what}"
        time.sleep(0.02)


@dataclasses.dataclass
class EdgeHost:
    """One container."""

    name: str
    platform: Platform = PLATFORM
    fence: int = 1
    configured: dict[str, str] = dataclasses.field(default_factory=dict, repr=False)

    @classmethod
    def start(cls, image: str, name: str) -> EdgeHost:
        """Container, programs and Nginx up; no members yet."""
        packages = pathlib.Path(ansible.__file__).parent
        docker(
            *("run", "-d", "--init", "--name", name, "--entrypoint", "sleep"),
            *("-v", f"{packages}:/opt/python/ansible:ro"),
            *("-v", f"{ROOT / 'plugins'}:{COLLECTION}/plugins:ro"),
            *("-v", f"{HERE}:/opt/test:ro"),
            *(image, "infinity"),
        )
        host = cls(name)
        host.sh(f"mkdir -p -m 700 /run/mainstay-edge /var/lib/mainstay/{host.platform.id}")
        host.sh("nginx")
        done = host.configure()
        assert not done.get("failed"), done["msg"]
        return host

    def sh(self, command: str, *, check: bool = True) -> str:
        """Output of a shell command as root."""
        return docker("exec", self.name, "sh", "-c", command, check=check).stdout

    def program(self, release: str, *ports: int) -> None:
        """Members of one release on these ports, listening."""
        self.sh(_program(release, ports))

    def kill_program(self, release: str) -> None:
        """As a container that dies: nothing listens on its ports any more."""
        self.sh(f"pkill -9 -f '[p]rogram.py {release}'")

    def stop(self) -> None:
        """End Nginx at once, as a crash would."""
        self.sh("pkill -9 nginx; while pgrep nginx; do sleep 0.05; done >/dev/null", check=False)

    def launch(self) -> None:
        """Start Nginx as the service does."""
        self.sh("rm -f /run/mainstay-edge/control.sock; nginx")

    def restart(self, *, clean: bool = False) -> None:
        """Nginx and programs anew; C(clean) also forgets members, maintenance and configuration."""
        state = f"/var/lib/mainstay/{self.platform.id}"
        self.stop()
        self.sh("pkill -9 -f '[p]rogram.py'", check=False)
        self.sh(
            (f"rm -rf {state} /var/log/nginx/{self.platform.id}.*; " if clean else "")
            + _program(OLD, OLD_PORTS)
            + _program(NEW, NEW_PORTS)
            + "rm -f /run/mainstay-edge/control.sock; nginx"
        )
        if clean and self.configured != self.files():
            self.configure()

    @functools.cached_property
    def address(self) -> str:
        """Where clients reach the edge."""
        return docker(
            "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", self.name
        ).stdout.strip()

    @functools.cached_property
    def version(self) -> tuple[int, ...]:
        """Version of its Nginx."""
        words = self.sh("nginx -v 2>&1").split("nginx/")[1].split()[0]
        return tuple(int(part) for part in words.split("."))

    def files(self, platform: Optional[Platform] = None) -> dict[str, str]:
        """What the role gives to nginx_config."""
        lua = {
            f"mainstay/lua/{path.name}": path.read_text("utf-8")
            for path in sorted((ROOT / "roles/nginx/files/lua").glob("*.lua"))
        }
        return {**site(platform or self.platform, self.version), **lua}

    def configure(self, **changes: Any) -> dict[str, Any]:
        """One run of nginx_config."""
        arguments = {
            "files": self.files(),
            "secrets": secret_files(self.platform, BYPASS),
            "probe": {"port": 80, "path": "/-/health", "host": self.platform.domain},
            **changes,
        }
        self.configured = arguments["files"]
        return self.module("nginx_config", **arguments)

    def upstreams(self, document: dict[str, Any], **more: Any) -> dict[str, Any]:
        """One run of nginx_upstream."""
        return self.module(
            "nginx_upstream",
            platform=self.platform.id,
            fence=self.fence,
            upstreams=document,
            **more,
        )

    def info(self, **more: Any) -> dict[str, Any]:
        """The fact of nginx_upstream_info."""
        found = self.module("nginx_upstream_info", platform=self.platform.id, **more)
        assert not found.get("failed"), found
        return dict(found["edge"])

    def module(self, name: str, check: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run a module as Ansible does on a host: arguments in, JSON out."""
        given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        done = subprocess.run(
            [
                *("docker", "exec", "-i", "-e", "PYTHONPATH=/opt/python", self.name),
                *("python3", "/opt/test/run_module.py", name),
            ],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": given}),
            capture_output=True,
            text=True,
            check=False,
        )
        lines = done.stdout.strip().splitlines()
        assert lines, f"{name} said nothing: {done.stderr}"
        return dict(json.loads(lines[-1]))

    def remove(self) -> None:
        """The container and all in it."""
        docker("rm", "-f", self.name)
