# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory as it is written, with what the bed forces laid over it."""

from __future__ import annotations

import copy
import json
import pathlib
import re
import secrets
import sys
from dataclasses import dataclass
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "testbed"))

from bed import settings  # noqa: E402

FORCED: dict[str, Any] = yaml.safe_load(
    (pathlib.Path(__file__).with_name("forced.yml")).read_text(encoding="utf-8")
)
WORK = ROOT / "build" / "platforms"
_CONNECTION = """
[all:vars]
ansible_user={user}
ansible_python_interpreter=/usr/bin/python3
ansible_ssh_private_key_file={key}
ansible_ssh_common_args="-o IdentitiesOnly=yes -o UserKnownHostsFile={known}"
"""


@dataclass(frozen=True)
class Overlay:
    """How to deploy C(inventory) on the bed."""

    inventory_name: str
    inventory: str
    hosts: dict[str, str]
    arguments: tuple[str, ...]
    environment: dict[str, str]

    @property
    def servers(self) -> list[str]:
        """Servers of the bed that it needs beside the registry."""
        return ["s3"] if "platform_repositories" in forced(self.inventory_name) else []

    @property
    def machines(self) -> list[str]:
        """Names of the bed's hosts."""
        return list(self.hosts.values())

    def address(self, host: str) -> str:
        """The address of a host of the inventory."""
        return settings.HOSTS[self.hosts[host]].address


def described(inventory: str) -> dict[str, Any]:
    """All variables of the inventory as they are written."""
    found: dict[str, Any] = {}
    place = ROOT / "inventories" / inventory / "group_vars" / "all"
    for file in sorted(place.glob("*.yml")):
        found.update(yaml.safe_load(file.read_text(encoding="utf-8")))
    return found


def forced(inventory: str) -> dict[str, Any]:
    """The variables that the bed changes, whole: extra variables replace, they do not merge."""
    written = described(inventory)
    found: dict[str, Any] = {}
    for change in FORCED[inventory]["changes"]:
        head, *rest = change["path"].split(".")
        place: Any = found.setdefault(head, copy.deepcopy(written[head]))
        if not rest:
            found[head] = _filled(change["value"])
            continue
        for part in rest[:-1]:
            place = place[part]
        place[rest[-1]] = _filled(change["value"])
    return found


def _filled(value: Any) -> Any:
    return json.loads(json.dumps(value).replace("<build>", str(settings.STATE)))


def overlay(inventory: str) -> Overlay:
    """Write the two files of the overlay, and make the secrets that the inventory looks up."""
    place = WORK / inventory
    place.mkdir(parents=True, exist_ok=True)
    hosts: dict[str, str] = FORCED[inventory]["hosts"]
    addresses = {name: settings.HOSTS[host].address for name, host in hosts.items()}
    lines = [f"{name} ansible_host={a} platform_address={a}" for name, a in addresses.items()]
    connection = _CONNECTION.format(
        user=settings.USER, key=settings.SSH_KEY, known=settings.KNOWN_HOSTS
    )
    (place / "hosts").write_text("\n".join(lines) + "\n" + connection, encoding="utf-8")
    (place / "forced.json").write_text(json.dumps(forced(inventory), indent=1), encoding="utf-8")
    return Overlay(
        inventory_name=inventory,
        inventory=f"inventories/{inventory}",
        hosts=hosts,
        arguments=("-i", str(place / "hosts"), "-e", f"@{place / 'forced.json'}"),
        environment=_secrets(inventory),
    )


def _secrets(inventory: str) -> dict[str, str]:
    """A value for each environment variable that the secrets are looked up in, made once."""
    text = (ROOT / "inventories" / inventory / "group_vars/all/secrets.yml").read_text("utf-8")
    kept = WORK / inventory / "secrets.json"
    known = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    found = {
        name: known.get(name) or secrets.token_urlsafe(40)
        for name in re.findall(r"'ansible.builtin.env', '(\w+)'", text)
    }
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(found), encoding="utf-8")
    # What the bed gives by itself, by the end of the variable's name.
    given = {
        "_REGISTRY_PASSWORD": settings.REGISTRY_PASSWORD,
        "_GHCR_TOKEN": settings.REGISTRY_PASSWORD,
        "_S3_ACCESS_KEY": settings.S3_WRITER_ACCESS_KEY,
        "_S3_SECRET_KEY": settings.S3_WRITER_SECRET_KEY,
    }
    for name in found:
        for end, path in given.items():
            if name.endswith(end):
                found[name] = path.read_text(encoding="utf-8").strip()
    return found
