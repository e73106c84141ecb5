# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, start and remove the containers that play the hosts."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import io
import os
import socket
import subprocess
import tarfile

from . import cgroups, disks, images
from .settings import (
    CA_CERTIFICATE,
    HOST_KEY,
    HOSTS,
    IMAGE,
    NETWORK,
    REGISTRY_ADDRESS,
    REGISTRY_HOST,
    S3_ADDRESS,
    S3_HOST,
    SSH_KEY,
    STATE,
    SUBNET,
    USER,
    Host,
)
from .shell import BedError, await_that, docker, succeeds

# A host is up in 2 s on an idle machine with 4 cores; four at once on 2 busy cores took 15.
BOOT_TIMEOUT = 90.0
#: Says which checkout made a container; a hash, because it is nobody's business where that is.
OWNER_LABEL = "io.mainstay.bed.checkout"
OWNER = hashlib.sha256(str(STATE).encode()).hexdigest()[:16]
#: Says which keys a container was made with; a hash of what is public of them.
KEYS_LABEL = "io.mainstay.bed.keys"


def network() -> None:
    """Make the network of the bed."""
    if not succeeds(["docker", "network", "inspect", NETWORK]):
        docker("network", "create", "--subnet", SUBNET, NETWORK)


def state(container: str) -> str:
    """What docker says of the container: running, exited, …; empty when there is none."""
    try:
        return docker("inspect", "--format", "{{.State.Status}}", container)
    except BedError:
        return ""


def foreign(container: str) -> bool:
    """Whether another checkout of this project made the container."""
    form = f'{{{{index .Config.Labels "{OWNER_LABEL}"}}}}'
    try:
        return docker("inspect", "--format", form, container) not in ("", "<no value>", OWNER)
    except BedError:
        return False


def fingerprint() -> str:
    """A hash of the CA and of the SSH keys of this checkout."""
    files = (CA_CERTIFICATE, HOST_KEY.with_suffix(".pub"), SSH_KEY.with_suffix(".pub"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


def labels() -> list[str]:
    """The options of C(docker create) that say whose the container is."""
    return ["--label", f"{OWNER_LABEL}={OWNER}", "--label", f"{KEYS_LABEL}={fingerprint()}"]


def strange(container: str) -> bool:
    """Whether the container is there but was made with other keys, so that nothing here can use it.

    That is what a checkout finds where another one, perhaps long removed, left its bed.
    """
    form = f'{{{{index .Config.Labels "{KEYS_LABEL}"}}}}'
    try:
        return docker("inspect", "--format", form, container) != fingerprint()
    except BedError:
        return False


def reachable(address: str, port: int = 22) -> bool:
    """Whether somebody answers; SSH servers speak first."""
    try:
        connection = socket.create_connection((address, port), timeout=1)
        with connection:
            connection.settimeout(2)
            return port != 22 or connection.recv(4) == b"SSH-"
    except OSError:
        return False


def ensure(host: Host) -> str:
    """Bring the host up; return what was done: present, started or created."""
    images.ensure(host.image)
    if strange(host.container):
        remove(host)
    now = state(host.container)
    if now == "running" and reachable(host.address):
        return "present"
    disk = disks.ensure(host.name)
    done = "started"
    if not now:
        _create(host, disk)
        done = "created"
    docker("start", host.container)
    await_boot(host)
    return done


def await_boot(host: Host) -> None:
    """Wait until systemd has started everything and SSH answers from outside."""
    try:
        await_that(f"systemd in {host.name}", lambda: _booted(host), BOOT_TIMEOUT)
    except BedError as error:
        raise BedError(f"{error}{_no_room_to_watch()}") from error
    await_that(f"SSH on {host.name}", lambda: reachable(host.address), BOOT_TIMEOUT)


def _no_room_to_watch() -> str:
    """A hint when root can watch no more files: each systemd does, and 128 is the default."""
    library = ctypes.CDLL(None, use_errno=True)
    handle = library.inotify_init1(os.O_CLOEXEC)
    if handle >= 0:
        os.close(handle)
        return ""
    if ctypes.get_errno() != errno.EMFILE:
        return ""
    return (
        "\nRoot has no instance of inotify left on this machine. Take hosts down, or:"
        " sysctl fs.inotify.max_user_instances=1024"
    )


def _booted(host: Host) -> bool:
    command = ["docker", "exec", host.container, "systemctl", "is-system-running", "--wait"]
    # Its exit status is not 0 for every state but running, and before systemd answers at all.
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=BOOT_TIMEOUT, check=False
    )
    if answer.stdout.strip() == "degraded":
        failed = docker("exec", host.container, "systemctl", "--failed", "--plain", "--no-legend")
        raise BedError(f"Units failed in {host.name}:\n{failed}")
    return answer.stdout.strip() == "running"


def _create(host: Host, disk: str) -> None:
    names = [f"{other.name}:{other.address}" for other in HOSTS.values() if other != host]
    names += [f"{REGISTRY_HOST}:{REGISTRY_ADDRESS}", f"{S3_HOST}:{S3_ADDRESS}"]
    words = ["create", "--name", host.container, "--hostname", host.name]
    words += ["--network", NETWORK, "--ip", host.address, "--network-alias", host.name]
    for name in names:
        words += ["--add-host", name]
    words += ["--label", f"io.mainstay.bed.host={host.name}"]
    words += [*labels(), "--volume", f"{disk}:{host.disk}"]
    words += [*cgroups.detected(), f"{IMAGE}:{host.image}", "/sbin/init"]
    docker(*words)
    subprocess.run(["docker", "cp", "-", f"{host.container}:/"], input=personal_files(), check=True)


def personal_files() -> bytes:
    """A tar of what a host has for itself: its SSH key, and the key that may come in."""
    key = HOST_KEY.read_bytes()
    public = HOST_KEY.with_suffix(".pub").read_bytes()
    allowed = SSH_KEY.with_suffix(".pub").read_bytes()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        _add(archive, "etc/ssh/ssh_host_ed25519_key", key, 0o600, 0)
        _add(archive, "etc/ssh/ssh_host_ed25519_key.pub", public, 0o644, 0)
        home = tarfile.TarInfo(f"home/{USER}/.ssh")
        home.type, home.mode, home.uid, home.gid = tarfile.DIRTYPE, 0o700, 1000, 1000
        archive.addfile(home)
        _add(archive, f"home/{USER}/.ssh/authorized_keys", allowed, 0o600, 1000)
    return stream.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int, owner: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.uid, entry.gid = len(content), mode, owner, owner
    archive.addfile(entry, io.BytesIO(content))


def remove(host: Host) -> None:
    """Remove the host with everything on it."""
    docker("rm", "--force", "--volumes", host.container)
    disks.remove(host.name)


def remove_network() -> None:
    """Remove the network when nothing is on it."""
    succeeds(["docker", "network", "rm", NETWORK])


def outdated(host: Host) -> bool:
    """Whether the running host was made from an older image than the recipe now describes."""
    made_from = docker("inspect", "--format", images.LABEL_FORMAT, host.container)
    return made_from != images.digest(host.image)
