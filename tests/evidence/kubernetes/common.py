# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster of the test bed for rows: a namespace for each, taken away afterwards."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
import uuid
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[3]
BED = ROOT / "tests" / "testbed" / "kubernetes"
STATE = ROOT / "build" / "testbed" / "kubernetes"
sys.path[:0] = [str(ROOT / "collections"), str(ROOT / "tests" / "integration" / "kubernetes")]

from kube_bed import IMAGE, Cluster, Manifest, config, secret, workload  # noqa: E402

__all__ = [
    "COMMAND",
    "IMAGE",
    "Cluster",
    "Manifest",
    "config",
    "namespace",
    "secret",
    "workload",
]

COMMAND = "tests/evidence/run kubernetes {}"


@contextlib.contextmanager
def namespace(*, gone: bool = False) -> Iterator[Cluster]:
    """A namespace on a cluster that is up; with C(gone) it is awaited that all of it has gone.

    Addresses of Services are given out again: whoever sends load must not meet the row before.
    """
    subprocess.run([str(BED / "up")], check=True, capture_output=True, timeout=3000)
    name = f"evidence-{uuid.uuid4().hex[:8]}"
    cluster = Cluster(str(STATE / "kubeconfig"), str(STATE / "bin" / "kubectl"), name)
    cluster.kubectl("create", "namespace", name)
    try:
        yield cluster
    finally:
        cluster.kubectl("delete", "namespace", name, f"--wait={str(gone).lower()}")
