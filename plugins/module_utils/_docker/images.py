# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: fetched once for all containers that need them, resolved to a digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import DockerClient
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.image import parse_image
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Registry


def login_for(
    reference: str, registries: tuple[Registry, ...], secrets: Mapping[str, str]
) -> Optional[dict[str, str]]:
    """Credentials of the image's registry; without them the host's own login is used."""
    server = parse_image(reference).registry
    for registry in registries:
        if registry.server != server or not registry.username or not registry.password:
            continue
        if registry.password in secrets:
            return {"username": registry.username, "password": secrets[registry.password]}
    return None


def pinned(reference: str, image: Mapping[str, Any]) -> str:
    """C(repository@digest) of a local image, as the registry of C(reference) knows it."""
    if "@" in reference:
        return reference
    repository = parse_image(reference).repository
    for known in image.get("RepoDigests") or []:
        if str(known).partition("@")[0] in (repository, f"docker.io/{repository}"):
            return str(known)
    return reference


def fetch(
    client: DockerClient,
    reference: str,
    registries: tuple[Registry, ...] = (),
    secrets: Optional[Mapping[str, str]] = None,
) -> str:
    """Make sure the image is here; its reference by digest.

    A digest that is here already costs no request to the registry. A tag is always asked for,
    because it may have moved.
    """
    image = client.image(reference) if "@" in reference else None
    if image is None:
        client.pull(reference, login_for(reference, registries, secrets or {}))
        image = client.image(reference)
    if image is None:
        raise MainstayError(
            "the image is not on this host after it was pulled",
            subject=reference,
            next_step="look at the Engine's log on the host",
        )
    return pinned(reference, image)


def require_local(client: DockerClient, reference: str, service: str) -> str:
    """Going back needs no registry; the image must still be here."""
    if client.image(reference) is None:
        raise MainstayError(
            "the image of the earlier release is gone from this host",
            subject=f"service {service}",
            found=f"no local image {reference}",
            expected="the image kept with its release",
            next_step="deploy the wanted version with deploy.yml, which asks the registry",
        )
    return reference
