# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of the hosts, built once per recipe: a Debian tree, then one script per layer."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from typing import Optional

from . import debian
from .settings import IMAGE, RECIPES, STATE
from .shell import BedError, docker

LABEL = "io.mainstay.bed.recipe"
LABEL_FORMAT = f'{{{{index .Config.Labels "{LABEL}"}}}}'
_BASE = (
    "ca-certificates",
    "curl",
    "dbus",
    "iproute2",
    "iptables",
    "kmod",
    "openssh-server",
    "procps",
    "python3",
    # Without it every host installs it in its first apt task.
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One image: a script run on a parent image or on a fresh tree."""

    tag: str
    script: str
    parent: Optional[str] = None
    tree: Optional[debian.Tree] = None


RECIPES_BY_TAG: dict[str, Recipe] = {
    recipe.tag: recipe
    for recipe in (
        Recipe("debian13-bare", "host.sh", tree=debian.Tree("trixie", _BASE)),
        Recipe("debian12-bare", "host.sh", tree=debian.Tree("bookworm", _BASE)),
        Recipe("debian13", "programs.sh", parent="debian13-bare"),
        Recipe("debian12", "programs.sh", parent="debian12-bare"),
        Recipe("database13", "database.sh", parent="debian13-bare"),
        Recipe("database12", "database.sh", parent="debian12-bare"),
        Recipe("registry", "registry.sh", parent="debian13-bare"),
    )
}
# Two images with one parent are built at the same time: the parent must be built once.
_building = {tag: threading.Lock() for tag in RECIPES_BY_TAG}


def digest(tag: str) -> str:
    """Hash of everything that decides what the image contains."""
    recipe = RECIPES_BY_TAG[tag]
    parts = [
        repr(recipe.tree),
        (RECIPES / recipe.script).read_text(encoding="utf-8"),
        digest(recipe.parent) if recipe.parent else "",
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def built(tag: str) -> str:
    """Digest of the recipe that the present image was built from; empty when there is none."""
    try:
        return docker("image", "inspect", "--format", LABEL_FORMAT, f"{IMAGE}:{tag}")
    except BedError:
        return ""


def ensure(tag: str) -> bool:
    """Build the image unless it is there already; True when it was built."""
    recipe = RECIPES_BY_TAG[tag]
    with _building[tag]:
        wanted = digest(tag)
        if built(tag) == wanted:
            return False
        _layer(recipe, _parent_of(recipe), wanted)
        return True


def _parent_of(recipe: Recipe) -> str:
    if recipe.parent:
        ensure(recipe.parent)
        return f"{IMAGE}:{recipe.parent}"
    if recipe.tree is None:
        raise BedError(f"Recipe {recipe.tag} has neither a parent nor a tree.")
    archive = STATE / "trees" / f"{recipe.tag}.tar"
    try:
        debian.make(recipe.tree, archive)
        return docker("import", str(archive))
    finally:
        archive.unlink(missing_ok=True)


def _layer(recipe: Recipe, parent: str, wanted: str) -> None:
    container = f"{IMAGE}-build-{recipe.tag}"
    docker("rm", "--force", container)
    script = (RECIPES / recipe.script).read_text(encoding="utf-8")
    try:
        docker("run", "-i", "--name", container, parent, "sh", "-eu", stdin=script)
        changes = (f"LABEL {LABEL}={wanted}", 'CMD ["/sbin/init"]')
        flags = [word for change in changes for word in ("--change", change)]
        docker("commit", *flags, container, f"{IMAGE}:{recipe.tag}")
    finally:
        docker("rm", "--force", container)
