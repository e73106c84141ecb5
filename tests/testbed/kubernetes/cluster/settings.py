# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fixed about the cluster: names, addresses, where its files are."""

from __future__ import annotations

import os
import pathlib

from bed.settings import STATE as BED_STATE

VERSION = "v1.34.4"
SOURCE = pathlib.Path(__file__).resolve().parents[1] / "binary"
STATE = BED_STATE / "kubernetes"
#: Sockets and namespaces; their paths must be short, and they need not outlive a boot.
RUN = pathlib.Path("/run/mainstay-kubernetes")
CACHE = (
    pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "mainstay"
)

PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
BIN = STATE / "bin"
CERTIFICATES = STATE / "certificates"
KUBECONFIG = STATE / "kubeconfig"
TOKENS = STATE / "tokens"

#: A bridge that nothing is plugged into: everything listens on its address and nowhere else.
LINK = "mainstay-k8s"
ADDRESS = "172.30.78.1"
API_PORT = 6443
URL = f"https://{ADDRESS}:{API_PORT}"
NODE = "bed"

POD_BRIDGE = "mainstay-pods"
POD_NETWORK = "10.244.77.0/24"
SERVICE_NETWORK = "10.96.77.0/24"
SERVICE_API = "10.96.77.1"
CHAIN = "MAINSTAY-PODS"

CONTAINERD = RUN / "containerd.sock"
NAMESPACE = "k8s.io"
PAUSE = "mainstay.test/pause:1"
#: Name of user -> groups, for the file of tokens.
USERS = {
    "admin": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-proxy": "system:node-proxier",
    "system:kube-scheduler": "",
    f"system:node:{NODE}": "system:nodes",
}
