# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images of a platform nothing needs any more. Pure, except for L(prune)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._docker import journal
from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import PruneClient
from ansible_collections.mainstay.platform.plugins.module_utils._platform.image import parse_image
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result


@dataclass(frozen=True)
class Candidate:
    """An image that can go: C(name) removes it, C(shown) is what people call it."""

    name: str
    shown: str
    size: int


def unneeded(
    images: Iterable[Mapping[str, Any]],
    used: Iterable[str],
    known: journal.Journal,
    dangling: bool,
) -> list[Candidate]:
    """Images of the platform's repositories that no retained release names and no container uses.

    C(used) are image ids of all containers on the host, of whatever platform. With C(dangling)
    images without any name go as well.
    """
    wanted, repositories = _of_releases(known)
    in_use = set(used)
    found = []
    for image in images:
        names = [n for n in image.get("RepoTags") or [] if n != "<none>:<none>"]
        digests = [d for d in image.get("RepoDigests") or [] if not d.startswith("<none>")]
        if image["Id"] in in_use or wanted & {*names, *digests}:
            continue
        own = any(parse_image(n).repository in repositories for n in [*names, *digests])
        if own or (dangling and not names and not digests):
            shown = (names or digests or [str(image["Id"])[:19]])[0]
            found.append(Candidate(str(image["Id"]), shown, int(image.get("Size") or 0)))
    return sorted(found, key=lambda c: c.shown)


def _of_releases(known: journal.Journal) -> tuple[set[str], set[str]]:
    """(references that going back needs, repositories the platform has ever used here)."""
    wanted: set[str] = set()
    repositories: set[str] = set(known.repositories)
    for record in known.releases.values():
        for name, spec in record.services.items():
            repositories.add(parse_image(spec.image).repository)
            if record.phase != journal.REVERTED:
                wanted |= {spec.image, record.images.get(name, spec.image)}
    return wanted, repositories


def prune(
    client: PruneClient, directory: str, *, dangling: bool, build_cache: bool, check: bool
) -> Result:
    """Remove what L(unneeded) names; volumes and containers are never touched."""
    result = Result()
    candidates = unneeded(
        client.all_images(), client.used_images(), journal.load(directory), dangling
    )
    freed = 0
    for candidate in candidates:
        result.actions.append(f"remove image {candidate.shown} ({_mib(candidate.size)})")
        freed += candidate.size
        if not check:
            client.remove_image(candidate.name)
    cache = client.build_cache_size() if build_cache else 0
    if cache:
        result.actions.append(f"remove build cache ({_mib(cache)})")
        freed += cache
        if not check:
            client.prune_build_cache()
    result.changed = bool(result.actions)
    result.diff["after"] = "".join(f"{a}\n" for a in result.actions)
    result.facts["pruned"] = {"images": [c.shown for c in candidates], "freed_bytes": freed}
    return result


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
