# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of PostgreSQL worked out from memory, cores and storage. Pure.

Shares are those that the PostgreSQL documentation gives as a start (chapter Resource Consumption:
shared_buffers a quarter of memory) and that the PostgreSQL wiki's page on tuning adds (three
quarters as effective_cache_size). With 16 GB and 200 connections they give 4GB, 12GB, 1GB of
maintenance_work_mem and 64MB of wal_buffers.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

KIB, MIB, GIB = 1024, 1024**2, 1024**3
#: Below that PostgreSQL starts, but nothing here is a sensible share of it any more.
LEAST_MEMORY = 256 * MIB
#: The cost of a random page in sequential pages, and reads that the device does at once.
_STORAGE = {"ssd": ("1.1", "200"), "network": ("1.1", "300"), "hdd": ("4", "2")}
#: Parts of the free memory that one connection may use, and WAL between two checkpoints.
_WORKLOADS = {"web": (3, 4 * GIB), "mixed": (2, 8 * GIB), "warehouse": (1, 16 * GIB)}


@dataclass(frozen=True)
class Machine:
    """What the settings are for: C(memory) in bytes, C(version) the major version."""

    memory: int
    cores: int
    storage: str = "ssd"
    workload: str = "web"
    connections: int = 200
    version: int = 17


def tune(machine: Machine) -> dict[str, str]:
    """Settings by name, as C(postgresql.conf) writes them."""
    if machine.memory < LEAST_MEMORY:
        raise MainstayError(
            "too little memory to work settings out from",
            subject="postgres.tuning.memory",
            found=size(machine.memory),
            expected=f"at least {size(LEAST_MEMORY)}",
            next_step="give the host more, or write the settings yourself",
        )
    return {**_memory(machine), **_wal(machine), **_parallel(machine), **_planner(machine)}


def _memory(machine: Machine) -> dict[str, str]:
    shared = machine.memory // 4
    parts, _wal_size = _WORKLOADS[machine.workload]
    work = (machine.memory - shared) // (machine.connections * parts)
    return {
        "max_connections": str(machine.connections),
        "shared_buffers": size(shared),
        "effective_cache_size": size(machine.memory * 3 // 4),
        "maintenance_work_mem": size(min(machine.memory // 16, 2 * GIB)),
        "work_mem": size(max(work, 4 * MIB)),
        "huge_pages": "try",
    }


def _wal(machine: Machine) -> dict[str, str]:
    _parts, most = _WORKLOADS[machine.workload]
    largest = min(most, max(machine.memory // 2, GIB))
    return {
        "wal_buffers": size(min(machine.memory // 4 // 64, 64 * MIB)),
        "checkpoint_completion_target": "0.9",
        "checkpoint_timeout": "15min",
        "max_wal_size": size(largest),
        "min_wal_size": size(largest // 4),
        # Compression by the server itself exists in 14, lz4 since 15.
        "wal_compression": "lz4" if machine.version >= 15 else "on",
    }


def _parallel(machine: Machine) -> dict[str, str]:
    cores = max(machine.cores, 1)
    half = str(max(1, min(4, cores // 2)))
    return {
        "max_worker_processes": str(max(8, cores)),
        "max_parallel_workers": str(cores),
        "max_parallel_workers_per_gather": half,
        "max_parallel_maintenance_workers": half,
    }


def _planner(machine: Machine) -> dict[str, str]:
    random_page, reads = _STORAGE[machine.storage]
    targets = {"web": "100", "mixed": "100", "warehouse": "500"}
    return {
        "random_page_cost": random_page,
        "effective_io_concurrency": reads,
        "default_statistics_target": targets[machine.workload],
        "jit": "off" if machine.workload == "web" else "on",
    }


def size(count: int) -> str:
    """Bytes as PostgreSQL writes them, in the largest unit that loses nothing of note."""
    for unit, factor in (("GB", GIB), ("MB", MIB)):
        if count >= factor and count % factor == 0:
            return f"{count // factor}{unit}"
    return f"{count // MIB}MB" if count >= 8 * MIB else f"{count // KIB}kB"
