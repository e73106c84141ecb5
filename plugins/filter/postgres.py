# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the roles about PostgreSQL: thin wrappers around the pure planners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (
    encode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import (
    backrest_config,
    hba,
    operation,
    placement,
    schedule,
    settings,
    topology,
)
from ansible_collections.mainstay.platform.plugins.plugin_utils.filters import (
    as_filters,
    described,
)


def postgres_store(
    platform: Mapping[str, Any], host: str, groups: Mapping[str, Any], store: str = ""
) -> dict[str, Any]:
    """What a host carries, as the roles take it; empty when it carries nothing."""
    if not platform:
        return {}
    whole = described(platform)
    plain = {str(name): list(hosts) for name, hosts in groups.items()}
    found = placement.store_of(whole, host, plain)
    if store:
        found = next((s for s in whole.stores if s.name == store and s.postgres), None)
    if found is None:
        return {}
    return {
        **encode(found),
        "hosts": placement.hosts_of(found, plain),
        "databases": placement.databases(found),
        "roles": placement.roles(found),
    }


def postgres_settings(
    machine: Mapping[str, Any],
    extra: Optional[Mapping[str, Any]] = None,
    replication: Optional[Mapping[str, Any]] = None,
) -> dict[str, str]:
    """Settings by name, worked out from memory, cores and storage."""
    return placement.settings(machine, extra or {}, replication or {})


def postgres_addresses(hostvars: Mapping[str, Any], hosts: Sequence[str]) -> dict[str, str]:
    """Private address by host."""
    found = {}
    for host in hosts:
        known = hostvars.get(host) or {}
        found[str(host)] = str(known.get("platform_address") or known.get("ansible_host") or host)
    return found


def postgres_operation(
    platform: Mapping[str, Any], groups: Mapping[str, Any], store: Optional[str] = None
) -> dict[str, Any]:
    """The store that an operation is about, with its hosts."""
    whole = described(platform)
    found = placement.chosen(whole, store or "")
    plain = {str(name): list(hosts) for name, hosts in groups.items()}
    return postgres_store(platform, placement.hosts_of(found, plain)[0], groups, found.name)


def postgres_repositories(platform: Mapping[str, Any], store: str) -> list[dict[str, Any]]:
    """The repositories of a store, numbered."""
    if not platform:
        return []
    whole = described(platform)
    found = next((s for s in whole.stores if s.name == store), None)
    return backrest_config.repositories(whole, found) if found else []


def postgres_stanza_missing(document: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a repository does not know the cluster: C(pgbackrest info --output=json)."""
    states = [
        repo.get("status", {}).get("code", 1)
        for stanza in document
        for repo in stanza.get("repo", [{}])
    ]
    # 0 is fine and 2 is that it knows the cluster and has no backup of it (pgBackRest, info).
    return not states or any(code not in (0, 2) for code in states)


def postgres_report(words: Mapping[str, Any]) -> dict[str, Any]:
    """What an operation came to, for people, for C(set_stats) and for the ledger."""
    run = operation.from_words(words)
    return {**operation.report(run), "entry": operation.entry(run)}


def postgres_endings(hosts: Sequence[str], hostvars: Mapping[str, Any]) -> list[dict[str, str]]:
    """Endings of an operation that failed."""
    return operation.endings(hostvars, hosts)


def postgres_operation_facts(variables: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """What the tasks of an operation left on its host."""
    return operation.facts_of(kind, variables)


class FilterModule:
    """Filters of the roles about PostgreSQL."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return as_filters(
            {
                "postgres_addresses": postgres_addresses,
                "postgres_calendar": schedule.calendar,
                "postgres_changes": settings.plan,
                "postgres_conf": settings.render,
                "postgres_endings": postgres_endings,
                "postgres_failover": topology.failover,
                "postgres_hba": hba.render,
                "postgres_hba_lost": hba.lost,
                "postgres_hba_rules": hba.standard,
                "postgres_operated": topology.operated,
                "postgres_operation": postgres_operation,
                "postgres_operation_facts": postgres_operation_facts,
                "postgres_pgbackrest": backrest_config.render,
                "postgres_primary": topology.primary,
                "postgres_reaches": topology.reaches,
                "postgres_rejoin": topology.rejoin,
                "postgres_report": postgres_report,
                "postgres_repositories": postgres_repositories,
                "postgres_repository": backrest_config.module_repository,
                "postgres_settings": postgres_settings,
                "postgres_slot": topology.slot_name,
                "postgres_stanza_missing": postgres_stanza_missing,
                "postgres_store": postgres_store,
            }
        )
