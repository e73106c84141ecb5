# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on command, each with its opposite."""

from __future__ import annotations

from typing import Callable

from . import disks, hosts, registry
from .settings import HOSTS, IMAGE, REGISTRY_CONTAINER, Host
from .shell import BedError, await_that, docker, inside

BALLAST = "bed-ballast"


def unreachable(host: Host) -> None:
    """Pull the cable: the host runs on and keeps its address, and nobody reaches it."""
    _cable(host, "down")


def back(host: Host) -> None:
    """Put the cable back."""
    _cable(host, "up")
    # Neighbours remember for a while that nobody was there.
    await_that(f"SSH on {host.name}", lambda: hosts.reachable(host.address), hosts.BOOT_TIMEOUT)


def _cable(host: Host, state: str) -> None:
    """Set the outer end of the host's network device; the inner end only loses its carrier.

    `docker network disconnect` would take the device away and bring it back under another name.
    """
    index = inside(host.container, "cat /sys/class/net/eth0/iflink")
    name = f"$(ip -o link | awk -F '[: @]+' '$1 == {int(index)} {{ print $2 }}')"
    words = ["--rm", "--network", "host", "--cap-add", "NET_ADMIN", f"{IMAGE}:{host.image}"]
    docker("run", *words, "sh", "-eu", "-c", f"ip link set dev {name} {state}")


def disk_full(host: Host) -> None:
    """Leave no byte on the disk of this host, Docker's or PostgreSQL's."""
    if not disks.limited(host.name):
        raise BedError(
            f"{host.name} shares its disk with this machine, so it is not filled."
            " Disks of limited size need root: run tests/testbed/up as root."
        )
    free = f"$(df --output=avail --block-size=1 {host.disk} | tail -1)"
    ballast = f"{host.disk}/{BALLAST}"
    # The first takes what there is in one go, the second what is left of metadata blocks.
    inside(
        host.container,
        f"fallocate -l {free} {ballast} || true\n"
        f"dd if=/dev/zero of={ballast}.rest bs=4k 2>/dev/null || true\n",
    )


def disk_free(host: Host) -> None:
    """Take the ballast away."""
    inside(host.container, f"rm -f {host.disk}/{BALLAST} {host.disk}/{BALLAST}.rest")


def reboot(host: Host) -> None:
    """Restart the machine and wait until it is up again."""
    docker("restart", "--time", "20", host.container)
    hosts.await_boot(host)


def power_off(host: Host) -> None:
    """Cut the power."""
    docker("kill", "--signal", "KILL", host.container)


def power_on(host: Host) -> None:
    """Start a machine that was cut off."""
    docker("start", host.container)
    hosts.await_boot(host)


def kill_nginx(host: Host) -> None:
    """Kill every process of Nginx."""
    inside(host.container, "systemctl kill --signal=KILL nginx.service")


def registry_down() -> None:
    """Kill the registry: its address stops answering."""
    docker("kill", REGISTRY_CONTAINER)


def registry_up() -> None:
    """Start the registry again."""
    docker("start", REGISTRY_CONTAINER)
    registry.await_up()


HOST_FAULTS: dict[str, Callable[[Host], None]] = {
    "unreachable": unreachable,
    "back": back,
    "disk-full": disk_full,
    "disk-free": disk_free,
    "reboot": reboot,
    "power-off": power_off,
    "power-on": power_on,
    "kill-nginx": kill_nginx,
}
REGISTRY_FAULTS: dict[str, Callable[[], None]] = {
    "registry-down": registry_down,
    "registry-up": registry_up,
}


def inflict(target: str, fault: str) -> None:
    """Apply a fault by name; `registry` takes the registry's faults, hosts take the others."""
    if fault in REGISTRY_FAULTS:
        REGISTRY_FAULTS[fault]()
        return
    if target not in HOSTS:
        raise BedError(f"Found host {target}, expected one of {', '.join(HOSTS)}.")
    if fault not in HOST_FAULTS:
        known = ", ".join([*HOST_FAULTS, *REGISTRY_FAULTS])
        raise BedError(f"Found fault {fault}, expected one of {known}.")
    HOST_FAULTS[fault](HOSTS[target])
