# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluator answers as the specification of NetworkPolicies says."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.policy_evaluator import (  # noqa: E501
    Peer,
    may_talk,
    refusals,
    selects,
)

SHOP = {"kubernetes.io/metadata.name": "shop", "team": "a"}
OTHER = {"kubernetes.io/metadata.name": "other", "team": "b"}
WEB = Peer("web", "shop", {"app": "web"}, SHOP, "10.0.0.1")
API = Peer("api", "shop", {"app": "api", "tier": "back"}, SHOP, "10.0.0.2", {"http": 3000})
DB = Peer("db", "shop", {"app": "db"}, SHOP, "10.0.0.3")
SPY = Peer("spy", "other", {"app": "web"}, OTHER, "10.0.1.1")
DNS = Peer("dns", "shop", {"app": "dns"}, SHOP, "10.0.0.4", {"dns": (53, "UDP")})
NET_IS = "203.0.113.7/32"
NET = Peer("net", address="203.0.113.7")
INSIDE = Peer("inside", address="192.168.1.1")


def policy(
    chosen: dict[str, Any],
    ingress: Optional[list[Any]] = None,
    egress: Optional[list[Any]] = None,
    types: Optional[list[str]] = None,
    namespace: str = "shop",
    name: str = "p",
) -> dict[str, Any]:
    """A NetworkPolicy."""
    spec: dict[str, Any] = {"podSelector": chosen}
    for key, value in (("ingress", ingress), ("egress", egress), ("policyTypes", types)):
        if value is not None:
            spec[key] = value
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def app(name: str) -> dict[str, Any]:
    """Selects by the label app."""
    return {"matchLabels": {"app": name}}


DENY = policy({}, types=["Ingress", "Egress"])
BLOCK = {"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.128/25"]}}
TO_API = policy(app("api"), [{"from": [{"podSelector": app("web")}]}])


CASES = [
    ("no policy, all open", [], SPY, API, 1, "TCP", True),
    ("selected and without rules, closed", [policy({})], WEB, API, 3000, "TCP", False),
    ("without types egress stays open", [policy(app("web"))], WEB, API, 3000, "TCP", True),
    ("egress rules imply the type", [policy(app("web"), egress=[{}])], API, WEB, 1, "TCP", False),
    ("an empty rule allows all", [policy({}, [{}])], NET, API, 3000, "TCP", True),
    ("only pods it selects", [policy(app("db"))], WEB, API, 3000, "TCP", True),
    ("only in its namespace", [policy({}, namespace="other")], WEB, API, 3000, "TCP", True),
    ("from a pod by label", [TO_API], WEB, API, 3000, "TCP", True),
    ("from another pod", [TO_API], DB, API, 3000, "TCP", False),
    ("same label, other namespace", [TO_API], SPY, API, 3000, "TCP", False),
    ("from outside", [TO_API], NET, API, 3000, "TCP", False),
    (
        "namespace selector alone takes all its pods",
        [policy(app("api"), [{"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]}])],
        SPY,
        API,
        3000,
        "TCP",
        True,
    ),
    (
        "both selectors of one entry must match",
        [
            policy(
                app("api"),
                [
                    {
                        "from": [
                            {
                                "namespaceSelector": {"matchLabels": {"team": "b"}},
                                "podSelector": app("db"),
                            }
                        ]
                    }
                ],
            )
        ],
        SPY,
        API,
        3000,
        "TCP",
        False,
    ),
    (
        "one of two entries is enough",
        [
            policy(
                app("api"),
                [
                    {
                        "from": [
                            {"namespaceSelector": {"matchLabels": {"team": "b"}}},
                            {"podSelector": app("db")},
                        ]
                    }
                ],
            )
        ],
        DB,
        API,
        3000,
        "TCP",
        True,
    ),
    (
        "an empty namespace selector is all namespaces",
        [policy(app("api"), [{"from": [{"namespaceSelector": {}}]}])],
        SPY,
        API,
        3000,
        "TCP",
        True,
    ),
    (
        "an empty pod selector is all pods of the namespace",
        [policy(app("api"), [{"from": [{"podSelector": {}}]}])],
        SPY,
        API,
        3000,
        "TCP",
        False,
    ),
    ("block", [policy(app("api"), [{"from": [BLOCK]}])], NET, API, 3000, "TCP", True),
    (
        "block, excepted",
        [policy(app("api"), [{"from": [BLOCK]}])],
        Peer("far", address="203.0.113.200"),
        API,
        3000,
        "TCP",
        False,
    ),
    ("beside the block", [policy(app("api"), [{"from": [BLOCK]}])], INSIDE, API, 1, "TCP", False),
    (
        "other version of the protocol",
        [policy(app("api"), [{"from": [{"ipBlock": {"cidr": "::/0"}}]}])],
        NET,
        API,
        3000,
        "TCP",
        False,
    ),
    ("port", [policy(app("api"), [{"ports": [{"port": 3000}]}])], WEB, API, 3000, "TCP", True),
    ("other port", [policy(app("api"), [{"ports": [{"port": 80}]}])], WEB, API, 81, "TCP", False),
    (
        "TCP unless it says otherwise",
        [policy(app("api"), [{"ports": [{"port": 53}]}])],
        WEB,
        API,
        53,
        "UDP",
        False,
    ),
    (
        "protocol without a port",
        [policy(app("api"), [{"ports": [{"protocol": "UDP"}]}])],
        WEB,
        API,
        999,
        "UDP",
        True,
    ),
    (
        "range, its end",
        [policy(app("api"), [{"ports": [{"port": 32000, "endPort": 32768}]}])],
        WEB,
        API,
        32768,
        "TCP",
        True,
    ),
    (
        "beyond the range",
        [policy(app("api"), [{"ports": [{"port": 32000, "endPort": 32768}]}])],
        WEB,
        API,
        32769,
        "TCP",
        False,
    ),
    (
        "named port",
        [policy(app("api"), [{"ports": [{"port": "http"}]}])],
        WEB,
        API,
        3000,
        "TCP",
        True,
    ),
    (
        "named port that the pod does not have",
        [policy(app("db"), [{"ports": [{"port": "http"}]}])],
        WEB,
        DB,
        3000,
        "TCP",
        False,
    ),
    (
        "peer and port of one rule both count",
        [policy(app("api"), [{"from": [{"podSelector": app("web")}], "ports": [{"port": 1}]}])],
        WEB,
        API,
        3000,
        "TCP",
        False,
    ),
    (
        "rules of two policies add up",
        [TO_API, policy(app("api"), [{"from": [{"podSelector": app("db")}]}], name="q")],
        DB,
        API,
        3000,
        "TCP",
        True,
    ),
    ("leave on the far side is not enough", [DENY, TO_API], WEB, API, 3000, "TCP", False),
    (
        "leave on both sides",
        [DENY, TO_API, policy(app("web"), egress=[{"to": [{"podSelector": app("api")}]}])],
        WEB,
        API,
        3000,
        "TCP",
        True,
    ),
    (
        "named port of the target on the way out",
        [policy(app("web"), egress=[{"ports": [{"port": "http"}]}], types=["Egress"])],
        WEB,
        API,
        3000,
        "TCP",
        True,
    ),
    (
        "a name is one of its protocol only",
        [policy(app("dns"), [{"ports": [{"port": "dns", "protocol": "UDP"}]}])],
        WEB,
        DNS,
        53,
        "UDP",
        True,
    ),
    (
        "and none of the other",
        [policy(app("dns"), [{"ports": [{"port": "dns"}]}])],
        WEB,
        DNS,
        53,
        "TCP",
        False,
    ),
    (
        "a second exception counts too",
        [
            policy(
                app("api"),
                [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", NET_IS]}}]}],
            )
        ],
        NET,
        API,
        3000,
        "TCP",
        False,
    ),
    (
        "another block may have what one excepts",
        [
            policy(
                app("api"),
                [{"from": [BLOCK, {"ipBlock": {"cidr": "203.0.113.200/32"}}]}],
            )
        ],
        Peer("far", address="203.0.113.200"),
        API,
        3000,
        "TCP",
        True,
    ),
    (
        "a range of one",
        [policy(app("api"), [{"ports": [{"port": 80, "endPort": 80}]}])],
        WEB,
        API,
        80,
        "TCP",
        True,
    ),
    (
        "below the range",
        [policy(app("api"), [{"ports": [{"port": 80, "endPort": 90}]}])],
        WEB,
        API,
        79,
        "TCP",
        False,
    ),
    (
        "empty lists are everybody",
        [policy({}, [{"from": [], "ports": []}])],
        NET,
        API,
        1,
        "TCP",
        True,
    ),
    (
        "empty selectors of both kinds are every pod, and nothing outside",
        [policy({}, [{"from": [{"namespaceSelector": {}, "podSelector": {}}]}])],
        NET,
        API,
        1,
        "TCP",
        False,
    ),
    ("outside asks nobody", [DENY], NET, INSIDE, 80, "TCP", True),
]


@pytest.mark.parametrize(
    ("policies", "source", "target", "port", "protocol", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_specification(
    policies: list[Any], source: Peer, target: Peer, port: int, protocol: str, expected: bool
) -> None:
    assert bool(may_talk(policies, source, target, port, protocol)) is expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ({"key": "app", "operator": "In", "values": ["api", "web"]}, True),
        ({"key": "app", "operator": "In", "values": ["web"]}, False),
        ({"key": "app", "operator": "NotIn", "values": ["web"]}, True),
        ({"key": "app", "operator": "NotIn", "values": ["api"]}, False),
        # A key that is not there is not in the list either.
        ({"key": "zone", "operator": "NotIn", "values": ["a"]}, True),
        ({"key": "tier", "operator": "Exists"}, True),
        ({"key": "zone", "operator": "Exists"}, False),
        ({"key": "zone", "operator": "DoesNotExist"}, True),
        ({"key": "tier", "operator": "DoesNotExist"}, False),
    ],
)
def test_expressions(term: dict[str, Any], expected: bool) -> None:
    assert selects({"matchExpressions": [term]}, API.labels) is expected
    assert selects({"matchLabels": {"app": "x"}, "matchExpressions": [term]}, API.labels) is False


def test_an_operator_that_is_none() -> None:
    with pytest.raises(ValueError, match="Gt"):
        selects({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}, {})


def test_the_verdict_names_who_closes() -> None:
    verdict = may_talk([DENY, TO_API], DB, API, 3000)
    assert verdict.because == ("p (Egress)", "p (Ingress)", "p (Ingress)")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"from": [{"ipBlock": {"cidr": "203.0.113.7/24"}}]}, "from[0].ipBlock.cidr"),
        ({"from": [{"ipBlock": {"cidr": "203.0.113.0"}}]}, "from[0].ipBlock.cidr"),
        ({"from": [{"ipBlock": {"cidr": "203.0.113.0/255.255.255.0"}}]}, "from[0].ipBlock.cidr"),
        ({"from": [{"ipBlock": {"cidr": "203.0.113.00/24"}}]}, "from[0].ipBlock.cidr"),
        (
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.1.1/16"]}}]},
            "from[0].ipBlock.except[0]: found '10.1.1.1/16'",
        ),
        (
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}]},
            "expected a part of 10.0.0.0/8",
        ),
        (
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}]},
            "expected a part of 10.0.0.0/8",
        ),
        (
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["2001:db8::/64"]}}]},
            "expected a part of 10.0.0.0/8",
        ),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}, "expected alone"),
        ({"from": [{}]}, "from[0]: found no peer"),
        ({"ports": [{"port": 80, "endPort": 79}]}, "ports[0].endPort: found 79"),
        ({"ports": [{"port": 80, "endPort": 70000}]}, "ports[0].endPort: found 70000"),
        ({"ports": [{"port": "http", "endPort": 90}]}, "ports[0].endPort: found without"),
        ({"ports": [{"endPort": 90}]}, "ports[0].endPort: found without"),
        ({"ports": [{"port": 0}]}, "ports[0].port: found 0"),
    ],
)
def test_what_the_api_server_would_not_take_is_no_answer(
    rule: dict[str, Any], expected: str
) -> None:
    found = refusals(policy({}, [rule]))
    assert len(found) == 1 and found[0].startswith("p: ingress[0].") and expected in found[0]
    assert refusals(policy({}, egress=[{"to": rule.get("from"), "ports": rule.get("ports")}]))
    with pytest.raises(ValueError, match=r"p: ingress\[0\]"):
        may_talk([policy({}, [rule])], WEB, API, 3000)
