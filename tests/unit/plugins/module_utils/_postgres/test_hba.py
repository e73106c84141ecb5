# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pg_hba.conf as a whole."""

from __future__ import annotations

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import hba

ADMIN = {"type": "local", "database": "all", "user": "postgres", "method": "peer"}


def host(**changes: str) -> dict[str, str]:
    rule = {"type": "hostssl", "database": "all", "user": "all", "address": "10.0.0.0/24"}
    return {**rule, "method": "scram-sha-256", **changes}


def test_standard_rules_let_nobody_in_without_tls_or_password() -> None:
    rules = hba.standard(["10.0.0.5", "10.1.0.0/16"], ["10.0.0.1", "10.0.0.2"], "copy", True)
    lines = hba.render(rules).splitlines()
    assert lines[1] == "local\tall\tpostgres\tpeer"
    assert "hostssl\treplication\tcopy\t10.0.0.2/32\tscram-sha-256" in lines
    assert "hostssl\tall\tall\t10.0.0.5/32\tscram-sha-256" in lines
    assert not any("trust" in line or "\tpassword" in line for line in lines)
    outside = [
        x for x in lines if x.startswith("host\t") and "127.0.0.1" not in x and "::1" not in x
    ]
    assert outside == ["host\tall\tcopy\tall\treject"]


def test_the_administrator_does_not_come_over_the_network() -> None:
    lines = hba.render(hba.standard(["10.0.0.5"], [], "", True)).splitlines()
    refused = lines.index("hostssl\tall\tpostgres\t10.0.0.5/32\treject")
    assert refused < lines.index("hostssl\tall\tall\t10.0.0.5/32\tscram-sha-256")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (host(method="trust"), "method trust"),
        (host(type="hots"), "type hots"),
        (host(address="10.0.0.300"), "10.0.0.300 is no address"),
        (host(address="10.0.0.1/24"), "10.0.0.1/24 is no address"),
        (host(address=""), "every other type has one"),
        (host(method="peer"), "peer works for the type local only"),
        (host(user="a b"), "blanks"),
        ({**ADMIN, "address": "10.0.0.1"}, "local has no address"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_rule_that_cannot_be(rule: dict[str, str], words: str) -> None:
    with pytest.raises(MainstayError) as caught:
        hba.render([ADMIN, rule])
    assert words in str(caught.value)


def test_a_file_that_locks_the_administrator_out_is_refused() -> None:
    with pytest.raises(MainstayError, match="cannot be") as caught:
        hba.render([host()])
    assert "nothing lets the administrator in" in str(caught.value)


EXISTING = """
# a comment
local   all             postgres                                peer
host    all             all             127.0.0.1/32            scram-sha-256
host    shop            shop            10.9.0.0 255.255.0.0    md5   # the old way
hostssl all             all             10.0.0.0/24             scram-sha-256
"""


def test_rules_that_somebody_else_wrote_are_named_before_they_go() -> None:
    assert hba.lost(EXISTING, [ADMIN, host()]) == ["host\tshop\tshop\t10.9.0.0/16\tmd5"]
    kept = host(type="host", database="shop", user="shop", address="10.9.0.0/16", method="md5")
    assert hba.lost(EXISTING, [ADMIN, host(), kept]) == []


def test_our_own_file_loses_nothing() -> None:
    text = hba.render([ADMIN, host()])
    assert hba.lost(text, [ADMIN]) == []
