# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of the bed's own control plane are killed, stopped and started under a release."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from kube_bed import FIRST, SECOND, THIRD, Cluster, Manifest, config, workload

ROOT = pathlib.Path(__file__).resolve().parents[3]
BED = ROOT / "tests" / "testbed" / "kubernetes"
PIDS = ROOT / "build" / "testbed" / "kubernetes" / "pids"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        bool(os.environ.get("MAINSTAY_KUBECONFIG")), reason="a cluster that is not ours to break"
    ),
]


def process(name: str) -> int:
    """The id of a program of this very bed: its command line is the one that was given."""
    first, *command = (PIDS / name).read_text(encoding="utf-8").splitlines()
    given = pathlib.Path(f"/proc/{first}/cmdline").read_bytes().decode().split("\0")[:-1]
    assert given == command, f"{name} is not process {first}"
    return int(first)


def bed_up() -> None:
    """Starts what does not run."""
    subprocess.run([str(BED / "up")], check=True, capture_output=True, timeout=300)


@pytest.fixture(autouse=True)
def whole(kubeconfig: str) -> Iterator[None]:
    """The bed is whole again afterwards."""
    yield
    bed_up()


def slow(version: str, seconds: str = "6") -> list[Manifest]:
    return [
        config("settings", version=version),
        workload("api", version, env={"SAMPLE_START_SECONDS": seconds}),
    ]


@contextlib.contextmanager
def under_way(cluster: Cluster, **more: Any) -> Iterator[concurrent.futures.Future[Any]]:
    """A release whose new pod is there and not ready yet."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(cluster.release, slow("1.1.0"), SECOND, **{"timeout": 150.0, **more})
        deadline = time.monotonic() + 60
        while "1.1.0" not in cluster.kubectl("get", "pods", "-o", "yaml", check=False):
            assert time.monotonic() < deadline and not running.done(), running
            time.sleep(0.05)
        yield running


def test_the_api_server_is_killed_and_comes_back(cluster: Cluster) -> None:
    cluster.release(slow("1.0.0", "0"))
    with under_way(cluster) as running:
        os.kill(process("kube-apiserver"), signal.SIGKILL)
        bed_up()
        done = running.result(timeout=200)
    assert done.get("release", {}).get("outcome") == "deployed", done
    assert cluster.image() == "mainstay.test/sample/api:1.1.0"
    assert cluster.info()["current"] == SECOND


def test_etcd_stands_still_for_a_while(cluster: Cluster) -> None:
    """Writes wait; nothing is lost and nothing is called failed."""
    cluster.release(slow("1.0.0", "0"))
    with under_way(cluster) as running:
        etcd = process("etcd")
        os.kill(etcd, signal.SIGSTOP)
        try:
            with contextlib.suppress(concurrent.futures.TimeoutError):
                running.result(timeout=8)
            assert not running.done(), "it waits"
        finally:
            os.kill(etcd, signal.SIGCONT)
        done = running.result(timeout=200)
    assert done.get("release", {}).get("outcome") == "deployed", done
    assert cluster.image() == "mainstay.test/sample/api:1.1.0"


def test_the_node_is_lost(cluster: Cluster) -> None:
    """New pods get nowhere: the release ends when its time is over, the way back needs none."""
    cluster.release(slow("1.0.0", "0"))
    pods = cluster.kubectl("get", "pods", "-o", "name")
    kubelet = process("kubelet")
    os.kill(kubelet, signal.SIGSTOP)
    try:
        failed = cluster.release(slow("1.1.0"), SECOND, timeout=15.0)
        assert "the time is over" in failed["failed"], failed
        assert failed["error"]["evidence"], "it says what was not ready"
        known = cluster.info()
        assert (known["phase"], known["current"]) == ("failed", FIRST)
        assert set(pods.split()) <= set(cluster.kubectl("get", "pods", "-o", "name").split())
    finally:
        os.kill(kubelet, signal.SIGCONT)
    back = cluster.release([], THIRD, state="rolled_back", to=FIRST, timeout=90.0)
    assert back.get("release", {}).get("outcome") == "deployed", back
    assert cluster.image() == "mainstay.test/sample/api:1.0.0"
    assert cluster.data("configmap", "settings") == {"version": "1.0.0"}
