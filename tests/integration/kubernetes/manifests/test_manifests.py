# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every inventory for Kubernetes, tried by a real API server and held to its strict schemas.

Nothing is kept in the cluster but a namespace for the time of the test, and definitions of kinds
that others bring.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[4]
sys.path[:0] = [
    str(pathlib.Path(__file__).resolve().parent),
    str(ROOT / "tests"),
    str(ROOT / "collections"),
]

import schemas  # noqa: E402
from unit.plugins.module_utils._kubernetes.kubernetes_support import pod_templates  # noqa: E402
from unit.support_inventories import described  # noqa: E402

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (  # noqa: E402
    view,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_services import (  # noqa: E402
    Tracks,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import (  # noqa: E402
    decode,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (  # noqa: E402
    Platform,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_kubernetes import (  # noqa: E402
    Ingress,
)

PLACES = [
    ("demo_kubernetes", "development"),
    ("quality_kubernetes", "production"),
    ("rez", "production"),
    ("daira_kubernetes", "staging"),
    ("thedot", "production"),
    ("thedot", "gke"),
    ("thedot", "aks"),
    ("thedot", "onpremises"),
    ("nestjs_kubernetes", "staging"),
]
LEVEL = "pod-security.kubernetes.io"


class Dumper(yaml.SafeDumper):
    """Without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never one."""
        return True


class Tried:
    """A namespace that enforces the level restricted."""

    def __init__(self, kubeconfig: str, kubectl: str) -> None:
        self._words = [kubectl, f"--kubeconfig={kubeconfig}"]
        self.namespace = f"k2-manifests-{uuid.uuid4().hex[:8]}"

    def kubectl(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl."""
        return subprocess.run(
            [*self._words, *words],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def dry_run(self, manifests: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
        """Let the API server try all of it, in this namespace."""
        moved = json.loads(json.dumps(manifests))
        for item in moved:
            if "namespace" in item["metadata"]:
                item["metadata"]["namespace"] = self.namespace
        text = yaml.dump_all(moved, Dumper=Dumper)
        return self.kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", given=text)


@pytest.fixture(scope="module")
def tried(kubeconfig: str) -> Iterator[Tried]:
    """The namespace, and the definitions while the test runs."""
    own = ROOT / "build/testbed/kubernetes/bin/kubectl"
    bed = Tried(kubeconfig, str(own) if own.exists() else "kubectl")
    labels = {f"{LEVEL}/{mode}": "restricted" for mode in ("enforce", "warn")}
    space = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": bed.namespace, "labels": labels},
    }
    made = []
    for definition in schemas.definitions():
        name = definition["metadata"]["name"]
        if bed.kubectl("get", "crd", name).returncode:
            text = yaml.dump(definition, Dumper=Dumper)
            done = bed.kubectl("apply", "--server-side", "-f", "-", given=text)
            assert done.returncode == 0, done.stderr
            made.append(name)
    for name in made:
        done = bed.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=30s")
        assert done.returncode == 0, done.stderr
    done = bed.kubectl("apply", "--server-side", "-f", "-", given=json.dumps(space))
    assert done.returncode == 0, done.stderr
    yield bed
    bed.kubectl("delete", "namespace", bed.namespace, "--wait=false")
    for name in made:
        bed.kubectl("delete", "crd", name, "--wait=false")


@functools.cache
def rendered(name: str, stage: str, gateway: bool = False) -> list[dict[str, Any]]:
    """All objects of an inventory; with C(gateway) by HTTPRoutes."""
    platform = decode(Platform, described(name, stage)["platform"])
    if gateway:
        ingress = Ingress(kind="gateway", gateway="public", gateway_namespace="gateways")
        cluster = dataclasses.replace(platform.kubernetes, ingress=ingress)
        platform = dataclasses.replace(platform, kubernetes=cluster)
    secrets = {secret: f"value-of-{secret}" for secret in platform.secret_names}
    found = view.manifests(platform, secrets)
    return found + view.migrations(platform, secrets, "20261121T101500Z-4f2a91")


def pods(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pods themselves: only those are refused by the level of a namespace."""
    found = []
    for number, (_name, template) in enumerate(pod_templates(manifests)):
        spec = {k: v for k, v in template["spec"].items() if k != "priorityClassName"}
        spec["serviceAccountName"] = "default"
        # A template may name a claim that the controller makes.
        mounted = {m["name"] for c in spec["containers"] for m in c.get("volumeMounts", [])}
        missing = mounted - {v["name"] for v in spec.get("volumes", [])}
        spec["volumes"] = [
            *spec.get("volumes", []),
            *({"name": name, "emptyDir": {}} for name in sorted(missing)),
        ]
        metadata = {
            "name": f"pod-{number}",
            "namespace": "x",
            "labels": template["metadata"]["labels"],
        }
        found.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    return found


@pytest.mark.parametrize(("name", "stage"), PLACES)
def test_the_api_server_takes_everything(tried: Tried, name: str, stage: str) -> None:
    manifests = rendered(name, stage)
    done = tried.dry_run(manifests)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(manifests)
    assert "Warning" not in done.stderr.replace("WARNING: version difference", "")


@pytest.mark.parametrize(("name", "stage"), PLACES)
def test_pods_are_let_in_by_a_restricted_namespace(tried: Tried, name: str, stage: str) -> None:
    wanted = pods(rendered(name, stage))
    done = tried.dry_run(wanted)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(wanted)


def test_the_namespace_does_refuse(tried: Tried) -> None:
    """So that the test before says something."""
    pod = json.loads(json.dumps(pods(rendered("demo_kubernetes", "development"))[0]))
    pod["spec"]["containers"][0]["securityContext"]["capabilities"] = {"add": ["NET_ADMIN"]}
    done = tried.dry_run([pod])
    assert done.returncode != 0
    assert 'violates PodSecurity "restricted:latest"' in done.stderr


def test_routes_of_a_gateway(tried: Tried) -> None:
    manifests = rendered("quality_kubernetes", "production", gateway=True)
    assert [m for m in manifests if m["kind"] == "HTTPRoute"]
    done = tried.dry_run(manifests)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["gateway", "ingress"])
def test_weights_of_a_canary(tried: Tried, kind: str) -> None:
    """As objects: this bed has no controller that would send anything."""
    platform = decode(Platform, described("quality_kubernetes", "production")["platform"])
    ingress = Ingress(kind=kind, gateway="public", canary="weights", tls_secret="tls")
    cluster = dataclasses.replace(platform.kubernetes, ingress=ingress)
    platform = dataclasses.replace(platform, kubernetes=cluster)
    secrets = {secret: f"value-of-{secret}" for secret in platform.secret_names}
    name = next(s.name for s in platform.services if s.routes and s.port)
    tracks = Tracks(deploy={name: "green"}, serve={name: "blue"}, weights={name: 12.5})
    manifests = [
        m
        for m in view.manifests(platform, secrets, tracks)
        if m["kind"] in ("HTTPRoute", "Ingress", "Service")
    ]
    shown = json.dumps(manifests)
    assert '"weight": 125' in shown if kind == "gateway" else '"125"' in shown
    assert any(m["metadata"]["name"] == f"{name}-preview" for m in manifests)
    done = tried.dry_run(manifests)
    assert done.returncode == 0, done.stderr


def test_strict_schemas(tried: Tried, tmp_path: pathlib.Path) -> None:
    """kubeconform, with schemas made from what this very API server says."""
    openapi = json.loads(tried.kubectl("get", "--raw", "/openapi/v2").stdout)
    assert schemas.write_schemas(openapi, tmp_path) > 100

    def check(manifests: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        location = str(tmp_path / "{{.ResourceKind}}{{.KindSuffix}}.json")
        done = subprocess.run(
            [
                str(schemas.kubeconform()),
                "-strict",
                "-summary",
                "-output=json",
                "-schema-location",
                location,
            ],
            input=yaml.dump_all(manifests, Dumper=Dumper),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, answer

    every = [item for place in PLACES for item in rendered(*place)]
    every += rendered("quality_kubernetes", "production", gateway=True)
    status, answer = check(every)
    assert status == 0, answer["resources"]
    assert answer["summary"] == {"valid": len(every), "invalid": 0, "errors": 0, "skipped": 0}

    broken = json.loads(json.dumps(next(m for m in every if m["kind"] == "Deployment")))
    broken["spec"]["template"]["spec"]["containers"][0]["imagePullPolcy"] = "Always"
    status, answer = check([broken])
    assert status != 0
    assert "imagePullPolcy" in json.dumps(answer)
