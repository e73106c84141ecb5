# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian trees by mmdebstrap, from the mirror that this machine itself uses."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import re

from .shell import BedError, run

KEYRINGS = "/usr/share/keyrings"
# The settings of this machine's apt that a host of the bed needs to reach the same mirror.
_INHERITED = re.compile(
    r"^Acquire::(Check-Valid-Until|Check-Date|https?::Proxy) \"[^\"]+\";$", re.MULTILINE
)
_LOOPBACK = re.compile(r"//(localhost|127\.|\[::1\])")


@dataclasses.dataclass(frozen=True)
class Tree:
    """What a tree is made of."""

    suite: str
    packages: tuple[str, ...]
    variant: str = "minbase"
    hook: str = ""
    left_out: tuple[str, ...] = (
        "/usr/share/doc/*",
        "/usr/share/man/*",
        "/usr/share/locale/*",
        "/usr/share/info/*",
    )


@functools.cache
def mirrors() -> dict[str, str]:
    """Label -> URI of the Debian archives that apt on this machine reads; empty when unknown."""
    form = "$(CREATED_BY)|$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    try:
        lines = run(["apt-get", "indextargets", "--format", form]).splitlines()
    except BedError:
        return {}
    return mirrors_in(lines)


def mirrors_in(lines: list[str]) -> dict[str, str]:
    """Read the answer of apt-get indextargets; the first URI of each label counts."""
    found: dict[str, str] = {}
    for line in lines:
        fields = line.split("|")
        if len(fields) != 4 or fields[:2] != ["Packages", "Debian"]:
            continue
        if fields[3].startswith(("http://", "https://")):
            found.setdefault(fields[2], fields[3])
    return found


def sources(suite: str, known: dict[str, str]) -> list[str]:
    """Lines for sources.list; none when the mirror is unknown, then mmdebstrap uses its own."""
    if not {"Debian", "Debian-Security"} <= set(known):
        return []
    main, security = known["Debian"], known["Debian-Security"]
    return [
        f"deb {main} {suite} main",
        f"deb {main} {suite}-updates main",
        f"deb {security} {suite}-security main",
    ]


def inherited_options(dump: str) -> list[str]:
    """Options of `apt-config dump` to hand on; a proxy on loopback is of no use to a container."""
    matches = (match.group(0) for match in _INHERITED.finditer(dump))
    return [line for line in matches if not _LOOPBACK.search(line)]


def command(tree: Tree, target: pathlib.Path) -> list[str]:
    """The mmdebstrap call for a tree."""
    words = [
        "mmdebstrap",
        "--quiet",
        f"--variant={tree.variant}",
        f"--include={','.join(tree.packages)}",
        f"--keyring={KEYRINGS}",
        '--aptopt=Acquire::Languages "none"',
        '--aptopt=Acquire::GzipIndexes "true"',
        '--aptopt=Acquire::Retries "3"',
    ]
    words += [f"--aptopt={option}" for option in inherited_options(run(["apt-config", "dump"]))]
    words += [f"--dpkgopt=path-exclude={path}" for path in tree.left_out]
    words += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    if tree.hook:
        # What the hook leaves in /run belongs to the tree.
        words += ["--skip=cleanup/run", f"--customize-hook={tree.hook}"]
    return [*words, tree.suite, str(target), *sources(tree.suite, mirrors())]


def make(tree: Tree, target: pathlib.Path) -> None:
    """Write the tree as a tar file; it appears only when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # The ending tells mmdebstrap what to write.
    part = target.with_name(f".part-{target.name}")
    try:
        run(command(tree, part), environment={"SOURCE_DATE_EPOCH": "0"})
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
