# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long others take to tell of the same failures, and whether they say why."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from evidence.evidence import Figure, Row
from evidence.kubernetes.common import COMMAND, Cluster, Manifest, namespace
from evidence.kubernetes.verdicts import CASES

#: Helm and kubernetes.core end when their time is over. Theirs by default are 300 s and 120 s.
PATIENCE = 60
HELM = "helm.sh/helm/v3/cmd/helm@v3.22.0"
CACHE = (
    pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "mainstay"
)
Peer = Callable[[Cluster, list[Manifest], pathlib.Path], "subprocess.CompletedProcess[str]"]


def _run(
    command: list[str], cluster: Cluster, place: pathlib.Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=place,
        env={**os.environ, "KUBECONFIG": cluster.kubeconfig, "ANSIBLE_NOCOLOR": "1"},
    )


def helm(
    cluster: Cluster, manifests: list[Manifest], place: pathlib.Path
) -> subprocess.CompletedProcess[str]:
    """helm upgrade --install --wait."""
    program = CACHE / "bin" / "helm"
    if not program.exists():
        environment = {**os.environ, "GOBIN": str(CACHE / "bin"), "CGO_ENABLED": "0", "GOFLAGS": ""}
        subprocess.run(["go", "install", HELM], env=environment, check=True, capture_output=True)
    (place / "templates").mkdir()
    chart = {"apiVersion": "v2", "name": "verdict", "version": "0.1.0"}
    (place / "Chart.yaml").write_text(json.dumps(chart), encoding="utf-8")
    for number, manifest in enumerate(manifests):
        file = place / "templates" / f"{number}.yaml"
        file.write_text(json.dumps(manifest), encoding="utf-8")
    words = ["upgrade", "--install", "verdict", str(place), "--wait", f"--timeout={PATIENCE}s"]
    return _run([str(program), "-n", cluster.namespace, *words], cluster, place)


def core(
    cluster: Cluster, manifests: list[Manifest], place: pathlib.Path
) -> subprocess.CompletedProcess[str]:
    """A task of kubernetes.core.k8s with wait."""
    task = {
        "namespace": cluster.namespace,
        "resource_definition": manifests,
        "apply": True,
        "wait": True,
        "wait_timeout": PATIENCE,
    }
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    play["vars"] = {"ansible_python_interpreter": sys.executable}
    book = place / "play.json"
    book.write_text(json.dumps([{**play, "tasks": [{"kubernetes.core.k8s": task}]}]), "utf-8")
    # Not the settings of this project: a task as anybody would run it.
    (place / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    program = str(pathlib.Path(sys.executable).with_name("ansible-playbook"))
    done = _run([program, "-i", "localhost,", str(book)], cluster, place)
    assert "PLAY RECAP" in done.stdout, done.stdout + done.stderr
    return done


PEERS: dict[str, Peer] = {"Helm --wait": helm, "kubernetes.core wait": core}


def table(repeats: int) -> Figure:
    """Each failure once with each peer; what counts as a reason is the word of our own verdict."""
    cells = []
    for name, _what, manifests, word, _limit in CASES if repeats > 1 else CASES[:1]:
        for peer, run in PEERS.items():
            with namespace() as cluster, tempfile.TemporaryDirectory() as place:
                started = time.monotonic()
                done = run(cluster, manifests, pathlib.Path(place))
                seconds = time.monotonic() - started
            told = done.stdout + done.stderr
            reason = "reason" if _reason(told, word) else "no reason"
            ended = "failed" if done.returncode else "SUCCEEDED"
            cells.append(f"{name} {peer}: {ended} in {seconds:.0f} s, {reason}")
    return Figure("; ".join(cells), "", bool(cells))


def _reason(told: str, word: str) -> bool:
    """Whether the cause stands in what was said: our word for it, or that of Kubernetes."""
    words = (
        *("CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"),
        *("OOMKilled", "Unschedulable", "Insufficient", "exceeded quota", "readiness probe", word),
    )
    return any(w.lower() in told.lower() for w in words)


ROWS = [
    Row(
        "verdict-peers",
        f"verdict: the same with Helm 3.22 and kubernetes.core, {PATIENCE} s each (beside)",
        "told",
        COMMAND.format("verdict-peers"),
        table,
        2,
    ),
]
