# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules as Ansible runs them, with no more rights than the documentation asks for."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from kube_bed import FIRST, PLATFORM, SECOND, SECRET, Cluster, config, secret, workload

ROOT = pathlib.Path(__file__).resolve().parents[3]
RIGHTS = ROOT / "docs" / "reference" / "kubernetes-rights.md"


def ansible(module: str, **arguments: Any) -> tuple[int, dict[str, Any], str]:
    """(return code, result, everything that was printed) of one task on this machine."""
    command = [
        str(pathlib.Path(sys.executable).parent / "ansible"),
        "localhost",
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
        "-m",
        f"mainstay.platform.{module}",
        "-a",
        json.dumps(arguments),
        "-vvv",
    ]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "minimal",
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "true",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment,
        cwd=ROOT,
    )
    found = re.search(
        r"^localhost \| [A-Z]+!? (?:=>|\| rc=\S+ >>) (\{.*?^\})", done.stdout, re.S | re.M
    )
    assert found, done.stdout + done.stderr
    return done.returncode, json.loads(found[1]), done.stdout + done.stderr


def where(cluster: Cluster, **more: Any) -> dict[str, Any]:
    """The arguments that all modules share here."""
    found = {"platform": PLATFORM, "namespace": cluster.namespace}
    return {**found, "kubeconfig": cluster.kubeconfig, **more}


def test_a_release_by_ansible_prints_no_secret(cluster: Cluster) -> None:
    asked = where(cluster, release_id=FIRST, manifests=[secret("s", password=SECRET), workload()])
    # The file of arguments is what is typed; Ansible itself repeats it at -vvv.
    code, result, printed = ansible("k8s_release", **{**asked, "manifests": [workload()]})
    assert (code, result["changed"]) == (0, True), printed
    code, result, printed = ansible("k8s_release", **asked)
    assert code == 0
    assert SECRET not in json.dumps({k: v for k, v in result.items() if k != "invocation"})
    code, result, printed = ansible("k8s_release_info", **where(cluster, release_id=FIRST))
    assert code == 0 and SECRET not in printed
    assert result["platform"]["current"] == FIRST


def test_wrong_arguments_are_refused(cluster: Cluster) -> None:
    code, result, _printed = ansible("k8s_release", **where(cluster, manifests=[]))
    assert code != 0 and "release_id" in result["msg"]
    missing = where(cluster, release_id=FIRST, kubeconfig="/nonexistent/config")
    code, result, _printed = ansible("k8s_release", **missing)
    assert code != 0 and "no usable kubeconfig" in result["msg"]


def _documented(cluster: Cluster) -> dict[str, Any]:
    block = re.search(r"```yaml\n(.*?)```", RIGHTS.read_text(encoding="utf-8"), re.S)
    assert block
    role: dict[str, Any] = yaml.safe_load(block[1])
    role["metadata"]["namespace"] = cluster.namespace
    return role


def _account(cluster: Cluster, role: dict[str, Any]) -> dict[str, Any]:
    """Arguments that make a module use an account with these rights and no others."""
    cluster.kubectl("apply", "-f", "-", stdin=role)
    cluster.kubectl("create", "serviceaccount", "deployer")
    cluster.kubectl(
        "create",
        "rolebinding",
        "deployer",
        f"--role={role['metadata']['name']}",
        f"--serviceaccount={cluster.namespace}:deployer",
    )
    described = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json"))
    server = described["clusters"][0]["cluster"]
    return {
        "kubeconfig": None,
        "api_url": server["server"],
        "api_ca": server["certificate-authority"],
        "api_token": cluster.kubectl("create", "token", "deployer").strip(),
    }


def test_the_documented_rights_are_enough(cluster: Cluster) -> None:
    account = _account(cluster, _documented(cluster))
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "api"},
        "spec": {"selector": {"app": "api"}, "ports": [{"port": 80}]},
    }
    first = [config("c", a="1"), secret("s", a="1"), service, workload()]
    assert cluster.release(first, **account)["release"]["outcome"] == "deployed"
    assert cluster.release([workload()], SECOND, **account)["release"]["counts"]["removed"] == 3
    bad = workload(env={"SAMPLE_FAULT": "exit"})
    failed = cluster.release([bad], "r3", verdict={"crashes": 2}, **account)
    assert any("log" in line for line in failed["error"]["evidence"]), failed
    back = cluster.release([], "r4", state="rolled_back", to=FIRST, **account)
    assert back["release"]["outcome"] == "deployed"


@pytest.mark.parametrize(
    ("resource", "verb", "words"),
    [
        ("deployments", "patch", "patch deployments.apps in namespace"),
        ("deployments", "watch", "watch deployments.apps in namespace"),
        ("secrets", "delete", "delete secrets in namespace"),
        ("configmaps", "get", "the right to get configmaps in namespace"),
    ],
)
def test_a_missing_right_is_told_before_anything_changes(
    cluster: Cluster, resource: str, verb: str, words: str
) -> None:
    role = _documented(cluster)
    for rule in role["rules"]:
        if resource in rule["resources"]:
            others = [r for r in rule["resources"] if r != resource]
            verbs = [v for v in rule["verbs"] if v != verb]
            role["rules"].append({**rule, "resources": [resource], "verbs": verbs})
            rule["resources"] = others
            break
    account = _account(cluster, role)
    refused = cluster.release([secret("s", a="1"), workload()], **account)
    assert words in refused["failed"]
    assert cluster.namespace in refused["failed"]
    assert not cluster.get("secret", "s")


LOCK = {"release_id": FIRST, "purpose": "deploy 1.0.0", "backend": "kubernetes"}


def test_of_many_runs_one_gets_the_lock(cluster: Cluster) -> None:
    def take(number: int) -> tuple[int, dict[str, Any], str]:
        words = {**LOCK, "release_id": f"r{number}", "holder": f"run {number}"}
        return ansible("release_lock", **where(cluster, **words))

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(take, range(3)))
    # Each task is a process of its own that has ended: the next may take over what it left. The
    # counter tells that no two of them held the lock with the same one.
    taken = [r["lock"]["fence"] for code, r, _printed in answers if code == 0]
    assert taken and len(set(taken)) == len(taken)
    for code, result, _printed in answers:
        assert code == 0 or "lock" in result["msg"]


def test_lock_and_ledger_in_the_cluster(cluster: Cluster) -> None:
    code, result, printed = ansible("release_lock", **where(cluster, **LOCK))
    assert code == 0, printed
    fence = result["lock"]["fence"]
    lease = cluster.get("lease", f"mainstay-{PLATFORM}")
    assert lease["spec"]["leaseTransitions"] == fence
    backend = {"backend": "kubernetes", "release_id": FIRST, "fence": fence}
    entry = {"kind": "deploy", "who": "ada"}
    opened = where(cluster, **backend, state="started", entry=entry)
    code, _result, printed = ansible("release_record", **opened)
    assert code == 0, printed
    ended = {"outcome": "deployed", "committed": True}
    closed = where(cluster, **backend, state="finished", entry=ended, unlock=True)
    assert ansible("release_record", **closed)[0] == 0
    code, result, printed = ansible("release_info", **where(cluster, backend="kubernetes"))
    assert code == 0, printed
    assert result["current"]["id"] == FIRST and not result["lock"]["live"]
