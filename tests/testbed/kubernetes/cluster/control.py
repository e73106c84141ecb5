# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control plane: etcd, API server, controllers, scheduler."""

from __future__ import annotations

import socket
import ssl
import urllib.error
import urllib.request

from bed.shell import BedError, await_that

from . import processes
from .certificates import AUTHORITY, kubeconfig
from .settings import (
    ADDRESS,
    API_PORT,
    BIN,
    CERTIFICATES,
    POD_NETWORK,
    SERVICE_NETWORK,
    STATE,
    TOKENS,
    URL,
)

_ETCD = f"http://{ADDRESS}:2379"
_PEER = f"http://{ADDRESS}:2380"


def commands() -> dict[str, list[str]]:
    """Program -> its command line, in the order in which they start."""
    return {
        "etcd": _etcd(),
        "kube-apiserver": _api_server(),
        "kube-controller-manager": _controllers(),
        "kube-scheduler": _scheduler(),
    }


def _etcd() -> list[str]:
    return [
        "etcd",
        "--name=bed",
        f"--data-dir={STATE / 'etcd'}",
        f"--listen-client-urls={_ETCD}",
        f"--advertise-client-urls={_ETCD}",
        f"--listen-peer-urls={_PEER}",
        f"--initial-advertise-peer-urls={_PEER}",
        f"--initial-cluster=bed={_PEER}",
        "--log-level=warn",
        # Nothing here has to survive a power cut.
        "--unsafe-no-fsync",
    ]


def _api_server() -> list[str]:
    files = {
        "tls-cert-file": "server.crt",
        "tls-private-key-file": "server.key",
        "client-ca-file": "ca.crt",
        "service-account-key-file": "accounts.key",
        "service-account-signing-key-file": "accounts.key",
        "kubelet-client-certificate": "kubelet-client.crt",
        "kubelet-client-key": "kubelet-client.key",
        "kubelet-certificate-authority": "ca.crt",
        "requestheader-client-ca-file": "ca.crt",
        "proxy-client-cert-file": "front-proxy.crt",
        "proxy-client-key-file": "front-proxy.key",
    }
    return [
        str(BIN / "kube-apiserver"),
        f"--bind-address={ADDRESS}",
        f"--advertise-address={ADDRESS}",
        f"--secure-port={API_PORT}",
        f"--etcd-servers={_ETCD}",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--token-auth-file={TOKENS}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--kubelet-preferred-address-types=InternalIP",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        *(f"--{flag}={CERTIFICATES / name}" for flag, name in files.items()),
    ]


def _controllers() -> list[str]:
    file = kubeconfig("system:kube-controller-manager")
    return [
        str(BIN / "kube-controller-manager"),
        f"--kubeconfig={file}",
        f"--authentication-kubeconfig={file}",
        f"--authorization-kubeconfig={file}",
        f"--bind-address={ADDRESS}",
        f"--cert-dir={CERTIFICATES / 'controllers'}",
        f"--cluster-cidr={POD_NETWORK}",
        f"--root-ca-file={AUTHORITY}",
        f"--service-account-private-key-file={CERTIFICATES / 'accounts.key'}",
        "--use-service-account-credentials",
        "--leader-elect=false",
    ]


def _scheduler() -> list[str]:
    file = kubeconfig("system:kube-scheduler")
    return [
        str(BIN / "kube-scheduler"),
        f"--kubeconfig={file}",
        f"--authentication-kubeconfig={file}",
        f"--authorization-kubeconfig={file}",
        f"--bind-address={ADDRESS}",
        f"--cert-dir={CERTIFICATES / 'scheduler'}",
        "--leader-elect=false",
    ]


def ready() -> bool:
    """Whether the API server says that it is."""
    try:
        trusted = ssl.create_default_context(cafile=str(AUTHORITY))
        with urllib.request.urlopen(f"{URL}/readyz", timeout=2, context=trusted) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def foreign() -> bool:
    """Whether a cluster that another checkout started has the address; then nothing is touched."""
    if processes.running("etcd") is not None or processes.running("kube-apiserver") is not None:
        return False
    with socket.socket() as probe:
        try:
            # A network may answer for addresses that nobody has: ours must be of this machine.
            probe.bind((ADDRESS, 0))
        except OSError:
            return False
        probe.settimeout(1.0)
        return probe.connect_ex((ADDRESS, API_PORT)) == 0


def start() -> None:
    """Start what does not run, and wait until the API server answers."""
    for name, command in commands().items():
        if processes.running(name) is None:
            processes.start(name, command)
        if name == "kube-apiserver":
            _await_api()


def _await_api() -> None:
    def holds() -> bool:
        for name in ("etcd", "kube-apiserver"):
            if processes.running(name) is None:
                raise BedError(f"{name} ended:\n{processes.tail(name)}")
        return ready()

    await_that("the API server", holds, 60)


def stop() -> int:
    """End all of them, the last one first; how many ran."""
    # The API server would wait for clients that never go; nothing here has to be saved.
    return sum(processes.stop(name, grace=2.0) for name in reversed(list(commands())))
