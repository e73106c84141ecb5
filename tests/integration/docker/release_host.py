# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release engine on this machine, called as the module calls it."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
PLATFORM = "mse-integration"
SECRET = "canary-5e1f0c7d"


def run(*command: str, **options: Any) -> str:
    """Output of a command that must succeed."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: {done.stderr or done.stdout}"
    return done.stdout


def spec(images: str, name: str = "api", version: str = "1.0.0", **changes: Any) -> dict[str, Any]:
    """A service as the view gives it; C(replicas) is a count here."""
    port = changes.pop("port", 8080)
    env = {"PORT": str(port)} if port else {}
    found: dict[str, Any] = {
        "name": name,
        "kind": "service" if port else "worker",
        "image": f"{images}/{changes.pop('repository', 'api')}:{version}",
        "port": port,
        "env": {**env, **changes.pop("env", {})},
        "health": {
            "path": "/health" if port else None,
            "grace": changes.pop("grace", 20.0),
            "interval": 0.5,
            "timeout": 2.0,
        },
        "stop_grace": 3.0,
    }
    count = changes.pop("replicas", 2)
    found.update(changes)
    text = json.dumps(found, sort_keys=True)
    found["config_hash"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    found["replicas"] = list(range(1, count + 1))
    return found


class Host:
    """The engine on this machine, with a state directory of its own."""

    def __init__(self, state_root: pathlib.Path) -> None:
        self.root = state_root

    def call(
        self, state: str, release_id: str, *, kill_at: str = "", **more: Any
    ) -> dict[str, Any]:
        """The module's answer; C({"killed": True}) when it was killed on the way."""
        asked = {
            "platform": PLATFORM,
            "release_id": release_id,
            "fence": 1,
            "state": state,
            "keep_warm": 0.0,
            "retain": 1,
            "state_root": str(self.root),
            **more,
        }
        done = subprocess.run(
            [sys.executable, str(HERE / "drive.py")],
            input=json.dumps(asked),
            env={**os.environ, "MAINSTAY_KILL_AT": kill_at},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == -9:
            return {"killed": True}
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def info(self, **more: Any) -> dict[str, Any]:
        """The fact of docker_release_info."""
        return self.call("", "", **more)["host"]  # type: ignore[no-any-return]

    def containers(self) -> dict[str, str]:
        """Name without the platform to state."""
        out = run(
            "docker", "ps", "-a", "--filter", f"label=io.mainstay.platform={PLATFORM}",
            "--format", "{{.Names}} {{.State}}",
        )  # fmt: skip
        pairs = (line.split() for line in out.splitlines())
        return {name[len(PLATFORM) + 1 :]: state for name, state in pairs}

    def clean(self) -> None:
        """Remove everything of the platform."""
        for kind, remove in (
            ("ps -aq", "rm -f"),
            ("volume ls -q", "volume rm"),
            ("network ls -q", "network rm"),
        ):
            found = run(
                "docker", *kind.split(), "--filter", f"label=io.mainstay.platform={PLATFORM}"
            ).split()
            if found:
                run("docker", *remove.split(), *found)
