# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document for the edge: what is accepted, how it is completed, how a change reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import document
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

OLD, NEW = "20261121T061500Z-1a2b3c", "20261121T081500Z-4d5e6f"


def group(release: str = OLD, share: Any = 100, *members: Any) -> dict[str, Any]:
    """A group as a caller writes it."""
    return {
        "release": release,
        "share": share,
        "members": [{"address": m} if isinstance(m, str) else m for m in members],
    }


def api(*groups: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A document with one service."""
    return {"api": {"groups": list(groups), **more}}


@pytest.mark.parametrize(
    ("upstreams", "problem"),
    [
        pytest.param({"a b": {"groups": []}}, "not a name", id="name-of-service"),
        pytest.param({"api": []}, "not a dictionary", id="upstream-is-a-list"),
        pytest.param({"api": {"group": []}}, "unknown key group", id="unknown-key"),
        pytest.param(api({"release": OLD, "shares": 1}), "unknown key shares", id="key-in-group"),
        pytest.param(api(group("")), "not a release id", id="no-release"),
        pytest.param(api(group(OLD), group(OLD)), "more than one group", id="release-twice"),
        pytest.param(api(group(OLD, -1)), "not a number from 0", id="negative-share"),
        pytest.param(api(group(OLD, "much")), "not a number", id="share-in-words"),
        pytest.param(api(group(OLD, True)), "not a number", id="share-is-a-boolean"),
        pytest.param(api(group(OLD, "nan")), "not a number", id="share-is-nan"),
        pytest.param(api(group(OLD, 1, "app1:20001")), "not a numeric address", id="host-name"),
        pytest.param(api(group(OLD, 1, "10.0.0.1")), "not a numeric address", id="no-port"),
        pytest.param(api(group(OLD, 1, "10.0.0.1:0")), "not a numeric address", id="port-0"),
        pytest.param(api(group(OLD, 1, "10.0.0.1:65536")), "not a numeric", id="port-too-high"),
        pytest.param(api(group(OLD, 1, "fd00::1:80")), "not a numeric", id="ipv6-no-brackets"),
        pytest.param(api(group(OLD, 1, "[10.0.0.1]:80")), "not a numeric", id="ipv4-in-brackets"),
        pytest.param(
            api(group(OLD, 1, {"address": "10.0.0.1:80", "weight": 0})), "weight", id="weight-0"
        ),
        pytest.param(
            api(group(), sticky={"cookie": "a;b", "max_age": 1}), "cookie", id="cookie-name"
        ),
        pytest.param(
            api(group(), sticky={"cookie": "a", "max_age": 0}), "max_age", id="cookie-for-no-time"
        ),
        pytest.param(
            api(group(), preview={"header": "X\n", "release": OLD}), "header", id="header-name"
        ),
        pytest.param(
            api(group(), preview={"header": "X-P", "release": NEW}),
            "no group",
            id="preview-of-none",
        ),
    ],
)
def test_refuses_what_the_edge_cannot_choose_by(upstreams: dict[str, Any], problem: str) -> None:
    """Each mistake is named, before anything is sent."""
    with pytest.raises(MainstayError) as caught:
        document.normalise(upstreams)
    assert any(problem in line for line in caught.value.evidence)


def test_names_all_problems_at_once() -> None:
    """A person mends a document in one go."""
    with pytest.raises(MainstayError) as caught:
        document.normalise({**api(group("", -1, "x")), "b c": {"groups": []}})
    assert len(caught.value.evidence) == 4


def test_completes_what_was_left_out() -> None:
    """The normal form has every key, so that two documents can be compared."""
    assert document.normalise({"api": {"groups": [{"release": OLD, "members": []}]}}) == {
        "api": {
            "groups": [{"release": OLD, "share": 100.0, "members": []}],
            "sticky": None,
            "preview": None,
        }
    }


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        pytest.param("10.0.0.1:80", ("10.0.0.1", 80), id="ipv4"),
        pytest.param("[fd00::1]:443", ("fd00::1", 443), id="ipv6"),
        pytest.param("10.0.0.1:+80", None, id="sign"),
        pytest.param("10.0.0.1:\uff18\uff10", None, id="other-digits"),
        pytest.param("", None, id="empty"),
    ],
)
def test_addresses(text: str, parsed: Any) -> None:
    """Only what Nginx can connect to without asking a name server."""
    assert document.parse_address(text) == parsed


def test_a_change_reads_like_a_sentence() -> None:
    """Shares are shown as they take effect, not as they were written."""
    before = document.normalise(api(group(OLD, 1, "10.0.0.1:80")))
    after = document.normalise(
        {**api(group(OLD, 3, "10.0.0.1:80"), group(NEW, 1, "10.0.0.2:80")), "web": {"groups": []}}
    )
    assert document.sentences(before, after) == [
        f"send api: 75 % to {OLD} (1), 25 % to {NEW} (1) (was 100 % to {OLD} (1))",
        "start sending requests to web: no members",
    ]
    assert document.sentences(before, {}) == ["stop sending requests to api"]
    assert document.sentences(before, before) == []


def test_a_diff_shows_members_shares_and_options() -> None:
    """One line a group."""
    sticky = {"cookie": "c", "max_age": 60}
    preview = {"header": "X-P", "release": NEW}
    shown = document.normalise(
        api(
            group(OLD, 1, "10.0.0.1:80", {"address": "10.0.0.3:80", "weight": 2}),
            group(NEW, 0),
            sticky=sticky,
            preview=preview,
        )
    )
    assert document.render(shown).splitlines() == [
        "api:",
        f"  100 % {OLD}: 10.0.0.1:80, 10.0.0.3:80 weight 2",
        f"  0 % {NEW}: nobody",
        "  sticky by c for 60 s",
        f"  preview of {NEW} by X-P",
    ]


PORTS = st.integers(min_value=1, max_value=65535)
ADDRESSES = st.builds(
    lambda ip, port: f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}",
    st.ip_addresses(),
    PORTS,
)
GROUPS = st.lists(
    st.tuples(
        st.text("abcdef0123456789", min_size=1, max_size=6),
        st.floats(min_value=0, max_value=100),
        st.lists(ADDRESSES, max_size=3),
    ),
    max_size=3,
    unique_by=lambda g: g[0],
)
DOCUMENTS = st.dictionaries(
    st.sampled_from(["api", "web", "a-b"]),
    st.builds(lambda groups: {"groups": [group(r, s, *m) for r, s, m in groups]}, GROUPS),
)


@given(DOCUMENTS)
def test_the_normal_form_is_its_own_normal_form(upstreams: dict[str, Any]) -> None:
    """What the edge answers compares equal to what was sent."""
    once = document.normalise(upstreams)
    assert document.normalise(once) == once
    assert document.render(once).count("\n") == len(once) + sum(
        len(u["groups"]) for u in once.values()
    )
    assert document.addresses(once) == {
        m["address"] for u in once.values() for g in u["groups"] for m in g["members"]
    }
