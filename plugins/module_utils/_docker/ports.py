# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host ports for containers: chosen once, kept for the life of the container. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def parse_range(text: str) -> tuple[int, int]:
    """C("20000-29999") as first and last port."""
    first, dash, last = text.partition("-")
    if not dash or not first.strip().isdigit() or not last.strip().isdigit():
        raise _invalid(text)
    low, high = int(first), int(last)
    if not 0 < low <= high < 65536:
        raise _invalid(text)
    return low, high


def publishing_address(text: str) -> str:
    """The private address of a host as the Engine takes it.

    A name would be looked up by each edge anew, C(0.0.0.0) publishes on every address of the host,
    and the rules of published ports are for IPv4 alone (docs/decisions/0041).
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        found = f"{text!r}, which is a name" if text else "nothing"
    else:
        if address.version == 4 and not (address.is_unspecified or address.is_multicast):
            return str(address)
        found = (
            f"{text}, which is {'every address' if address.is_unspecified else 'no IPv4 unicast'}"
        )
    raise MainstayError(
        "not an address that containers can be published on; nothing was changed",
        subject="platform_address of this host, or ansible_host without one",
        found=found,
        expected="one private IPv4 address of this host, like 10.0.0.11",
        next_step="set platform_address of this host in the inventory",
    )


def allocate(
    bounds: tuple[int, int],
    count: int,
    used: Collection[int],
    after: int = 0,
    free: Callable[[int], bool] = lambda port: True,
) -> list[int]:
    """C(count) ports that are not in C(used) and for which C(free) holds.

    The search starts behind C(after) (the port given last) and wraps around, so that a port is
    used again as late as possible: an edge may remember it for a while.
    """
    low, high = bounds
    size = high - low + 1
    start = after + 1 - low if low <= after < high else 0
    found: list[int] = []
    for offset in range(size):
        if len(found) == count:
            break
        port = low + (start + offset) % size
        if port not in used and free(port):
            found.append(port)
    if len(found) < count:
        raise MainstayError(
            "no free host port is left for the containers",
            subject=f"ports {low}-{high}",
            found=f"{len(found)} free",
            expected=f"{count} free",
            next_step="run docker_prune, lower release.retain, or set a wider port_range",
        )
    return found


def _invalid(text: str) -> MainstayError:
    return MainstayError(
        "not a range of ports", subject="port_range", found=repr(text), expected="like 20000-29999"
    )
