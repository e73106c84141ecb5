# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings from memory, cores and storage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import tuning
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.tuning import (
    GIB,
    MIB,
    Machine,
)


def test_sixteen_gigabytes_give_the_documented_figures() -> None:
    found = tuning.tune(Machine(16 * GIB, 4))
    assert found["max_connections"] == "200"
    assert found["shared_buffers"] == "4GB"
    assert found["effective_cache_size"] == "12GB"
    assert found["maintenance_work_mem"] == "1GB"
    assert found["checkpoint_completion_target"] == "0.9"
    assert found["wal_buffers"] == "64MB"
    assert found["default_statistics_target"] == "100"


@pytest.mark.parametrize(
    ("machine", "name", "value"),
    [
        (Machine(GIB, 2, version=14), "wal_compression", "on"),
        (Machine(GIB, 2, version=15), "wal_compression", "lz4"),
        (Machine(GIB, 2, storage="hdd"), "random_page_cost", "4"),
        (Machine(GIB, 2, workload="warehouse"), "jit", "on"),
        (Machine(64 * GIB, 16), "max_parallel_workers_per_gather", "4"),
        (Machine(GIB, 1), "max_parallel_workers_per_gather", "1"),
        (Machine(64 * GIB, 16), "maintenance_work_mem", "2GB"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_setting(machine: Machine, name: str, value: str) -> None:
    assert tuning.tune(machine)[name] == value


def test_too_little_memory_is_refused() -> None:
    with pytest.raises(MainstayError, match="too little memory"):
        tuning.tune(Machine(128 * MIB, 1))


def bytes_of(text: str) -> int:
    number, unit = text[:-2], text[-2:]
    return int(number) * {"kB": 1024, "MB": MIB, "GB": GIB}[unit]


@given(
    memory=st.integers(256 * MIB, 2048 * GIB),
    connections=st.integers(10, 5000),
    workload=st.sampled_from(["web", "mixed", "warehouse"]),
)
def test_no_share_is_more_than_there_is(memory: int, connections: int, workload: str) -> None:
    found = tuning.tune(Machine(memory, 8, workload=workload, connections=connections))
    assert bytes_of(found["shared_buffers"]) <= memory // 4
    assert bytes_of(found["effective_cache_size"]) <= memory
    assert bytes_of(found["work_mem"]) >= 4 * MIB
    assert bytes_of(found["min_wal_size"]) < bytes_of(found["max_wal_size"])
    # All connections at once, one sort each, and the shared memory.
    if bytes_of(found["work_mem"]) > 4 * MIB:
        used = bytes_of(found["work_mem"]) * connections + bytes_of(found["shared_buffers"])
        assert used <= memory
