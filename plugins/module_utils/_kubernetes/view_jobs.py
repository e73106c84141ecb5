# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that keep stores well: logical dumps, index upkeep, forming a Redis Cluster. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.flavours import (
    FLAVOURS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    Manifest,
    content_hash,
    labels,
    manifest,
    size,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_config import (
    secret,
    store_host,
    value_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_namespace import (
    service_account,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_pods import (
    container_security,
    pod_security,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_store_kinds import (  # noqa: E501
    SECRETS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_stores import (
    nodes_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Store,
)

COMPONENT = "store-job"
DUMPS = "/dumps"
LONGEST = 6 * 3600
#: A small job must not take what the platform itself needs.
MODEST = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}


def store_jobs(
    platform: Platform, store: Store, secrets: Mapping[str, str], pull_secret: Optional[str]
) -> list[Manifest]:
    """The jobs of one store, with the account and the password they share."""
    wanted = store.kubernetes
    joined = store.mode == "kubernetes" and store.kind == "redis" and wanted.shards
    if not (wanted.dump or wanted.upkeep or joined):
        return []
    password = ""
    if store.password:
        password = value_of(secrets, store.password, f"store {store.name}")
    name = f"{store.name}-jobs"
    files = secret(platform, name, name, _files(platform, store, password))
    found = [service_account(platform, name, COMPONENT), files]
    pod = _pod(platform, store, files["metadata"]["name"], pull_secret)
    if wanted.dump:
        found += [_dump_claim(platform, store), _dump(platform, store, pod)]
    if wanted.upkeep:
        image = wanted.upkeep.image or _image(store)
        script = _login(store) + "reindexdb --concurrently\nvacuumdb --analyze\n"
        run = _run(pod, image, script)
        found.append(_cron(platform, store, "upkeep", wanted.upkeep.schedule, run))
    if joined:
        found.append(_join(platform, store, pod))
    return found


def _image(store: Store) -> str:
    return f"{store.image}:{store.version}"


def _files(platform: Platform, store: Store, password: str) -> dict[str, str]:
    """The password, and for MongoDB the file that its tools read it from."""
    if store.kind != "mongodb":
        return {"password": password}
    outside = store.tls and store.mode == "managed"
    address = store_host(platform, store.name) + ("" if outside else f":{store.port}")
    user = f"{store.username}@" if store.username else ""
    scheme = "mongodb+srv" if outside else "mongodb"
    uri = f"{scheme}://{user}{address}/{store.database or ''}"
    quoted = "'" + password.replace("'", "''") + "'"
    return {"config.yaml": f"uri: {uri}\npassword: {quoted}\n"}


def _login(store: Store) -> str:
    """PostgreSQL's programs read these from the environment; a command line is open to all."""
    return (
        f'export PGPASSWORD="$(cat {SECRETS}/password)"\n'
        f"export PGUSER={store.username or 'postgres'}"
        f" PGDATABASE={store.database or 'postgres'}\n"
    )


def _pod(
    platform: Platform, store: Store, files: str, pull_secret: Optional[str]
) -> dict[str, Any]:
    user = store.kubernetes.user
    container = {
        "name": "job",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": container_security(),
        "resources": MODEST,
        "env": [
            {"name": "PGHOST", "value": store_host(platform, store.name)},
            {"name": "PGPORT", "value": str(store.port)},
        ],
        "volumeMounts": [
            {"name": "files", "mountPath": SECRETS, "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    spec: dict[str, Any] = {
        "serviceAccountName": f"{store.name}-jobs",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(user, user),
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [
            {"name": "files", "secret": {"secretName": files, "defaultMode": 0o440}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
        ],
    }
    if pull_secret:
        spec["imagePullSecrets"] = [{"name": pull_secret}]
    marks = labels(platform, f"{store.name}-jobs", COMPONENT, store.version)
    return {"metadata": {"labels": marks}, "spec": spec}


def _run(pod: dict[str, Any], image: str, script: str, claim: str = "") -> dict[str, Any]:
    """The pod with its image and program; C(claim) is where it writes dumps."""
    spec = dict(pod["spec"])
    container = {**spec["containers"][0], "image": image, "command": ["/bin/sh", "-euc", script]}
    if claim:
        volume = {"name": "dumps", "persistentVolumeClaim": {"claimName": claim}}
        spec["volumes"] = [*spec["volumes"], volume]
        mount = {"name": "dumps", "mountPath": DUMPS}
        container["volumeMounts"] = [*container["volumeMounts"], mount]
    return {**pod, "spec": {**spec, "containers": [container]}}


def _cron(
    platform: Platform, store: Store, what: str, schedule: str, pod: dict[str, Any]
) -> Manifest:
    job = {"backoffLimit": 2, "activeDeadlineSeconds": LONGEST, "template": pod}
    spec = {
        "schedule": schedule,
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 3600,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"spec": job},
    }
    name, part = f"{store.name}-{what}", f"{store.name}-jobs"
    return manifest(platform, "batch/v1", "CronJob", name, COMPONENT, part=part, spec=spec)


def _dump_claim(platform: Platform, store: Store) -> Manifest:
    storage, flavour = platform.kubernetes.storage_class, FLAVOURS[platform.kubernetes.flavour]
    dump = store.kubernetes.dump
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size(dump.size if dump else 0)}},
    }
    if storage.name or flavour.storage:
        spec["storageClassName"] = storage.name or flavour.storage
    return manifest(
        platform,
        "v1",
        "PersistentVolumeClaim",
        f"{store.name}-dumps",
        COMPONENT,
        part=f"{store.name}-jobs",
        spec=spec,
    )


def _dump(platform: Platform, store: Store, pod: dict[str, Any]) -> Manifest:
    """A dump counts once it is whole: it gets its name last, and only then are older ones gone."""
    dump = store.kubernetes.dump
    keep = dump.keep_days if dump else 7
    if store.kind == "postgres":
        ending, start = "dump", _login(store)
        make = 'pg_dump --format custom --file "$new"\npg_restore --list "$new" > /dev/null\n'
    else:
        ending, start = "archive.gz", ""
        make = f'mongodump --config {SECRETS}/config.yaml --gzip --archive="$new"\n'
    script = (
        f'{start}new="{DUMPS}/.new"\n{make}test -s "$new"\n'
        f'mv "$new" "{DUMPS}/{store.name}-$(date -u +%Y%m%dT%H%M%SZ).{ending}"\n'
        f"find {DUMPS} -name '{store.name}-*.{ending}' -mtime +{keep} -delete\n"
    )
    image = (dump.image if dump else None) or _image(store)
    run = _run(pod, image, script, f"{store.name}-dumps")
    return _cron(platform, store, "dump", dump.schedule if dump else "0 2 * * *", run)


def _join(platform: Platform, store: Store, pod: dict[str, Any]) -> Manifest:
    """Makes one cluster of the nodes; a second run finds it made and changes nothing."""
    nodes = [f"{store.name}-{i}.{store.name}-headless" for i in range(nodes_of(store))]
    script = (
        f'export REDISCLI_AUTH="$(cat {SECRETS}/password)"\n'
        "addresses=''\n"
        f"for host in {' '.join(nodes)}; do\n"
        '  until [ "$(redis-cli -h "$host" ping 2>&1)" = PONG ]; do sleep 1; done\n'
        "  address=$(getent hosts \"$host\" | cut -d' ' -f1)\n"
        f'  addresses="$addresses $address:{store.port}"\n'
        "done\n"
        f"if redis-cli -h {nodes[0]} cluster info | grep -q '^cluster_state:ok'; then exit 0; fi\n"
        f"redis-cli --cluster create $addresses --cluster-replicas {store.replicas}"
        " --cluster-yes\n"
    )
    template = _run(pod, _image(store), script)
    spec = {"backoffLimit": 3, "activeDeadlineSeconds": 600, "template": template}
    # A Job cannot be changed: another one where anything of it differs.
    name, part = f"{store.name}-join-{content_hash(spec)}", f"{store.name}-jobs"
    return manifest(platform, "batch/v1", "Job", name, COMPONENT, part=part, spec=spec)
