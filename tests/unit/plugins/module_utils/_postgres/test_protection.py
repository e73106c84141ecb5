# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lets backups go from a bucket before their time is found."""

from __future__ import annotations

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._postgres import protection
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.protection import (
    Observed,
    Rule,
)

FINE = Observed(versions=True, locked_days=30.0, rules=())


def rule(prefix: str, days: int, *, old: bool = False) -> Observed:
    return Observed(True, 30.0, (Rule("tidy", prefix, days, old),))


@pytest.mark.parametrize(
    ("observed", "severity", "words"),
    [
        pytest.param(FINE, "", "", id="fine"),
        pytest.param(Observed(), "", "", id="a storage that tells nothing"),
        pytest.param(Observed(versions=False), "critical", "keeps no versions", id="no versions"),
        pytest.param(
            Observed(True, 30.0, (), deletes=True), "critical", "removed a version", id="deletes"
        ),
        pytest.param(Observed(True, 0.0, ()), "warning", "locks nothing", id="no lock"),
        pytest.param(rule("", 29), "critical", "after 29 days", id="a rule that is too short"),
        pytest.param(rule("", 30), "", "", id="a rule that is long enough"),
        pytest.param(rule("vault/archive/", 7), "critical", "after 7 days", id="a part of it"),
        pytest.param(rule("va", 7), "critical", "after 7 days", id="the beginning of its name"),
        pytest.param(rule("other/", 7), "", "", id="a rule for something else"),
        pytest.param(rule("vaulted/", 7), "", "", id="a longer name"),
        pytest.param(rule("", 13, old=True), "critical", "old versions", id="old versions"),
        pytest.param(rule("", 14, old=True), "", "", id="old versions, long enough"),
    ],
)
def test_what_is_found(observed: Observed, severity: str, words: str) -> None:
    found = protection.findings("backups", "/vault", observed, 30)
    assert [f.severity for f in found] == ([severity] if severity else [])
    assert all(words in f.found for f in found)


LIFECYCLE = b"""<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Rule><ID>a</ID><Filter><Prefix>vault/</Prefix></Filter><Status>Enabled</Status>
  <Expiration><Days>7</Days></Expiration>
  <NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration></Rule>
<Rule><ID>b</ID><Filter><And><Prefix>x/</Prefix></And></Filter><Status>Enabled</Status>
  <Expiration><Days>9</Days></Expiration></Rule>
<Rule><ID>off</ID><Filter/><Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule>
<Rule><ID>cold</ID><Filter/><Status>Enabled</Status><Transition><Days>1</Days></Transition></Rule>
</LifecycleConfiguration>"""


def test_rules_are_read() -> None:
    assert protection.rules_of(LIFECYCLE) == (
        Rule("a", "vault/", 7, False),
        Rule("a", "vault/", 3, True),
        Rule("b", "x/", 9, False),
    )


@pytest.mark.parametrize(
    ("inner", "days"),
    [
        pytest.param("<Rule></Rule>", 0.0, id="none"),
        pytest.param("<Rule><DefaultRetention><Days>40</Days></DefaultRetention></Rule>", 40.0),
        pytest.param("<Rule><DefaultRetention><Years>2</Years></DefaultRetention></Rule>", 730.0),
    ],
)
def test_the_lock_is_read(inner: str, days: float) -> None:
    page = f"<ObjectLockConfiguration>{inner}</ObjectLockConfiguration>".encode()
    assert protection.locked_days_of(page) == days
