# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node: containerd of its own, kubelet, kube-proxy, and the network of the pods."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil

from bed.shell import BedError, await_that, run, succeeds

from . import images, processes
from .certificates import AUTHORITY, kubeconfig
from .settings import (
    ADDRESS,
    BIN,
    CERTIFICATES,
    CHAIN,
    CONTAINERD,
    KUBECONFIG,
    LINK,
    NODE,
    PAUSE,
    POD_BRIDGE,
    POD_NETWORK,
    RUN,
    STATE,
)

_CNI = STATE / "cni"
_KUBELET = STATE / "kubelet"
_CGROUPS = pathlib.Path("/sys/fs/cgroup")


def network() -> None:
    """The link that everything listens on, before anything starts."""
    if not succeeds(["ip", "link", "show", LINK]):
        run(["ip", "link", "add", LINK, "type", "bridge"])
        run(["ip", "address", "add", f"{ADDRESS}/32", "dev", LINK])
    run(["ip", "link", "set", LINK, "up"])
    pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n", encoding="utf-8")
    # Docker lets nothing be forwarded that it does not know.
    for table, chain, rules in _rules():
        if not succeeds(["iptables", "-w", "-t", table, "-n", "-L", CHAIN]):
            run(["iptables", "-w", "-t", table, "-N", CHAIN])
            for rule in rules:
                run(["iptables", "-w", "-t", table, "-A", CHAIN, *rule.split()])
        if not succeeds(["iptables", "-w", "-t", table, "-C", chain, "-j", CHAIN]):
            run(["iptables", "-w", "-t", table, "-I", chain, "-j", CHAIN])


def _rules() -> list[tuple[str, str, list[str]]]:
    outside = f"-s {POD_NETWORK} ! -d {POD_NETWORK} ! -o {POD_BRIDGE} -j MASQUERADE"
    return [
        ("filter", "FORWARD", [f"-s {POD_NETWORK} -j ACCEPT", f"-d {POD_NETWORK} -j ACCEPT"]),
        ("nat", "POSTROUTING", [outside]),
    ]


def start() -> None:
    """Start what does not run, and wait until the node is ready."""
    _write_configuration()
    if processes.running("containerd") is None:
        processes.start("containerd", ["containerd", "--config", str(STATE / "containerd.toml")])
    await_that("containerd", lambda: succeeds(images.ctr("version")), 30)
    images.ensure_pause()
    for name, options in (("kubelet", _kubelet_options()), ("kube-proxy", _proxy_options())):
        if processes.running(name) is None:
            processes.start(name, [str(BIN / name), *options])
    await_that("the node", _ready, 60)


def _kubelet_options() -> list[str]:
    return [
        f"--config={STATE / 'kubelet.json'}",
        f"--kubeconfig={kubeconfig(f'system:node:{NODE}')}",
        f"--root-dir={_KUBELET}",
        f"--cert-dir={_KUBELET / 'pki'}",
        f"--hostname-override={NODE}",
        f"--node-ip={ADDRESS}",
    ]


def _proxy_options() -> list[str]:
    return [f"--config={STATE / 'kube-proxy.json'}", f"--hostname-override={NODE}"]


def _ready() -> bool:
    if processes.running("kubelet") is None:
        raise BedError(f"kubelet ended:\n{processes.tail('kubelet')}")
    path = '{.status.conditions[?(@.type=="Ready")].status}'
    command = [str(BIN / "kubectl"), f"--kubeconfig={KUBECONFIG}", "get", "node", NODE]
    try:
        return run([*command, "-o", f"jsonpath={path}"]) == "True"
    except BedError:
        return False


def _write_configuration() -> None:
    for place in (_CNI, _KUBELET, RUN):
        place.mkdir(parents=True, exist_ok=True)
    _write(_CNI / "10-pods.conflist", json.dumps(_cni_list(), indent=2))
    _write(STATE / "containerd.toml", _containerd())
    _write(STATE / "kubelet.json", json.dumps(_kubelet(), indent=2))
    _write(STATE / "kube-proxy.json", json.dumps(_proxy(), indent=2))


def _write(path: pathlib.Path, text: str) -> None:
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def _cni_list() -> dict[str, object]:
    bridge = {
        "type": "bridge",
        "bridge": POD_BRIDGE,
        "isGateway": True,
        "hairpinMode": True,
        # Masquerading is one rule of ours instead of a chain for each pod.
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": str(STATE / "addresses"),
            "ranges": [[{"subnet": POD_NETWORK}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}


def _containerd() -> str:
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "{STATE / "containerd"}"
state = "{RUN / "containerd"}"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "{CONTAINERD}"
[{cri}]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true
disable_hugetlb_controller = true
stream_server_address = "127.0.0.1"
[{cri}.cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{_CNI}"
[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{cri}.containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def _kubelet() -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(AUTHORITY)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(CERTIFICATES / "kubelet.crt"),
        "tlsPrivateKeyFile": str(CERTIFICATES / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "enforceNodeAllocatable": [],
        "podLogsDir": str(STATE / "pod-logs"),
        "podCIDR": POD_NETWORK,
        "resolvConf": "/etc/resolv.conf",
        "maxPods": 200,
        # kube-proxy makes the rules that matter; these would stay behind.
        "makeIPTablesUtilChains": False,
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "5s",
        # A release of many pods must not wait for the kubelet's own brakes.
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
        "registerNode": True,
        "shutdownGracePeriod": "0s",
    }


def _proxy() -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": POD_NETWORK,
        "clientConnection": {"kubeconfig": str(kubeconfig("system:kube-proxy"))},
        "healthzBindAddress": f"{ADDRESS}:10256",
        "metricsBindAddress": f"{ADDRESS}:10249",
        "iptables": {"minSyncPeriod": "0s"},
        "conntrack": {"maxPerCore": 0, "min": 0},
    }


def stop() -> int:
    """End the node and take everything off this machine that it put there."""
    ran = processes.stop("kubelet") + processes.stop("kube-proxy")
    if succeeds(images.ctr("version")):
        _end_containers()
    ran += processes.stop("containerd")
    if (BIN / "kube-proxy").exists():
        with contextlib.suppress(BedError):
            run([str(BIN / "kube-proxy"), "--cleanup", f"--config={STATE / 'kube-proxy.json'}"])
    _unmount()
    for table, chain, _rules_of in _rules():
        _remove_chain(table, CHAIN, (chain,))
    # kube-proxy leaves this one, in case a kubelet needs it.
    _remove_chain("filter", "KUBE-FIREWALL", ("INPUT", "OUTPUT"))
    for link in (POD_BRIDGE, LINK):
        if succeeds(["ip", "link", "show", link]):
            run(["ip", "link", "delete", link])
    _remove_cgroups()
    for place in (RUN, STATE / "addresses", STATE / "containerd", _KUBELET, STATE / "pod-logs"):
        shutil.rmtree(place, ignore_errors=True)
    return ran


def _remove_chain(table: str, chain: str, used_in: tuple[str, ...]) -> None:
    uses = [["-D", other, "-j", chain] for other in used_in]
    for words in (*uses, ["-F", chain], ["-X", chain]):
        succeeds(["iptables", "-w", "-t", table, *words])


def _end_containers() -> None:
    """No kubelet is there any more: end what runs, and its network namespaces."""
    for task in run(images.ctr("tasks", "list", "-q")).split():
        with contextlib.suppress(BedError):
            run(images.ctr("tasks", "delete", "--force", task), timeout=30)
    for container in run(images.ctr("containers", "list", "-q")).split():
        with contextlib.suppress(BedError):
            described = json.loads(run(images.ctr("containers", "info", container)))
            for space in described["Spec"]["linux"].get("namespaces", []):
                name = pathlib.Path(space.get("path", "")).name
                if space["type"] == "network" and re.fullmatch(r"cni-[0-9a-f-]+", name):
                    succeeds(["ip", "netns", "delete", name])
            run(images.ctr("containers", "delete", container))


def _unmount() -> None:
    """Volumes of pods, root file systems of containers: the innermost first."""
    ours = (f"{STATE}/", f"{RUN}/")
    mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    places = [line.split()[1].replace("\\040", " ") for line in mounts]
    for place in sorted((p for p in places if p.startswith(ours)), key=len, reverse=True):
        succeeds(["umount", "--lazy", place])


def _remove_cgroups() -> None:
    for top in [*_CGROUPS.glob("*/kubepods"), _CGROUPS / "kubepods", *_CGROUPS.glob("*/k8s.io")]:
        for directory, _names, _files in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                pathlib.Path(directory).rmdir()
