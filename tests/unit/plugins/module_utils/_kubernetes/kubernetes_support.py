# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests of a description, the peers of NetworkPolicies, and what restricted means."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import yaml

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.policy_evaluator import (  # noqa: E501
    Peer,
    may_talk,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.describe import describe
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform

SOUND = pathlib.Path(__file__).parents[1] / "_platform/kubernetes_descriptions.yml"
#: Asked for beside those of the platform: DNS, HTTPS, mail, traces, managed stores.
OTHER_PORTS = (53, 443, 587, 4317, 5432, 6379, 6380, 27017)
OUTSIDE = (
    Peer("internet", address="203.0.113.9"),
    Peer("private", address="10.9.9.9"),
    Peer("managed", address="10.0.7.7"),
)


def sound() -> tuple[Platform, dict[str, str]]:
    """The sound description and its secrets."""
    raw = yaml.safe_load(SOUND.read_text())
    platform, problems = describe(raw, {}, {})
    assert platform is not None, problems
    return platform, raw["platform_secrets"]


def pod_templates(manifests: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind/name, template) of everything that makes pods."""
    for item in manifests:
        name = f"{item['kind']}/{item['metadata']['name']}"
        if item["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield name, item["spec"]["template"]
        elif item["kind"] == "CronJob":
            yield name, item["spec"]["jobTemplate"]["spec"]["template"]


def containers(template: dict[str, Any]) -> list[dict[str, Any]]:
    """All containers of a pod."""
    spec = template["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def not_restricted(template: dict[str, Any]) -> list[str]:
    """What the Pod Security level restricted would refuse (Pod Security Standards, v1.34)."""
    spec, found = template["spec"], []
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    found += [f"{key} is true" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    for volume in spec.get("volumes", []):
        found += [f"volume {key}" for key in set(volume) - {"name"} - allowed]
    pod = spec.get("securityContext", {})
    for container in containers(template):
        own = {**pod, **container.get("securityContext", {})}
        if own.get("runAsNonRoot") is not True or own.get("runAsUser") == 0:
            found.append("may run as root")
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            found.append("may gain privileges")
        if own.get("capabilities", {}) != {"drop": ["ALL"]}:
            found.append("keeps capabilities")
        if own.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            found.append("has no seccomp profile")
    return found


def peers(manifests: list[dict[str, Any]]) -> list[Peer]:
    """One pod of each part, and pods of the namespaces around the platform."""
    found: dict[str, Peer] = {}
    namespace = next(m["metadata"]["name"] for m in manifests if m["kind"] == "Namespace")
    for _name, template in pod_templates(manifests):
        labels = template["metadata"]["labels"]
        name = labels["app.kubernetes.io/name"]
        found[name] = Peer(
            name,
            namespace,
            labels,
            {"kubernetes.io/metadata.name": namespace},
            f"10.244.0.{len(found) + 1}",
        )
    others = ("ingress-nginx", "kube-system", "monitoring", "observability", "somebody-else")
    around = [
        Peer(name, name, {"app": name}, {"kubernetes.io/metadata.name": name}, f"10.245.0.{index}")
        for index, name in enumerate(others, 1)
    ]
    return [*found.values(), *around, *OUTSIDE]


def allowed(manifests: list[dict[str, Any]]) -> list[str]:
    """Every C(source -> target:port) that is open to or from the platform's pods, sorted."""
    policies = [m for m in manifests if m["kind"] == "NetworkPolicy"]
    every = peers(manifests)
    mine = {p.name for p in every if p.namespace == policies[0]["metadata"]["namespace"]}
    ports = set(OTHER_PORTS)
    for _name, template in pod_templates(manifests):
        for container in containers(template):
            ports |= {port["containerPort"] for port in container.get("ports", [])}
    for item in manifests:
        if item["kind"] == "Service":
            ports |= {port["targetPort"] for port in item["spec"]["ports"]}
    return sorted(
        f"{source.name} -> {target.name}:{port}"
        for source in every
        for target in every
        for port in sorted(ports)
        if source.name != target.name or source.name in mine
        if {source.name, target.name} & mine
        if may_talk(policies, source, target, port)
    )
