# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fixed about the bed: its network, its hosts, where its files are."""

from __future__ import annotations

import dataclasses
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
TESTBED = ROOT / "tests" / "testbed"
RECIPES = TESTBED / "recipes"
STATE = ROOT / "build" / "testbed"

NETWORK = "mainstay-bed"
SUBNET = "172.30.77.0/24"
IMAGE = "mainstay-bed"
USER = "deploy"

REGISTRY_HOST = "registry.bed"
REGISTRY_PORT = 5000
REGISTRY_ADDRESS = "172.30.77.5"
REGISTRY_USER = "bed"
REGISTRY = f"{REGISTRY_HOST}:{REGISTRY_PORT}"

S3_HOST = "s3.bed"
S3_PORT = 443
S3_ADDRESS = "172.30.77.6"
S3_REGION = "us-east-1"
S3_BUCKET = "backups"

SSH_KEY = STATE / "id_ed25519"
HOST_KEY = STATE / "ssh_host_ed25519_key"
KNOWN_HOSTS = STATE / "known_hosts"
SSH_CONFIG = STATE / "ssh_config"
CA_CERTIFICATE = STATE / "ca" / "ca.crt"
REGISTRY_PASSWORD = STATE / "registry_password"
S3_ACCESS_KEY = STATE / "s3_access_key"
S3_SECRET_KEY = STATE / "s3_secret_key"
#: Of a user that may write and delete, and delete no version.
S3_WRITER_ACCESS_KEY = STATE / "s3_writer_access_key"
S3_WRITER_SECRET_KEY = STATE / "s3_writer_secret_key"


@dataclasses.dataclass(frozen=True)
class Host:
    """One machine of the bed."""

    name: str
    address: str
    image: str
    #: Where the disk of limited size is mounted.
    disk: str = "/var/lib/docker"

    @property
    def container(self) -> str:
        """Name of the container that plays this host."""
        return f"{NETWORK}-{self.name}"


REGISTRY_CONTAINER = f"{NETWORK}-registry"
S3_CONTAINER = f"{NETWORK}-s3"
#: What `up` and `down` know beside the hosts, by the container that plays it.
SERVERS = {"registry": REGISTRY_CONTAINER, "s3": S3_CONTAINER}
_DATA = "/var/lib/postgresql"

HOSTS: dict[str, Host] = {
    host.name: host
    for host in (
        Host("edge1", "172.30.77.11", "debian13"),
        Host("edge2", "172.30.77.12", "debian13"),
        Host("app1", "172.30.77.21", "debian13"),
        Host("app2", "172.30.77.22", "debian13"),
        Host("app3", "172.30.77.23", "debian12"),
        Host("db1", "172.30.77.31", "database13", _DATA),
        Host("db2", "172.30.77.32", "database13", _DATA),
        Host("db3", "172.30.77.33", "database12", _DATA),
        Host("solo", "172.30.77.41", "debian13"),
        # For tests that bring a whole platform of their own, each from fresh machines.
        *(Host(f"spare{n}", f"172.30.77.6{n}", "debian13") for n in range(1, 6)),
        # For tests of roles that must install everything themselves.
        Host("bare", "172.30.77.51", "debian13-bare"),
        Host("bare12", "172.30.77.52", "debian12-bare"),
    )
}

# What `up` brings up when no name is given: the demo platform and its registry.
DEMO = ("edge1", "app1", "app2", "app3", "registry")
