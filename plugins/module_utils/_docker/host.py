# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Docker host's own files shall say: daemon.json, logins, rules of published ports. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

#: Keys the Engine takes over on SIGHUP, from the reference of dockerd; all others need a restart.
RELOADABLE = frozenset(
    {
        "authorization-plugins",
        "debug",
        "default-runtime",
        "features",
        "insecure-registries",
        "labels",
        "live-restore",
        "max-concurrent-downloads",
        "max-concurrent-uploads",
        "max-download-attempts",
        "registry-mirrors",
        "runtimes",
        "shutdown-timeout",
    }
)
DOCKER_HUB = "https://index.docker.io/v1/"


def plan_daemon(existing: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """C({document, changed, needs}) from the text of daemon.json and the wanted keys.

    Other keys of an existing file stay. C(needs) is nothing, reload or restart.
    """
    before = _parse(existing, "/etc/docker/daemon.json")
    document = {**before, **wanted}
    changed = sorted(key for key in document if before.get(key) != document[key])
    needs = "nothing"
    if changed:
        needs = "reload" if set(changed) <= RELOADABLE else "restart"
    return {"document": document, "changed": changed, "needs": needs}


def logins(
    existing: str, registries: Sequence[Mapping[str, Any]], secrets: Mapping[str, str]
) -> dict[str, Any]:
    """The document of config.json with a login for each registry that has one; others stay."""
    document = _parse(existing, "/root/.docker/config.json")
    auths = dict(document.get("auths") or {})
    for registry in registries:
        username, password = registry.get("username"), registry.get("password")
        if not username or not password:
            continue
        if password not in secrets:
            raise MainstayError(
                "the password of a registry has no value",
                subject=f"registry {registry['server']}",
                found=f"no secret {password}",
                next_step="add it to platform_secrets",
            )
        hub = registry.get("kind") == "dockerhub" or registry["server"] == "docker.io"
        text = f"{username}:{secrets[password]}".encode()
        auths[DOCKER_HUB if hub else registry["server"]] = {"auth": base64.b64encode(text).decode()}
    return {**document, "auths": auths}


def ingress_rules(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of the chain MAINSTAY-INGRESS: for each port first who may come, then nobody else.

    An entry without ports restricts nothing. One without addresses closes its ports.
    """
    allowed: dict[str, list[str]] = {}
    for entry in entries:
        for ports in [p for p in str(entry.get("ports") or "").split(",") if p]:
            _check_ports(ports)
            known = allowed.setdefault(ports, [])
            known.extend(a for a in entry.get("addresses") or [] if a not in known)
    rules = []
    for ports, addresses in allowed.items():
        match = f"-p tcp -m conntrack --ctorigdstport {ports}"
        rules += [f"-A MAINSTAY-INGRESS -s {a} {match} -j RETURN" for a in addresses]
    rules += [
        f"-A MAINSTAY-INGRESS -p tcp -m conntrack --ctstate DNAT --ctorigdstport {ports} -j DROP"
        for ports in allowed
    ]
    return rules


def _check_ports(ports: str) -> None:
    first, _colon, last = ports.partition(":")
    if not first.isdigit() or not (last or first).isdigit() or int(first) > int(last or first):
        raise MainstayError(
            "not a port or a range of ports",
            subject="docker_host_ingress",
            found=repr(ports),
            expected="like 6379 or 20000:29999",
        )


def _parse(text: str, path: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        document = json.loads(text)
    except ValueError as error:
        raise MainstayError(
            "the file is not valid JSON",
            subject=path,
            found=str(error),
            next_step="repair it first",
        ) from error
    if not isinstance(document, dict):
        raise MainstayError("the file does not hold an object", subject=path)
    return document
