# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of Secrets, looked for in everything that a release says or leaves to be read."""

from __future__ import annotations

import base64
import json
import pathlib
import sys
import tempfile
from secrets import token_urlsafe

from evidence.evidence import Figure, Row
from evidence.kubernetes.common import COMMAND, ROOT, Cluster, namespace

sys.path.insert(0, str(ROOT / "tests" / "integration" / "kubernetes" / "flow"))
from test_flow import Flow

#: All are named: a run for some services would refuse a secret that others have too.
VERSIONS = {"api": "2.0.0-exit", "web": "1.0.0", "worker": "1.0.0"}
BAD = json.dumps({"release_versions": VERSIONS})
NAMES = ("jwt_secret", "session_key")


def _forms(value: str) -> list[str]:
    """The value as it is, and as a Secret holds it."""
    return [value, base64.b64encode(value.encode()).decode()]


def _play(flow: Flow, reports: pathlib.Path, secrets: dict[str, str], *words: str) -> str:
    """Everything that a playbook prints, and what its reports say."""
    file = reports / "extra.json"
    file.write_text(json.dumps({"platform_secrets": secrets}), encoding="utf-8")
    flow.environment["MAINSTAY_REPORT_DIR"] = str(reports)
    done = flow.run(words[0], "-e", f"@{file}", "-vvv", "--diff", *words[1:])
    file.unlink()
    written = [p.read_text(errors="replace") for p in reports.rglob("*.*")]
    return "\n".join([done.stdout, done.stderr, *written])


def _left(cluster: Cluster, platform: str) -> dict[str, str]:
    """What can be read in the cluster without the right to read Secrets, and the history."""
    kinds = "configmaps,leases,events,deployments,replicasets,pods,jobs"
    places = {"objects and events": cluster.kubectl("get", kinds, "-o", "yaml")}
    kept = json.loads(cluster.kubectl("get", "secrets", "-o", "json"))["items"]
    places["metadata of Secrets"] = json.dumps([secret["metadata"] for secret in kept])
    for pod in cluster.kubectl("get", "pods", "-o", "name").split():
        places[f"log of {pod}"] = cluster.kubectl("logs", pod, "--all-containers", check=False)
    for release in cluster.info(platform=platform)["releases"]:
        words = {"platform": platform, "objects": False, "release_id": release["release_id"]}
        places[f"history of {release['release_id']}"] = json.dumps(cluster.info(**words))
    return places


def hidden(repeats: int) -> Figure:
    """A first release, a changed secret, a bad version and a status, each at its most talkative."""
    one, other = ({n: f"canary{token_urlsafe(48)}" for n in NAMES} for _number in range(2))
    places: dict[str, str] = {}
    with namespace() as cluster, tempfile.TemporaryDirectory() as reports:
        flow = Flow(cluster.kubeconfig, cluster._kubectl)
        try:
            for name, values, *words in (
                ("check", one, "deploy.yml", "--check"),
                ("first", one, "deploy.yml"),
                ("changed secret", other, "deploy.yml", "--check"),
                ("bad", other, "deploy.yml", "-e", BAD),
                ("status", one, "status.yml"),
            ):
                text = _play(flow, pathlib.Path(reports), values, *words)
                places[f"output of {name}"] = text
            own = Cluster(cluster.kubeconfig, cluster._kubectl, flow.namespace)
            places |= _left(own, f"{flow.name}-development")
            held = own.kubectl("get", "secrets", "-o", "json")
        finally:
            flow.end()
    values = [form for v in (*one.values(), *other.values()) for form in _forms(v)]
    found = sorted({place for place, text in places.items() for v in values if v in text})
    # Else there was nothing to find: the Secrets themselves have to hold the first ones.
    looked = all(_forms(v)[1] in held for v in one.values())
    releases = sum(place.startswith("history") for place in places)
    size = sum(map(len, places.values()))
    text = f"found in {len(found)} of {len(places)} places, {size} characters, {releases} releases"
    text += "" if looked else ", NOT in the Secrets either"
    return Figure("; ".join([text, *found])[:500], "", not found and looked and releases > 1)


ROWS = [
    Row(
        "secrets",
        "values of Secrets at -vvv --diff: output, reports, ledger, history, events, logs",
        "found nowhere",
        COMMAND.format("secrets"),
        hidden,
    ),
]
