# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands up, down and status."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Callable

from bed.shell import BedError, require

from . import binary, certificates, control, images, node, processes
from .settings import BIN, KUBECONFIG, STATE, URL, VERSION

_NEEDED = {
    "containerd": "containerd",
    "ctr": "containerd",
    "conntrack": "conntrack",
    "etcd": "etcd-server",
    "go": "golang-go",
    "ip": "iproute2",
    "iptables": "iptables",
    "openssl": "openssl",
    "runc": "runc",
}
_PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_NODE = ("containerd", "kubelet", "kube-proxy")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def up(arguments: Sequence[str]) -> None:
    """Bring the cluster up; a second time it changes nothing."""
    parser = argparse.ArgumentParser(prog="tests/testbed/kubernetes/up", description=up.__doc__)
    parser.add_argument("--no-samples", action="store_true", help="leave the sample images out")
    options = parser.parse_args(arguments)
    require(_NEEDED)
    if os.geteuid() != 0:
        raise BedError("Only root can bring a node up: it makes links, mounts and containers.")
    if control.foreign():
        raise BedError(
            f"The cluster of another checkout answers at {URL}: take that one down, or give its"
            " kubeconfig to the tests in MAINSTAY_KUBECONFIG."
        )
    with _alone():
        steps: list[tuple[str, Callable[[], object]]] = [
            ("programs", binary.ensure),
            ("certificates", certificates.ensure),
            ("network", node.network),
            ("control plane", control.start),
            ("node", node.start),
        ]
        if not options.no_samples:
            steps.append(("sample images", images.ensure_samples))
        for name, step in steps:
            started = time.monotonic()
            if name == "programs":
                print("  programs       (5 minutes when they have to be built)", flush=True)
            step()
            print(f"  {name:<14} {time.monotonic() - started:6.1f} s", flush=True)
    print(f"Kubernetes {VERSION} at {URL}. Use it with:\n  export KUBECONFIG={KUBECONFIG}")
    print(f"  {BIN / 'kubectl'} get all -A")


def down(arguments: Sequence[str]) -> None:
    """Take the cluster down with everything in it; programs stay in the cache."""
    parser = argparse.ArgumentParser(prog="tests/testbed/kubernetes/down", description=down.__doc__)
    parser.parse_args(arguments)
    if control.foreign():
        raise BedError(f"The cluster at {URL} was brought up by another checkout; it stays.")
    with _alone():
        ended = node.stop() + control.stop()
        for name in ("etcd", "logs", "samples.digest"):
            place = STATE / name
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
    print(f"  {ended} programs ended")


def status(arguments: Sequence[str]) -> None:
    """Show what runs."""
    argparse.ArgumentParser(
        prog="tests/testbed/kubernetes/status", description=status.__doc__
    ).parse_args(arguments)
    for name in (*_PARTS, *_NODE):
        pid = processes.running(name)
        print(f"{name:<24} {f'process {pid}' if pid else 'absent'}")
    print(f"{'API':<24} {'ready' if control.ready() else 'does not answer'}")


def main(command: Callable[[Sequence[str]], None]) -> None:
    """Run one command; failures are sentences, not traces."""
    try:
        command(sys.argv[1:])
    except BedError as error:
        print(f"testbed: {error}", file=sys.stderr)
        raise SystemExit(1) from None
