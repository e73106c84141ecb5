# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._docker import engine
from ansible_collections.mainstay.platform.plugins.module_utils._docker.ports import (
    allocate,
    parse_range,
    publishing_address,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


@pytest.mark.parametrize("text", ["", "20000", "b-c", "3-2", "0-10", "60000-70000"])
def test_bad_range_is_refused(text: str) -> None:
    with pytest.raises(MainstayError, match="not a range"):
        parse_range(text)


@given(
    used=st.sets(st.integers(20000, 20019)),
    count=st.integers(0, 20),
    after=st.integers(0, 30000),
)
def test_ports_are_free_distinct_and_inside(used: set[int], count: int, after: int) -> None:
    if count > 20 - len(used):
        with pytest.raises(MainstayError, match="no free host port"):
            allocate((20000, 20019), count, used, after)
        return
    found = allocate((20000, 20019), count, used, after)
    assert len(set(found)) == count
    assert not used & set(found)
    assert all(20000 <= port <= 20019 for port in found)


def test_a_port_is_used_again_as_late_as_possible() -> None:
    assert allocate((20000, 20003), 2, {20003}, after=20001) == [20002, 20000]


def test_a_port_that_somebody_else_listens_on_is_passed_over() -> None:
    assert allocate((20000, 20003), 1, (), free=lambda port: port != 20000) == [20001]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("app1.internal", "a name", id="name"),
        pytest.param("localhost", "a name", id="localhost"),
        pytest.param("010.0.0.1", "a name", id="octal"),
        pytest.param("10.0.0", "a name", id="short"),
        pytest.param("0.0.0.0", "every address", id="every-address"),
        pytest.param("::", "every address", id="every-address-of-ipv6"),
        pytest.param("fd00::1", "no IPv4", id="ipv6"),
        pytest.param("224.0.0.1", "no IPv4 unicast", id="multicast"),
        pytest.param("", "nothing", id="nothing"),
    ],
)
def test_what_the_engine_would_publish_everywhere_is_refused(text: str, found: str) -> None:
    with pytest.raises(MainstayError, match="nothing was changed") as caught:
        publishing_address(text)
    assert found in caught.value.found


def test_a_private_address_is_taken() -> None:
    assert publishing_address("10.0.0.11") == "10.0.0.11"


@pytest.mark.parametrize("text", ["app1.internal", "0.0.0.0"])
def test_no_call_publishes_on_every_address(text: str) -> None:
    with pytest.raises(MainstayError, match="nothing was changed"):
        engine.request_from({"platform": "p", "address": text})
