# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NetworkPolicies mean: may A talk to B on port P? Pure.

The rules are those of the specification (Kubernetes documentation, "Network Policies", and the API
reference of networking.k8s.io/v1): a pod that no policy selects for a direction is open in it; one
that any selects is closed but for what some rule of any of them allows; a connection needs leave on
both sides. An ipBlock is taken to match pods by their address too, as most implementations do.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, Union

Policy = Mapping[str, Any]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
NamedPort = Union[int, tuple[int, str]]
INGRESS, EGRESS = "Ingress", "Egress"


@dataclass(frozen=True)
class Peer:
    """A pod, or with no C(namespace) an address outside the cluster.

    C(ports) are the named ports of its containers; one of another protocol than TCP has it beside
    the number.
    """

    name: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    ports: Mapping[str, NamedPort] = field(default_factory=dict)

    @property
    def is_pod(self) -> bool:
        """False for what lies outside the cluster."""
        return bool(self.namespace)


@dataclass(frozen=True)
class Verdict:
    """The answer, and the policies that gave it: those that allow, or those that close."""

    allowed: bool
    because: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.allowed


def may_talk(
    policies: Iterable[Policy], source: Peer, target: Peer, port: int, protocol: str = "TCP"
) -> Verdict:
    """May C(source) open a connection to C(target) on C(port)? ValueError for a policy that the API
    server would not take: what such a one does is nowhere specified."""
    known = list(policies)
    wrong = [text for policy in known for text in refusals(policy)]
    if wrong:
        raise ValueError("; ".join(wrong))
    out = _side(known, EGRESS, source, target, target, port, protocol)
    into = _side(known, INGRESS, target, source, target, port, protocol)
    if out.allowed and into.allowed:
        return Verdict(True, (*out.because, *into.because))
    return Verdict(False, tuple(b for v in (out, into) if not v.allowed for b in v.because))


def _side(
    policies: list[Policy],
    direction: str,
    pod: Peer,
    other: Peer,
    target: Peer,
    port: int,
    protocol: str,
) -> Verdict:
    """What the policies of C(pod) say about one direction; C(other) is the far end."""
    chosen = [p for p in policies if _selects(p, pod) and direction in _types(p)]
    if not chosen:
        return Verdict(True)
    rules, peers = ("egress", "to") if direction == EGRESS else ("ingress", "from")
    leave = tuple(
        str(policy["metadata"]["name"])
        for policy in chosen
        if any(
            _peers_match(rule.get(peers), other, policy)
            and _ports_match(rule.get("ports"), target, port, protocol)
            for rule in policy["spec"].get(rules) or ()
        )
    )
    if leave:
        return Verdict(True, leave)
    return Verdict(False, tuple(f"{p['metadata']['name']} ({direction})" for p in chosen))


def refusals(policy: Policy) -> list[str]:
    """Why the API server would not take a policy, each with its path."""
    name, spec = policy["metadata"]["name"], policy["spec"]
    found: list[str] = []
    for rules, peers in (("ingress", "from"), ("egress", "to")):
        for number, rule in enumerate(spec.get(rules) or ()):
            path = f"{name}: {rules}[{number}]"
            for place, peer in enumerate(rule.get(peers) or ()):
                found += [f"{path}.{peers}[{place}]{text}" for text in _wrong_peer(peer)]
            for place, entry in enumerate(rule.get("ports") or ()):
                found += [f"{path}.ports[{place}]{text}" for text in _wrong_port(entry)]
    return found


def _wrong_peer(peer: Mapping[str, Any]) -> list[str]:
    block = peer.get("ipBlock")
    selectors = [
        name for name in ("podSelector", "namespaceSelector") if peer.get(name) is not None
    ]
    if block is None:
        return [] if selectors else [": found no peer, expected a selector or a block"]
    if selectors:
        return [f".ipBlock: found beside {', '.join(selectors)}, expected alone"]
    whole = _network(str(block.get("cidr", "")))
    if whole is None:
        return [
            f".ipBlock.cidr: found {block.get('cidr')!r}, expected the first address of a network"
        ]
    found = []
    for number, text in enumerate(block.get("except") or ()):
        part = _network(str(text))
        if part is None:
            text_of = f"found {text!r}, expected the first address of a network"
            found.append(f".ipBlock.except[{number}]: {text_of}")
        elif part.version != whole.version or part == whole or not _within(part, whole):
            found.append(f".ipBlock.except[{number}]: found {text}, expected a part of {whole}")
    return found


def _network(text: str) -> Optional[Network]:
    """A network as the API server reads it: with its length, and no bit set behind that."""
    if "/" not in text or not text.partition("/")[2].isdigit():
        return None
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def _within(part: Network, whole: Network) -> bool:
    return part.network_address in whole and part.broadcast_address in whole


def _wrong_port(entry: Mapping[str, Any]) -> list[str]:
    port, last = entry.get("port"), entry.get("endPort")
    found = []
    if isinstance(port, int) and not 0 < port < 65536:
        found.append(f".port: found {port}, expected 1 to 65535")
    if last is None:
        return found
    if not isinstance(port, int):
        return [*found, ".endPort: found without a number as port, expected beside one"]
    if not port <= int(last) < 65536:
        found.append(f".endPort: found {last}, expected {port} to 65535")
    return found


def _namespace_of(policy: Policy) -> str:
    return str(policy["metadata"].get("namespace", "default"))


def _selects(policy: Policy, pod: Peer) -> bool:
    if not pod.is_pod or pod.namespace != _namespace_of(policy):
        return False
    return selects(policy["spec"].get("podSelector") or {}, pod.labels)


def _types(policy: Policy) -> list[str]:
    """Ingress always holds where nothing is said; Egress where the policy has such rules."""
    spec = policy["spec"]
    said: Optional[list[str]] = spec.get("policyTypes")
    if said:
        return said
    return [INGRESS, EGRESS] if spec.get("egress") else [INGRESS]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """A label selector; an empty one selects everything."""
    exact = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in exact.items()):
        return False
    return all(_holds(term, labels) for term in selector.get("matchExpressions") or ())


def _holds(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = term["key"], term["operator"], term.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    raise ValueError(f"unknown operator {operator}")


def _peers_match(peers: Optional[list[Any]], other: Peer, policy: Policy) -> bool:
    """Nothing said means everybody."""
    return not peers or any(_peer_matches(peer, other, policy) for peer in peers)


def _peer_matches(peer: Mapping[str, Any], other: Peer, policy: Policy) -> bool:
    block = peer.get("ipBlock")
    if block is not None:
        return _in_block(block, other.address)
    if not other.is_pod:
        return False
    spaces, pods = peer.get("namespaceSelector"), peer.get("podSelector")
    if spaces is None:
        if other.namespace != _namespace_of(policy):
            return False
    elif not selects(spaces, other.namespace_labels):
        return False
    return pods is None or selects(pods, other.labels)


def _in_block(block: Mapping[str, Any], address: str) -> bool:
    if not address:
        return False
    where = ipaddress.ip_address(address)
    excluded = (ipaddress.ip_network(text) for text in block.get("except") or ())
    return where in ipaddress.ip_network(block["cidr"]) and not any(where in e for e in excluded)


def _ports_match(ports: Optional[list[Any]], target: Peer, port: int, protocol: str) -> bool:
    """Nothing said means all ports; a name is one of the target's."""
    return not ports or any(_port_matches(entry, target, port, protocol) for entry in ports)


def _port_matches(entry: Mapping[str, Any], target: Peer, port: int, protocol: str) -> bool:
    if entry.get("protocol", "TCP") != protocol:
        return False
    wanted: Optional[Union[int, str]] = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        named = target.ports.get(wanted)
        return (named if isinstance(named, tuple) else (named, "TCP")) == (port, protocol)
    return wanted <= port <= int(entry.get("endPort", wanted))
