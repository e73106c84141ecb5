# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests of small platforms, and the modules called on a real cluster."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any, Optional

from kube_drive import call

HERE = pathlib.Path(__file__).resolve().parent
SECRET = "canary-9d41c7e2"
PLATFORM = "mse-test"
IMAGE = "mainstay.test/sample/api"
FIRST, SECOND, THIRD = "20261121T060000Z-0000aa", "20261121T070000Z-0000bb", "20261121T080000Z-cc"

Manifest = dict[str, Any]


def workload(
    name: str = "api",
    version: str = "1.0.0",
    *,
    kind: str = "Deployment",
    replicas: int = 1,
    env: Optional[dict[str, str]] = None,
    image: str = "",
    **container: Any,
) -> Manifest:
    """A workload of the sample program; more words are fields of its container."""
    probe = {"httpGet": {"path": "/api/health", "port": 3000}, "periodSeconds": 1}
    described = {
        "name": "main",
        "image": image or f"{IMAGE}:{version}",
        "imagePullPolicy": "IfNotPresent",
        "env": [
            {"name": k, "value": v} for k, v in {"SAMPLE_DRAIN_SECONDS": "0", **(env or {})}.items()
        ],
        "readinessProbe": probe,
        **container,
    }
    spec: dict[str, Any] = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [described]},
        },
    }
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def config(name: str, **data: str) -> Manifest:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> Manifest:
    """A Secret, with plain values."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def job(name: str, *arguments: str, **env: str) -> Manifest:
    """A job of the sample program that is tried once."""
    container = {
        "name": "main",
        "image": f"{IMAGE}:1.0.0",
        "args": list(arguments),
        "env": [{"name": k, "value": v} for k, v in env.items()],
    }
    spec = {"restartPolicy": "Never", "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": spec}},
    }


class Cluster:
    """One namespace of a cluster, with kubectl and the modules."""

    def __init__(self, kubeconfig: str, kubectl: str, namespace: str) -> None:
        self.kubeconfig, self._kubectl, self.namespace = kubeconfig, kubectl, namespace

    def release(
        self,
        manifests: list[Manifest],
        release_id: str = FIRST,
        *,
        kill_at: str = "",
        state: str = "present",
        **more: Any,
    ) -> dict[str, Any]:
        """The answer of k8s_release; C({"killed": True}) when it was killed on the way."""
        asked = {
            "platform": PLATFORM,
            "namespace": self.namespace,
            "state": state,
            "release_id": release_id,
            "manifests": manifests,
            "timeout": 60.0,
            "retain": 5,
            "parallel": 8,
            **more,
        }
        return self._drive(asked, kill_at)

    def info(self, **more: Any) -> dict[str, Any]:
        """The fact of k8s_release_info."""
        asked = {"platform": PLATFORM, "namespace": self.namespace, "parallel": 8, **more}
        found: dict[str, Any] = self._drive(asked)["platform"]
        return found

    def _drive(self, asked: dict[str, Any], kill_at: str = "") -> dict[str, Any]:
        asked = {"kubeconfig": self.kubeconfig, **asked}
        if not kill_at:
            # As data and back, as between Ansible and a module.
            answer: dict[str, Any] = json.loads(json.dumps(call(json.loads(json.dumps(asked)))))
            return answer
        done = subprocess.run(
            [sys.executable, str(HERE / "kube_drive.py")],
            input=json.dumps(asked),
            env={**os.environ, "MAINSTAY_KILL_AT": kill_at},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == -9, f"not killed at {kill_at}: {done.stdout}{done.stderr}"
        return {"killed": True}

    def kubectl(self, *words: str, stdin: Any = None, check: bool = True) -> str:
        """Output of kubectl in the namespace."""
        done = subprocess.run(
            [self._kubectl, f"--kubeconfig={self.kubeconfig}", "-n", self.namespace, *words],
            input=json.dumps(stdin) if stdin is not None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def get(self, kind: str, name: str) -> Manifest:
        """One object; empty when it is not there."""
        text = self.kubectl("get", kind, name, "-o", "json", "--ignore-not-found")
        found: Manifest = json.loads(text) if text.strip() else {}
        return found

    def data(self, kind: str, name: str) -> dict[str, str]:
        """What a ConfigMap or a Secret holds."""
        found: dict[str, str] = self.get(kind, name).get("data", {})
        return found

    def image(self, name: str = "api") -> str:
        """Image of a deployment."""
        spec = self.get("deployment", name)["spec"]["template"]["spec"]
        image: str = spec["containers"][0]["image"]
        return image
