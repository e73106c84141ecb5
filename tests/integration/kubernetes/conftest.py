# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real cluster: that of MAINSTAY_KUBECONFIG, or one that is brought up on this machine."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from kube_bed import Cluster

ROOT = pathlib.Path(__file__).resolve().parents[3]
BED = ROOT / "tests" / "testbed" / "kubernetes"
STATE = ROOT / "build" / "testbed" / "kubernetes"


PACKAGES = (
    "containerd:containerd conntrack:conntrack etcd:etcd-server ip:iproute2 iptables:iptables "
    "openssl:openssl runc:runc file:/usr/lib/cni/bridge:containernetworking-plugins"
)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3000)
    assert done.returncode == 0, f"{command[0]}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def kubeconfig() -> Iterator[str]:
    """A cluster that serves the sample's images; one that was down is taken down again."""
    given = os.environ.get("MAINSTAY_KUBECONFIG")
    if given:
        yield given
        return
    was_up = "API                      ready" in _run(str(BED / "status"))
    _run(str(ROOT / "tests" / "tools" / "packages"), *PACKAGES.split())
    _run(str(BED / "up"))
    yield str(STATE / "kubeconfig")
    if not was_up:
        _run(str(BED / "down"))


@pytest.fixture
def cluster(kubeconfig: str) -> Iterator[Cluster]:
    """A namespace of its own, removed afterwards."""
    kubectl = str(STATE / "bin" / "kubectl")
    if not pathlib.Path(kubectl).exists():
        kubectl = shutil.which("kubectl") or kubectl
    bed = Cluster(kubeconfig, kubectl, f"mse-{uuid.uuid4().hex[:8]}")
    bed.kubectl("create", "namespace", bed.namespace)
    yield bed
    bed.kubectl("delete", "namespace", bed.namespace, "--wait=false")
