# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image references: registry, repository, tag and digest. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class ImageName:
    """C(repository) includes the registry, if there is one."""

    repository: str
    tag: Optional[str] = None
    digest: Optional[str] = None

    @property
    def registry(self) -> str:
        """The registry that a client would ask; Docker Hub when none is named."""
        first = self.repository.partition("/")[0]
        return first if names_registry(self.repository) else "docker.io"


def names_registry(repository: str) -> bool:
    """True when the first part is a host: it has a dot or a port, or is localhost.

    This is the rule of the distribution reference grammar that every client follows.
    """
    first, slash, _rest = repository.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def parse_image(text: str, default_registry: Optional[str] = None) -> ImageName:
    """C("shop/api:1.2") with the default registry C("ghcr.io/acme") is ghcr.io/acme/shop/api,
    1.2."""
    name, _at, digest = text.partition("@")
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        head, tag = name, ""
    if default_registry and not names_registry(head):
        head = f"{default_registry.rstrip('/')}/{head}"
    return ImageName(head, tag or None, digest or None)
