# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk of its own, and of limited size, for the data of each host: Docker's, or PostgreSQL's.

Without one a host that is made to run out of space would take the whole machine with it.
"""

from __future__ import annotations

import os
import pathlib

from .settings import NETWORK, STATE
from .shell import BedError, run, succeeds

# Room for the images and containers of a platform; the file is sparse.
SIZE = "4G"
DISKS = STATE / "disks"


def ensure(name: str) -> str:
    """Make and mount the disk; return what docker --volume takes as its source.

    Where loop devices cannot be had (no root), a plain volume takes its place.
    """
    if os.geteuid() != 0:
        return volume(name)
    image, mounted = DISKS / f"{name}.img", DISKS / name
    if os.path.ismount(mounted):
        return str(mounted)
    mounted.mkdir(parents=True, exist_ok=True)
    try:
        if not image.exists():
            run(["truncate", f"--size={SIZE}", str(image)])
            # No blocks reserved for root: full means full.
            run(["mkfs.ext4", "-q", "-m", "0", str(image)])
        run(["mount", "-o", "loop", str(image), str(mounted)])
    except BedError:
        image.unlink(missing_ok=True)
        return volume(name)
    return str(mounted)


def volume(name: str) -> str:
    """The Docker volume that stands in for a disk."""
    return f"{NETWORK}-{name}"


def limited(name: str) -> bool:
    """Whether the host has a disk of limited size."""
    return os.path.ismount(DISKS / name)


def remove(name: str) -> None:
    """Unmount and delete."""
    mounted: pathlib.Path = DISKS / name
    if os.path.ismount(mounted):
        # Lazily: a container that is just being removed may hold it for a moment.
        run(["umount", "--lazy", str(mounted)])
    (DISKS / f"{name}.img").unlink(missing_ok=True)
    if mounted.exists():
        mounted.rmdir()
    succeeds(["docker", "volume", "rm", "--force", volume(name)])
