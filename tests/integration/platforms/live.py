# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A platform of an inventory on machines of the bed: run its playbooks, look at its containers."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

from overlay import ROOT, Overlay, described, overlay
from visitor import Visitor

sys.path.insert(0, str(ROOT / "tests"))

from evidence import bed

_LABEL = "io.mainstay."


@dataclass(frozen=True)
class Container:
    """What docker inspect says of one container."""

    host: str
    data: dict[str, Any]

    @property
    def id(self) -> str:
        """Its identity: another one means that it was made again."""
        return str(self.data["Id"])

    @property
    def settings(self) -> dict[str, Any]:
        """The part about its host."""
        return dict(self.data["HostConfig"])

    @property
    def env(self) -> dict[str, str]:
        """Its environment."""
        return dict(line.split("=", 1) for line in self.data["Config"]["Env"])

    def label(self, name: str) -> str:
        """One of the collection's labels."""
        return str(self.data["Config"]["Labels"].get(_LABEL + name, ""))

    @property
    def figures(self) -> tuple[float, int]:
        """Limits: cores and MiB."""
        return self.settings["NanoCpus"] / 1e9, self.settings["Memory"] // 2**20


class Live:
    """One platform while it is up."""

    def __init__(self, inventory: str) -> None:
        self.inventory = inventory
        self.on_bed: Overlay = overlay(inventory)
        self.variables = described(inventory)
        #: The run in check mode before the first one, on machines where nothing is set up.
        self.foreseen: bed.Run | None = None
        self.first: bed.Run | None = None
        self.id = f"{self.variables['platform_name']}-{self.variables['platform_stage']}"

    def machines_up(self, *, fresh: bool = True) -> None:
        """The machines; what was on them is gone when they shall be C(fresh)."""
        bed.testbed("up", "registry", *self.on_bed.servers)
        if fresh:
            bed.testbed("down", *self.on_bed.machines)
        bed.testbed("up", *self.on_bed.machines)

    def machines_down(self) -> None:
        """Give the memory back."""
        bed.testbed("down", *self.on_bed.machines)

    def play(self, playbook: str, *arguments: str) -> bed.Run:
        """Run a playbook of the collection on the platform."""
        return bed.play(
            playbook,
            *self.on_bed.arguments,
            *arguments,
            inventory=self.on_bed.inventory,
            environment=self.on_bed.environment,
        )

    def visitor(self, edge: str) -> Visitor:
        """A client of the edge on the host C(edge) of the inventory."""
        keeper = self.on_bed.machines[0]
        authority = bed.on_host(keeper, f"cat /var/lib/mainstay/{self.id}/ca/ca.crt")
        domain = str(self.variables["platform_domain"])
        return Visitor(self.on_bed.address(edge), domain, authority)

    def containers(self, service: str, running: bool = True) -> list[Container]:
        """The containers of a service or store on all hosts, those that serve first."""
        found = []
        own = f"label={_LABEL}platform={self.id} --filter label={_LABEL}service={service}"
        # A host that is an edge only has no Docker at work.
        listing = f"docker ps -q {'' if running else '-a'} --filter {own} 2>/dev/null || true"
        for host in self.on_bed.machines:
            ids = bed.on_host(host, listing)
            if ids.split():
                data = json.loads(bed.on_host(host, f"docker inspect {' '.join(ids.split())}"))
                found += [Container(host, one) for one in data]
        return found

    def serving(self, service: str) -> list[Container]:
        """The containers of the newest release of a service."""
        every = self.containers(service)
        newest = max(container.label("origin") for container in every)
        return [container for container in every if container.label("origin") == newest]

    def spread(self, service: str) -> Counter[str]:
        """How many containers serve, by machine."""
        return Counter(container.host for container in self.serving(service))

    def in_network(self, host: str, image: str, environment: dict[str, str], command: str) -> str:
        """Output of C(command) in a container beside the services."""
        given = " ".join(f"{name}='{value}'" for name, value in environment.items())
        names = " ".join(f"-e {name}" for name in environment)
        run = f"docker run --rm {names} --network mainstay-{self.id} {image}"
        return bed.on_host(host, f"{given} {run} {command}").strip()

    def statuses_from(
        self, machine: str, edge: str, path: str, count: int
    ) -> tuple[Counter[int], float]:
        """Statuses of C(count) requests from a machine of the bed, and the seconds they took."""
        address, domain = self.on_bed.address(edge), self.variables["platform_domain"]
        script = _FLOOD.format(address=address, domain=domain, path=path, count=count)
        answer = json.loads(bed.on_host(machine, f"python3 - <<'END'\n{script}\nEND"))
        return Counter(answer["statuses"]), float(answer["seconds"])


_FLOOD = """
import http.client, json, ssl, time
context = ssl._create_unverified_context()
connection = http.client.HTTPSConnection("{address}", timeout=10, context=context)
statuses, begun = [], time.monotonic()
for _number in range({count}):
    connection.request("GET", "{path}", headers={{"Host": "{domain}"}})
    answer = connection.getresponse()
    answer.read()
    statuses.append(answer.status)
print(json.dumps({{"statuses": statuses, "seconds": time.monotonic() - begun}}))
"""
