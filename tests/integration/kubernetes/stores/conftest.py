# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The S3 server, the images of the stores, and a platform that all tests of a file use."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from stores_bed import ROOT, Bucket, Cluster, Shop

BED = ROOT / "tests" / "testbed" / "kubernetes"


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A real S3 server."""
    found = Bucket(tmp_path_factory.mktemp("s3"))
    yield found
    found.end()


@pytest.fixture(scope="session")
def store_images(kubeconfig: str) -> dict[str, str]:
    """PostgreSQL and Redis, imported on the node."""
    found = {}
    for kind, tag in (("postgres", "15"), ("redis", "7")):
        done = subprocess.run(
            [str(BED / "store_image"), kind, tag],
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found[kind] = done.stdout.split()[-1]
    return found


@pytest.fixture(scope="module")
def shop(kubeconfig: str, bucket: Bucket, store_images: dict[str, str]) -> Iterator[Shop]:
    """The platform, deployed, with its data."""
    kubectl = str(ROOT / "build" / "testbed" / "kubernetes" / "bin" / "kubectl")
    cluster = Cluster(kubeconfig, kubectl, f"mss-{uuid.uuid4().hex[:8]}")
    cluster.kubectl("create", "namespace", cluster.namespace)
    found = Shop(cluster, bucket, store_images)
    try:
        found.deploy()
        found.fill()
        yield found
    finally:
        cluster.kubectl("delete", "namespace", cluster.namespace, "--wait=false")
