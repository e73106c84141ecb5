# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pg_hba.conf: made whole from rules, checked before it is written. Pure."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

MARK = "# Written by mainstay.platform.postgres as a whole; edits are lost."
TYPES = ("local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc")
#: trust and password are left out on purpose: the one asks nothing, the other shows what it asks.
METHODS = ("scram-sha-256", "peer", "cert", "reject", "gss", "ldap", "pam", "md5")
#: What Debian's pg_createcluster writes; losing these harms nobody.
_DEBIAN = {
    ("local", "all", "postgres", "", "peer"),
    ("local", "all", "all", "", "peer"),
    ("host", "all", "all", "127.0.0.1/32", "scram-sha-256"),
    ("host", "all", "all", "::1/128", "scram-sha-256"),
    ("local", "replication", "all", "", "peer"),
    ("host", "replication", "all", "127.0.0.1/32", "scram-sha-256"),
    ("host", "replication", "all", "::1/128", "scram-sha-256"),
}


@dataclass(frozen=True)
class Rule:
    """One line. The first that fits decides, so their order matters."""

    type: str
    database: str
    user: str
    address: str
    method: str

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two rules the same."""
        return (self.type, self.database, self.user, self.address, self.method)

    def line(self) -> str:
        """The rule as the file has it."""
        return "\t".join(part for part in self.key if part)


def standard(
    clients: Sequence[str], peers: Sequence[str], replication: str, tls: bool
) -> list[dict[str, str]]:
    """The rules of a platform: the administrator by socket, clients and replicas by password."""
    kind = "hostssl" if tls else "host"
    rules = [
        _entry("local", "all", "postgres", "", "peer"),
        # pg_basebackup of this host: "all" is every database but not replication.
        _entry("local", "replication", "postgres", "", "peer"),
        _entry("local", "all", "all", "", "scram-sha-256"),
        _entry("host", "all", "all", "127.0.0.1/32", "scram-sha-256"),
        _entry("host", "all", "all", "::1/128", "scram-sha-256"),
    ]
    if replication:
        rules += [_entry(kind, "replication", replication, a, "scram-sha-256") for a in peers]
        # pg_rewind reads files of the new primary over an ordinary connection.
        rules += [_entry(kind, "postgres", replication, a, "scram-sha-256") for a in peers]
        rules.append(_entry("host", "all", replication, "all", "reject"))
    rules += [_entry(kind, "all", "postgres", address, "reject") for address in clients]
    rules += [_entry(kind, "all", "all", address, "scram-sha-256") for address in clients]
    return rules


def _entry(kind: str, database: str, user: str, address: str, method: str) -> dict[str, str]:
    return {
        "type": kind,
        "database": database,
        "user": user,
        "address": address,
        "method": method,
    }


def render(rules: Sequence[Mapping[str, Any]]) -> str:
    """The whole file; MainstayError with all problems when a rule cannot be."""
    read = [_read(rule) for rule in rules]
    problems = [f"rule {n}: {p}" for n, rule in enumerate(read, 1) for p in _problems(rule)]
    if not any(r.key == ("local", "all", "postgres", "", "peer") for r in read):
        problems.append("nothing lets the administrator in: local all postgres peer is missing")
    if problems:
        raise MainstayError(
            "rules of pg_hba.conf that cannot be",
            subject=f"{len(problems)} of them",
            evidence=tuple(problems),
            next_step="correct postgres_hba or platform_stores.<name>.postgres.clients",
        )
    lines = [MARK, *dict.fromkeys(rule.line() for rule in read)]
    return "\n".join(lines) + "\n"


def _read(rule: Mapping[str, Any]) -> Rule:
    address = str(rule.get("address") or "")
    if re.match(r"^[0-9a-fA-F.:]+$", address) and address != "":
        with contextlib.suppress(ValueError):
            address = str(ipaddress.ip_network(address))
    return Rule(
        str(rule.get("type", "")),
        str(rule.get("database", "all")),
        str(rule.get("user", "all")),
        address,
        str(rule.get("method", "")),
    )


def _problems(rule: Rule) -> list[str]:
    found = []
    if rule.type not in TYPES:
        found.append(f"type {rule.type or 'nothing'}, expected one of {', '.join(TYPES)}")
    if rule.method not in METHODS:
        found.append(f"method {rule.method or 'nothing'}, expected one of {', '.join(METHODS)}")
    if rule.method == "peer" and rule.type != "local":
        found.append("peer works for the type local only")
    if any(re.search(r"[\s#]", part) for part in rule.key):
        found.append(f"blanks or # in {rule.line()!r}")
    if (rule.type == "local") == bool(rule.address):
        found.append("local has no address, every other type has one")
    elif rule.type != "local" and not _is_address(rule.address):
        found.append(f"{rule.address} is no address, network, all, samenet or samehost")
    return found


def _is_address(text: str) -> bool:
    if text in ("all", "samehost", "samenet"):
        return True
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def parse(text: str) -> list[Rule]:
    """The rules of an existing file, without options behind the method."""
    rules = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) < 4:
            continue
        if words[0] == "local":
            rules.append(Rule("local", words[1], words[2], "", words[3]))
        elif len(words) > 5 and re.match(r"^[0-9.]+$|^[0-9a-fA-F:]+$", words[4]):
            network = ipaddress.ip_network(f"{words[3]}/{words[4]}", strict=False)
            rules.append(Rule(words[0], words[1], words[2], str(network), words[5]))
        elif len(words) >= 5:
            rules.append(_read(dict(zip(("type", "database", "user", "address", "method"), words))))
    return rules


def lost(existing: str, rules: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of a file that somebody else wrote which the new one would not have."""
    if MARK in existing:
        return []
    kept = {_read(rule).key for rule in rules} | _DEBIAN
    return [rule.line() for rule in parse(existing) if rule.key not in kept]
