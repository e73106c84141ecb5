# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration and secrets of services as immutable objects named by their content. Pure.

A changed value is a new object with a new name, so that pods of the old version keep what they were
started with, and going back brings the old values too.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.flavours import (
    FLAVOURS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    Manifest,
    content_hash,
    manifest,
    namespace_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Service,
)

_SECRET = re.compile(r"\$\{secret:([A-Za-z0-9_-]+)\}")
DOCKER_HUB = "https://index.docker.io/v1/"


@dataclass(frozen=True)
class Configuration:
    """The objects of one service, and their names where a pod refers to them."""

    objects: tuple[Manifest, ...] = field(default=(), repr=False)
    variables: Optional[str] = None
    secret_variables: Optional[str] = None
    files: Optional[str] = None


def store_host(platform: Platform, name: str) -> str:
    """Where pods find a store: its Service in the cluster, or its own address."""
    store = next(s for s in platform.stores if s.name == name)
    if store.mode == "kubernetes":
        return f"{name}.{namespace_of(platform)}.svc"
    return store.host or ""


def environment_of(platform: Platform, service: Service) -> dict[str, str]:
    """The environment with hosts and ports of stores filled in; secrets are still named."""
    found = dict(service.env)
    for store in platform.stores:
        for key, value in (
            ("host", store_host(platform, store.name)),
            ("port", str(store.port)),
        ):
            place = f"${{store:{store.name}.{key}}}"
            found = {k: v.replace(place, value) for k, v in found.items()}
    return found


def value_of(secrets: Mapping[str, str], name: str, user: str) -> str:
    """The value of a secret, or who needs it."""
    if name not in secrets:
        raise MainstayError(
            "a secret has no value",
            subject=user,
            found=f"no {name}",
            expected="a value for each secret that is used",
            next_step="add it to platform_secrets (Vault, a lookup, the environment)",
        )
    return secrets[name]


def configuration(
    platform: Platform, service: Service, secrets: Mapping[str, str]
) -> Configuration:
    """ConfigMap and Secrets of a service."""
    user = f"service {service.name}"
    plain: dict[str, str] = {}
    hidden = {use.env: value_of(secrets, use.secret, user) for use in service.secrets if use.env}
    for key, value in environment_of(platform, service).items():
        if _SECRET.search(value):
            hidden[key] = _SECRET.sub(lambda m: value_of(secrets, m.group(1), user), value)
        else:
            plain[key] = value
    files = {use.file: value_of(secrets, use.secret, user) for use in service.secrets if use.file}
    objects: list[Manifest] = []
    names: dict[str, Optional[str]] = dict.fromkeys(("variables", "secret_variables", "files"))
    if plain:
        objects.append(config_map(platform, service.name, f"{service.name}-env", plain))
        names["variables"] = objects[-1]["metadata"]["name"]
    if hidden:
        objects.append(secret(platform, service.name, f"{service.name}-env", hidden))
        names["secret_variables"] = objects[-1]["metadata"]["name"]
    if files:
        objects.append(secret(platform, service.name, f"{service.name}-files", files))
        names["files"] = objects[-1]["metadata"]["name"]
    return Configuration(tuple(objects), **names)


def config_map(platform: Platform, part: str, prefix: str, data: dict[str, str]) -> Manifest:
    """An immutable ConfigMap."""
    name = f"{prefix}-{content_hash(data)}"
    return manifest(
        platform,
        "v1",
        "ConfigMap",
        name,
        "configuration",
        part=part,
        immutable=True,
        data=dict(sorted(data.items())),
    )


def secret(
    platform: Platform, part: str, prefix: str, data: Mapping[str, str], kind: str = "Opaque"
) -> Manifest:
    """An immutable Secret. Values are in base64, as the API server keeps them."""
    encoded = {
        key: base64.b64encode(value.encode("utf-8")).decode("ascii")
        for key, value in sorted(data.items())
    }
    name = f"{prefix}-{content_hash([platform.id, part, encoded], secret=True)}"
    return manifest(
        platform,
        "v1",
        "Secret",
        name,
        "configuration",
        part=part,
        type=kind,
        immutable=True,
        data=encoded,
    )


def pull_secret(platform: Platform, secrets: Mapping[str, str]) -> Optional[Manifest]:
    """Logins at registries that the nodes do not have by themselves."""
    by_node = FLAVOURS[platform.kubernetes.flavour].node_login
    logins: dict[str, Any] = {}
    for registry in platform.registries:
        if registry.kind in by_node or not registry.password:
            continue
        password = value_of(secrets, registry.password, f"registry {registry.server}")
        user = registry.username or "AWS"
        token = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        server = DOCKER_HUB if registry.server == "docker.io" else registry.server
        logins[server] = {"username": user, "password": password, "auth": token}
    if not logins:
        return None
    document = json.dumps({"auths": logins}, sort_keys=True)
    return secret(
        platform,
        "registries",
        "registries",
        {".dockerconfigjson": document},
        "kubernetes.io/dockerconfigjson",
    )
