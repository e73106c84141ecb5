# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of Kubernetes and how they differ: one table. Pure.

The names are those that the makers give their own classes and annotations:
Amazon EKS (EBS and EFS CSI drivers, AWS Load Balancer Controller, IAM roles for service accounts),
Google GKE (Persistent Disk and Filestore CSI drivers, Workload Identity), Azure AKS (Azure Disk and
Azure Files CSI drivers, Microsoft Entra Workload ID). On premises nothing is taken for granted.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Flavour:
    """What differs. C(storage) and C(shared) are names of storage classes, empty for the default.

    C(internal) and C(public) are annotations of a load balancer, C(sticky) those that make it keep
    a client with its pod. C(identity) is the annotation of a ServiceAccount that names who its pods
    are in the cloud, C(identity_labels) what those pods need beside it. With C(node_login) the
    nodes log in at the maker's own registry.
    """

    storage: str = ""
    shared: str = ""
    provisioner: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    public: dict[str, str] = field(default_factory=dict)
    internal: dict[str, str] = field(default_factory=dict)
    sticky: dict[str, str] = field(default_factory=dict)
    identity: str = ""
    identity_labels: dict[str, str] = field(default_factory=dict)
    node_login: tuple[str, ...] = ()


_AWS = "service.beta.kubernetes.io/aws-load-balancer-"
_AZURE = "service.beta.kubernetes.io/azure-load-balancer-"

FLAVOURS: dict[str, Flavour] = {
    "eks": Flavour(
        storage="gp3",
        shared="efs-sc",
        provisioner="ebs.csi.aws.com",
        parameters={"type": "gp3", "encrypted": "true"},
        public={
            f"{_AWS}type": "external",
            f"{_AWS}nlb-target-type": "ip",
            f"{_AWS}scheme": "internet-facing",
        },
        internal={
            f"{_AWS}type": "external",
            f"{_AWS}nlb-target-type": "ip",
            f"{_AWS}scheme": "internal",
        },
        sticky={
            f"{_AWS}target-group-attributes": "preserve_client_ip.enabled=true,"
            "stickiness.enabled=true,stickiness.type=source_ip"
        },
        identity="eks.amazonaws.com/role-arn",
        node_login=("ecr",),
    ),
    "gke": Flavour(
        storage="standard-rwo",
        shared="standard-rwx",
        provisioner="pd.csi.storage.gke.io",
        parameters={"type": "pd-balanced"},
        public={"cloud.google.com/l4-rbs": "enabled"},
        internal={"networking.gke.io/load-balancer-type": "Internal"},
        identity="iam.gke.io/gcp-service-account",
    ),
    "aks": Flavour(
        storage="managed-csi",
        shared="azurefile-csi",
        provisioner="disk.csi.azure.com",
        parameters={"skuName": "StandardSSD_LRS"},
        public={f"{_AZURE}internal": "false"},
        internal={f"{_AZURE}internal": "true"},
        identity="azure.workload.identity/client-id",
        identity_labels={"azure.workload.identity/use": "true"},
    ),
    "on_premises": Flavour(),
}
