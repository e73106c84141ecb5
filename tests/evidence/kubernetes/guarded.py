# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented Role is enough for a release, and what is missing of it is told first."""

from __future__ import annotations

import copy
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import yaml

from evidence.evidence import Figure, Row
from evidence.kubernetes.common import COMMAND, ROOT, Cluster, Manifest, namespace
from evidence.kubernetes.shop import Shop

PAGE = ROOT / "docs" / "reference" / "kubernetes-rights.md"
#: Explain failures, and may be left out; the lock is not taken by the task that is measured.
OPTIONAL = {"pods", "events", "pods/log", "replicasets", "leases"}
#: Kinds of which the demonstration has an object.
USED = {
    "configmaps",
    "secrets",
    "services",
    "serviceaccounts",
    "limitranges",
    "deployments",
    "ingresses",
    "jobs",
    "networkpolicies",
    "poddisruptionbudgets",
}
ACCOUNT = "releases"


def role(cluster: Cluster) -> Manifest:
    """The Role of the page, in the namespace."""
    text = PAGE.read_text(encoding="utf-8")
    found: Manifest = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0])
    found["metadata"] = {"name": ACCOUNT, "namespace": cluster.namespace}
    return found


def restricted(cluster: Cluster, place: Path) -> Cluster:
    """The namespace as an account sees it that has nothing but the Role."""
    words = ("create", "serviceaccount", ACCOUNT)
    cluster.kubectl(*words)
    cluster.kubectl("apply", "-f", "-", stdin=role(cluster))
    subject = f"--serviceaccount={cluster.namespace}:{ACCOUNT}"
    cluster.kubectl("create", "rolebinding", ACCOUNT, f"--role={ACCOUNT}", subject)
    document = yaml.safe_load(Path(cluster.kubeconfig).read_text(encoding="utf-8"))
    token = cluster.kubectl("create", "token", ACCOUNT).strip()
    user = {"name": ACCOUNT, "user": {"token": token}}
    document["users"] = [user]
    for context in document["contexts"]:
        context["context"]["user"] = ACCOUNT
    file = place / "kubeconfig"
    file.write_text(json.dumps(document), encoding="utf-8")
    return AsAccount(cluster, str(file))


class AsAccount(Cluster):
    """Releases as the account; kubectl stays that of the administrator, who looks what became."""

    def __init__(self, admin: Cluster, kubeconfig: str) -> None:
        super().__init__(admin.kubeconfig, admin._kubectl, admin.namespace)
        self.account = kubeconfig

    def _drive(self, asked: dict[str, Any], kill_at: str = "") -> dict[str, Any]:
        return super()._drive({"kubeconfig": self.account, **asked}, kill_at)


def enough(repeats: int) -> Figure:
    """First release, no-op, all strategies, a bad version and the way back, rollback, info."""
    wrong: list[str] = []
    steps = 0
    for _number in range(repeats):
        with namespace() as admin, tempfile.TemporaryDirectory() as place:
            shop = Shop(restricted(admin, Path(place)))
            told = {
                "first": shop.release("rolling"),
                "no-op": shop.release("rolling"),
                "blue_green": shop.release("blue_green", 600.0, api="1.1.0", web="1.1.0"),
                "canary": shop.release("canary", api="1.2.0", web="1.2.0", worker="1.1.0"),
            }
            bad = shop.release("rolling", web="2.0.0-exit")
            told["back"] = shop.back()
            told["rollback"] = shop.cluster.release([], "r99", state="rolled_back", to="r1")
            wrong += [f"{name}: {str(d)[:200]}" for name, d in told.items() if "release" not in d]
            if "web" not in bad.get("failed", "") or not bad["error"]["evidence"]:
                wrong.append(f"bad version: {str(bad)[:200]}")
            if shop.cluster.info()["phase"] != "deployed":
                wrong.append("the cluster does not hold the last release")
            steps += len(told) + 2
    return Figure(
        "; ".join([f"{steps - len(wrong)} of {steps} steps", *wrong])[:500], "", not wrong
    )


def _lacking(whole: Manifest) -> list[tuple[str, str, str, Manifest]]:
    """(group, resource, verb, the Role without it) for each right that the demonstration needs."""
    found = []
    for number, rule in enumerate(whole["rules"]):
        for resource in set(rule["resources"]) & USED - OPTIONAL:
            for verb in rule["verbs"]:
                less = copy.deepcopy(whole)
                rest = [r for r in rule["resources"] if r != resource]
                own = {**rule, "resources": [resource], "verbs": [*rule["verbs"]]}
                own["verbs"].remove(verb)
                less["rules"][number : number + 1] = [
                    own,
                    *([{**rule, "resources": rest}] if rest else []),
                ]
                found.append((rule["apiGroups"][0], resource, verb, less))
    return sorted(found, key=lambda entry: entry[:3])


def missing(repeats: int) -> Figure:
    """Each verb of each kind is taken out of the Role, then a release is tried that changes all."""
    wrong: list[str] = []
    told = unneeded = 0
    with namespace() as admin, tempfile.TemporaryDirectory() as place:
        account = restricted(admin, Path(place))
        shop = Shop(account)
        first = shop.release("rolling")
        assert "release" in first, first
        lacking = _lacking(role(admin))
        for group, resource, verb, less in lacking if repeats > 1 else lacking[::9]:
            admin.kubectl("apply", "-f", "-", stdin=less)
            _settled(admin, group, resource, verb)
            before = _versions(admin)
            name = f"{verb} {resource}"
            # Another configuration each time, else there would be nothing to do.
            trial = Shop(account, SAMPLE_MARK=name)
            trial.current, trial.number = shop.current, shop.number
            answer = trial.release("blue_green", 600.0)
            if "failed" not in answer:
                unneeded += 1
                shop = trial
                continue
            text = answer["failed"]
            where = f".{group}" if group else ""
            named = all(w in text for w in (verb, f"{resource}{where}", admin.namespace))
            if not named or _versions(admin) != before:
                wrong.append(f"{name}: {'changed' if named else text[:150]}")
            else:
                told += 1
    text = f"{told} missing rights told first, {unneeded} were not needed"
    return Figure("; ".join([text, *wrong])[:600], "", not wrong and told > 0)


def _settled(admin: Cluster, group: str, resource: str, verb: str) -> None:
    """Until the API server's own picture of the Role has no such right any more."""
    full = f"{resource}.{group}" if group else resource
    account = f"--as=system:serviceaccount:{admin.namespace}:{ACCOUNT}"
    for _try in range(200):
        if "no" in admin.kubectl("auth", "can-i", verb, full, account, check=False):
            return
    raise AssertionError(f"{verb} {full} is still allowed")


def _versions(admin: Cluster) -> set[tuple[str, str, str]]:
    """Everything of the platform, as it is described."""
    kinds = "configmaps,secrets,services,deployments,ingresses,networkpolicies,jobs"
    items = json.loads(admin.kubectl("get", kinds, "-o", "json"))["items"]
    return {
        (
            item["kind"],
            item["metadata"]["name"],
            json.dumps([item.get("data"), item.get("spec"), item["metadata"].get("labels")]),
        )
        for item in items
    }


ROWS = [
    Row(
        "role",
        "releases, a bad one and rollbacks with nothing but the documented Role",
        "every step as with all rights",
        COMMAND.format("role"),
        enough,
    ),
    Row(
        "missing-rights",
        "each verb of each kind taken out of the Role",
        "told by verb, resource and namespace before any change",
        COMMAND.format("missing-rights"),
        missing,
        2,
    ),
]
