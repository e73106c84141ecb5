# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several rows need: changed descriptions, what runs where, faults at a task."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import yaml

from evidence.bed import ROOT, WORK, containers, on_host

APPS = ("app1", "app2", "app3")
#: All kinds of visitors at once: 150 keep-alive clients (GET and POST, never retried), HTTP/2, no
#: keep-alive, slow requests of 5 s, open WebSockets.
VISITORS = ("--clients=150", "--interval=200ms", "--h2=10", "--fresh=10", "--slow=10", "--ws=20")
COMMAND = "tests/evidence/run docker {}"


def changed(name: str, change: Callable[[dict[str, Any]], None], group: str) -> tuple[str, str]:
    """Extra variables: the demo's C(platform_<group>) with C(change) made to it."""
    source = ROOT / "inventories" / "demo" / "group_vars" / "all"
    files = {"release": "release.yml", "services": "platform.yml", "edge": "edge.yml"}
    data = yaml.safe_load((source / files[group]).read_text())[f"platform_{group}"]
    change(data)
    target = WORK / f"{name}.json"
    WORK.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({f"platform_{group}": data}))
    return "-e", f"@{target}"


def at_once() -> tuple[str, str]:
    """A release policy that keeps no old version warm, so that what is left over shows."""

    def change(release: dict[str, Any]) -> None:
        release["keep_warm"] = 0
        release["drain"] = "2s"

    return changed("at-once", change, "release")


def inject(moment: str, task: str, command: str) -> dict[str, str]:
    """Environment that causes a fault at a task; see callback/inject.py."""
    plugins = pathlib.Path(__file__).resolve().parents[1] / "callback"
    return {
        "MAINSTAY_INJECT": f"{moment}|{task}|{command}",
        "ANSIBLE_CALLBACK_PLUGINS": str(plugins),
        "ANSIBLE_CALLBACKS_ENABLED": "mainstay.platform.timeline,inject",
    }


def serving(hosts: tuple[str, ...] = APPS) -> dict[str, dict[str, str]]:
    """Release by service as each host's journal has it, checked against what runs there."""
    found: dict[str, dict[str, str]] = {}
    for host in hosts:
        journal = json.loads(bed_state(host, "journal.json"))
        running = containers(host)
        found[host] = {
            service: origin if _runs(running, service, origin) else "does not run"
            for service, origin in journal["serving"].items()
            if _runs(running, service, origin) or service != "worker"
        }
    return found


def _runs(running: dict[str, str], service: str, origin: str) -> bool:
    return any(f"-{service}-" in name and name.endswith(origin[-6:]) for name in running)


def bed_state(host: str, name: str) -> str:
    """A file of the collection's state on a host."""
    return on_host(host, f"cat /var/lib/mainstay/demo-production/{name}")


def leftovers(release_id: str, hosts: tuple[str, ...] = APPS) -> list[str]:
    """Containers a failed release left, running or not."""
    return [
        name
        for host in hosts
        for name in containers(host, running=False)
        if name.endswith(release_id[-6:])
    ]


def versions(hosts: tuple[str, ...] = APPS) -> dict[str, set[str]]:
    """Origins (last part of the names) by service of all running containers of the fleet."""
    found: dict[str, set[str]] = {}
    for host in hosts:
        for name in containers(host):
            service, _replica, origin = name.rsplit("-", 2)
            found.setdefault(service, set()).add(origin)
    return found


def lone(found: dict[str, set[str]]) -> bool:
    """True when no service runs in two versions."""
    return bool(found) and all(len(origins) == 1 for origins in found.values())
