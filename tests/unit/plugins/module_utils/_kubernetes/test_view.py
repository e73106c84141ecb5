# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a platform looks like as Kubernetes objects: safe, complete, always the same."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from typing import Any, Optional

import pytest
from unit.plugins.module_utils._kubernetes.kubernetes_support import (
    allowed,
    containers,
    not_restricted,
    pod_templates,
    sound,
)

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import view
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.flavours import (
    FLAVOURS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    ORDER,
    content_hash,
    cpu,
    label_value,
    size,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_services import (
    Tracks,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types_kubernetes import (
    Ingress,
    LoadBalancer,
)

PLATFORM, SECRETS = sound()
RELEASE = "20261121T101500Z-4f2a91"
ALL = view.manifests(PLATFORM, SECRETS) + view.migrations(PLATFORM, SECRETS, RELEASE)


def one(kind: str, name: str, among: Optional[list[dict[str, Any]]] = None) -> dict[str, Any]:
    """The one object of this kind whose name begins so."""
    found = [
        m for m in among or ALL if m["kind"] == kind and m["metadata"]["name"].startswith(name)
    ]
    exact = [m for m in found if m["metadata"]["name"] == name]
    assert len(exact or found) == 1, [m["metadata"]["name"] for m in found]
    return (exact or found)[0]


def with_service(name: str, **changes: Any) -> Platform:
    """The platform with one service changed on its Kubernetes side."""
    services = tuple(
        dataclasses.replace(s, kubernetes=dataclasses.replace(s.kubernetes, **changes))
        if s.name == name
        else s
        for s in PLATFORM.services
    )
    return dataclasses.replace(PLATFORM, services=services)


def with_cluster(**changes: Any) -> Platform:
    """The platform with another cluster."""
    return dataclasses.replace(
        PLATFORM, kubernetes=dataclasses.replace(PLATFORM.kubernetes, **changes)
    )


def test_the_same_description_gives_the_same_objects() -> None:
    again = view.manifests(*sound())
    assert json.dumps(again) == json.dumps(view.manifests(PLATFORM, SECRETS))


def test_objects_come_in_the_order_in_which_they_are_made() -> None:
    kinds = [ORDER.index(m["kind"]) for m in view.manifests(PLATFORM, SECRETS)]
    assert kinds == sorted(kinds)


def test_every_kind_is_there() -> None:
    assert {m["kind"] for m in ALL} == set(ORDER) - {"HTTPRoute", "PodMonitor"}


def test_no_two_objects_have_one_name() -> None:
    names = [(m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"]) for m in ALL]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("item", ALL, ids=[f"{m['kind']}-{m['metadata']['name']}" for m in ALL])
def test_labels_and_names(item: dict[str, Any]) -> None:
    labels = item["metadata"]["labels"]
    assert labels["app.kubernetes.io/managed-by"] == "mainstay"
    assert labels["app.kubernetes.io/part-of"] == "shop"
    assert labels["app.kubernetes.io/instance"] == "shop-production"
    assert labels["app.kubernetes.io/name"]
    assert len(item["metadata"]["name"]) <= 63
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", item["metadata"]["name"])
    if "namespace" in item["metadata"]:
        assert item["metadata"]["namespace"] in ("shop-prod", "velero")


@pytest.mark.parametrize(
    ("name", "template"), list(pod_templates(ALL)), ids=[name for name, dummy in pod_templates(ALL)]
)
def test_pods_are_safe(name: str, template: dict[str, Any]) -> None:
    spec = template["spec"]
    assert not_restricted(template) == []
    assert spec["automountServiceAccountToken"] is False
    assert spec["serviceAccountName"] != "default"
    assert spec["enableServiceLinks"] is False
    for container in containers(template):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["resources"]["limits"]["memory"]
        assert not re.search(r":latest$", container["image"])
    if name.split("/")[0] in ("Deployment", "StatefulSet") and name != "Deployment/worker":
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert probe in spec["containers"][0]


def test_endpoints_leave_before_the_pod_does() -> None:
    spec = one("Deployment", "api")["spec"]["template"]["spec"]
    drain = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert drain == 5
    assert spec["terminationGracePeriodSeconds"] == drain + 30


def test_a_worker_does_not_wait_for_requests_that_never_come() -> None:
    worker = one("Deployment", "worker")["spec"]["template"]["spec"]
    assert "lifecycle" not in worker["containers"][0]
    assert not [m for m in ALL if m["kind"] == "Service" and m["metadata"]["name"] == "worker"]


def test_update_takes_no_pod_away() -> None:
    strategy = one("Deployment", "api")["spec"]["strategy"]
    assert strategy == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }


def test_number_of_pods_belongs_to_the_autoscaler_where_there_is_one() -> None:
    assert "replicas" not in one("Deployment", "api")["spec"]
    assert one("Deployment", "web")["spec"]["replicas"] == 2


def test_secrets_are_only_in_secrets() -> None:
    rest = json.dumps([m for m in ALL if m["kind"] != "Secret"])
    for value in SECRETS.values():
        assert value not in rest
        assert base64.b64encode(value.encode()).decode() not in rest


def test_configuration_is_immutable_and_named_by_its_content() -> None:
    kept = [m for m in ALL if m["kind"] in ("ConfigMap", "Secret")]
    assert all(m["immutable"] for m in kept)
    other = view.manifests(PLATFORM, {**SECRETS, "jwt_secret": "another-value"})
    names = {m["metadata"]["name"] for m in kept}
    changed = {m["metadata"]["name"] for m in other if m["kind"] in ("ConfigMap", "Secret")} - names
    assert [name.rpartition("-")[0] for name in changed] == ["api-files"]
    files = one("Secret", "api-files-", other)["metadata"]["name"]
    volumes = one("Deployment", "api", other)["spec"]["template"]["spec"]["volumes"]
    assert files in [v["secret"]["secretName"] for v in volumes if "secret" in v]


def test_a_value_without_a_secret_is_no_secret() -> None:
    assert one("ConfigMap", "api-env")["data"] == {"LOG_LEVEL": "info"}
    hidden = one("Secret", "api-env")["data"]
    url = base64.b64decode(hidden["DATABASE_URL"]).decode()
    assert url == f"postgresql://shop:{SECRETS['db_password']}@db.shop-prod.svc:5432/shop"


def test_the_name_of_a_secret_is_slow_to_guess() -> None:
    assert content_hash("guess", secret=True) != content_hash("guess")


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(MainstayError, match="jwt_secret"):
        view.manifests(PLATFORM, {k: v for k, v in SECRETS.items() if k != "jwt_secret"})


def test_logins_are_one_pull_secret() -> None:
    secret = one("Secret", "registries")
    document = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))
    assert document["auths"]["ghcr.io"]["username"] == "acme"
    pulls = one("Deployment", "web")["spec"]["template"]["spec"]["imagePullSecrets"]
    assert pulls == [{"name": secret["metadata"]["name"]}]


def test_a_digest_wins_over_the_version() -> None:
    digest = "sha256:" + "a" * 64
    services = tuple(dataclasses.replace(s, digest=digest) for s in PLATFORM.services)
    found = view.manifests(dataclasses.replace(PLATFORM, services=services), SECRETS)
    image = one("Deployment", "api", found)["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == f"ghcr.io/acme/shop/api@{digest}"


def test_a_low_port_needs_no_capability() -> None:
    web = one("Deployment", "web")["spec"]["template"]["spec"]["securityContext"]
    assert web["sysctls"] == [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    assert "sysctls" not in one("Deployment", "api")["spec"]["template"]["spec"]["securityContext"]


def test_shared_volume() -> None:
    claim = one("PersistentVolumeClaim", "api-uploads")["spec"]
    assert claim["accessModes"] == ["ReadWriteMany"]
    assert claim["storageClassName"] == "efs-sc"
    assert claim["resources"]["requests"]["storage"] == "50Gi"


def test_a_volume_of_one_pod_is_given_from_the_old_to_the_new() -> None:
    services = tuple(
        dataclasses.replace(
            s, volumes=tuple(dataclasses.replace(v, shared=False) for v in s.volumes)
        )
        for s in PLATFORM.services
    )
    found = view.manifests(dataclasses.replace(PLATFORM, services=services), SECRETS)
    assert one("Deployment", "api", found)["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(
    ("flavour", "storage", "provisioner"),
    [
        ("eks", "gp3", "ebs.csi.aws.com"),
        ("gke", "standard-rwo", "pd.csi.storage.gke.io"),
        ("aks", "managed-csi", "disk.csi.azure.com"),
    ],
)
def test_flavours(flavour: str, storage: str, provisioner: str) -> None:
    plain = dataclasses.replace(PLATFORM.kubernetes.storage_class, name=None, create=False)
    found = view.manifests(with_cluster(flavour=flavour, storage_class=plain), SECRETS)
    template = one("StatefulSet", "db", found)["spec"]["volumeClaimTemplates"][0]
    assert template["spec"]["storageClassName"] == storage
    found = view.manifests(with_cluster(flavour=flavour), SECRETS)
    made = one("StorageClass", "shop-ssd", found)
    assert made["provisioner"] == provisioner
    assert made["reclaimPolicy"] == "Retain"


def test_on_premises_takes_nothing_for_granted() -> None:
    plain = dataclasses.replace(PLATFORM.kubernetes.storage_class, name=None, create=False)
    found = view.manifests(with_cluster(flavour="on_premises", storage_class=plain), SECRETS)
    assert "storageClassName" not in one("PersistentVolumeClaim", "api-uploads", found)["spec"]


@pytest.mark.parametrize("flavour", sorted(FLAVOURS))
def test_load_balancer(flavour: str) -> None:
    platform = dataclasses.replace(
        with_service("api", load_balancer=LoadBalancer()),
        kubernetes=dataclasses.replace(PLATFORM.kubernetes, flavour=flavour),
    )
    item = one("Service", "api-public", view.manifests(platform, SECRETS))
    spec, table = item["spec"], FLAVOURS[flavour]
    assert spec["type"] == "LoadBalancer"
    assert spec["sessionAffinity"] == "ClientIP"
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    late = {"mainstay.platform/wave": "95"}
    assert item["metadata"]["annotations"] == {**late, **table.public, **table.sticky}


@pytest.mark.parametrize(
    ("flavour", "key"),
    [
        ("eks", "eks.amazonaws.com/role-arn"),
        ("gke", "iam.gke.io/gcp-service-account"),
        ("aks", "azure.workload.identity/client-id"),
    ],
)
def test_identity(flavour: str, key: str) -> None:
    platform = dataclasses.replace(
        with_service("api", identity="me"),
        kubernetes=dataclasses.replace(PLATFORM.kubernetes, flavour=flavour),
    )
    found = view.manifests(platform, SECRETS)
    assert one("ServiceAccount", "api", found)["metadata"]["annotations"] == {key: "me"}
    labels = one("Deployment", "api", found)["spec"]["template"]["metadata"]["labels"]
    assert FLAVOURS[flavour].identity_labels.items() <= labels.items()


def test_only_one_ingress_asks_for_the_certificate() -> None:
    found = [m for m in ALL if m["kind"] == "Ingress"]
    asking = [m for m in found if "cert-manager.io/cluster-issuer" in m["metadata"]["annotations"]]
    assert len(asking) == 1
    assert asking[0]["spec"]["tls"] == [
        {"hosts": ["shop.example.org", "www.shop.example.org"], "secretName": "shop-tls"}
    ]
    annotations = one("Ingress", "api")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/ssl-redirect"] == "true"
    assert annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "3600"
    # The strictest of its routes: /socket.io names none, so that general holds.
    assert annotations["nginx.ingress.kubernetes.io/limit-rps"] == "10"


def test_gateway() -> None:
    gateway = Ingress(kind="gateway", gateway="public", gateway_namespace="gateways")
    found = view.manifests(with_cluster(ingress=gateway), SECRETS)
    assert not [m for m in found if m["kind"] == "Ingress"]
    api = one("HTTPRoute", "api", found)["spec"]
    assert [r["matches"][0]["path"]["value"] for r in api["rules"]] == ["/socket.io", "/api"]
    assert api["parentRefs"][0]["namespace"] == "gateways"
    assert api["rules"][0]["timeouts"] == {"request": "3600s"}
    redirect = one("HTTPRoute", "shop-https", found)["spec"]
    assert redirect["parentRefs"][0]["sectionName"] == "http"
    assert "gateways -> api:3000" not in allowed(found)  # no such peer, and nobody else either
    assert "ingress-nginx -> api:3000" not in allowed(found)


def test_tracks_keep_two_deployments_side_by_side() -> None:
    tracks = Tracks({"api": "green"}, {"api": "blue"}, replicas={"api": 4})
    found = view.manifests(PLATFORM, SECRETS, tracks)
    green = one("Deployment", "api-green", found)
    assert green["spec"]["replicas"] == 4
    assert green["spec"]["selector"]["matchLabels"]["mainstay.io/track"] == "green"
    assert one("Service", "api", found)["spec"]["selector"]["mainstay.io/track"] == "blue"
    assert one("Service", "api-preview", found)["spec"]["selector"]["mainstay.io/track"] == "green"
    target = one("HorizontalPodAutoscaler", "api", found)["spec"]["scaleTargetRef"]
    assert target["name"] == "api"
    shared = view.manifests(
        PLATFORM, SECRETS, dataclasses.replace(tracks, shared=frozenset({"api"}))
    )
    assert "mainstay.io/track" not in one("Service", "api", shared)["spec"]["selector"]


def test_a_service_selects_pods_only_once_they_are_ready() -> None:
    annotations = one("Service", "web")["metadata"]["annotations"]
    assert annotations == {"mainstay.platform/wave": "95"}
    assert "annotations" not in one("Service", "db")["metadata"]


def test_migration_runs_once_with_the_rights_of_the_service() -> None:
    job = one("Job", "api-migrate")
    assert job["metadata"]["name"] == "api-migrate-20261121t101500z-4f2a91"
    assert job["spec"]["backoffLimit"] == 0
    template = job["spec"]["template"]
    assert template["spec"]["containers"][0]["command"] == ["/app/migrate"]
    # Never behind the Service: its selector is the name.
    assert template["metadata"]["labels"]["app.kubernetes.io/name"] == "api-migrate"
    assert view.migrations(PLATFORM, SECRETS, RELEASE, revert=True) == []


def test_replicas_of_postgres_are_copies_of_the_primary() -> None:
    read = one("StatefulSet", "db-read")["spec"]
    assert read["replicas"] == 2
    script = read["template"]["spec"]["initContainers"][0]["command"][-1]
    assert "pg_basebackup --host db " in script
    assert one("Service", "db-read")["spec"]["selector"]["mainstay.io/role"] == "replica"
    assert one("Service", "db")["spec"]["selector"]["mainstay.io/role"] == "primary"


def test_redis_cluster() -> None:
    assert one("StatefulSet", "cache")["spec"]["replicas"] == 6
    script = one("Job", "cache-join")["spec"]["template"]["spec"]["containers"][0]["command"][-1]
    assert "--cluster-replicas 1" in script
    assert "cache-5.cache-headless" in script
    conf = base64.b64decode(one("Secret", "cache-files")["data"]["redis.conf"]).decode()
    assert "cluster-enabled yes" in conf
    assert "appendonly yes" in conf


def test_nodes_of_rabbitmq_know_each_other() -> None:
    conf = base64.b64decode(one("Secret", "queue-files")["data"]["mainstay.conf"]).decode()
    for node in range(3):
        assert f"rabbit@queue-{node}.queue-headless.shop-prod.svc" in conf
    assert one("StatefulSet", "queue")["spec"]["podManagementPolicy"] == "Parallel"


def test_nobody_may_read_secrets_but_who_releases() -> None:
    readers = [
        r
        for r in one("Role", "shop-viewer")["rules"]
        if "secrets" in r["resources"] or "*" in r["resources"]
    ]
    assert readers == []
    rules = json.dumps(one("Role", "shop-deployer")["rules"])
    assert '"*"' not in rules


def test_no_policies_when_none_are_wanted() -> None:
    network = dataclasses.replace(PLATFORM.kubernetes.network, policies=False)
    found = view.manifests(with_cluster(network=network), SECRETS)
    assert not [m for m in found if m["kind"] == "NetworkPolicy"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (cpu(0.25), "250m"),
        (cpu(2.0), "2"),
        (cpu(0.001), "1m"),
        (size(512 * 1024**2), "512Mi"),
        (size(50 * 1024**3), "50Gi"),
        (size(1500), "1500"),
        (label_value("v1.0.0"), "v1.0.0"),
        (label_value("a" * 100), "a" * 63),
        (label_value("sha256:abc_"), "sha256-abc"),
    ],
)
def test_quantities_and_labels(found: str, expected: str) -> None:
    assert found == expected
