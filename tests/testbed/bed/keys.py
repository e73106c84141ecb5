# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, certificates and the password of the bed, made once and kept under build/testbed."""

from __future__ import annotations

import pathlib
import secrets

from .settings import (
    CA_CERTIFICATE,
    HOST_KEY,
    HOSTS,
    KNOWN_HOSTS,
    REGISTRY_ADDRESS,
    REGISTRY_HOST,
    REGISTRY_PASSWORD,
    S3_ACCESS_KEY,
    S3_ADDRESS,
    S3_HOST,
    S3_SECRET_KEY,
    S3_WRITER_ACCESS_KEY,
    S3_WRITER_SECRET_KEY,
    SSH_CONFIG,
    SSH_KEY,
    STATE,
    USER,
)
from .shell import run

REGISTRY_CERTIFICATE = STATE / "registry" / "tls.crt"
REGISTRY_KEY = STATE / "registry" / "tls.key"
S3_CERTIFICATE = STATE / "s3" / "tls.crt"
S3_KEY = STATE / "s3" / "tls.key"
_DAYS = 3650
_NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"


def ensure() -> None:
    """Make whatever is not there yet."""
    STATE.mkdir(parents=True, exist_ok=True)
    for key in (SSH_KEY, HOST_KEY):
        if not key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bed", "-f", str(key)])
    public_key = HOST_KEY.with_suffix(".pub").read_text(encoding="utf-8")
    _write(KNOWN_HOSTS, known_hosts(public_key), 0o644)
    _write(SSH_CONFIG, ssh_config(), 0o644)
    storage = (S3_ACCESS_KEY, S3_SECRET_KEY, S3_WRITER_ACCESS_KEY, S3_WRITER_SECRET_KEY)
    for secret in (REGISTRY_PASSWORD, *storage):
        if not secret.exists():
            _write(secret, secrets.token_urlsafe(24), 0o600)
    if not CA_CERTIFICATE.exists():
        _authority()
    if not REGISTRY_CERTIFICATE.exists():
        _certificate(REGISTRY_CERTIFICATE, REGISTRY_KEY, REGISTRY_HOST, REGISTRY_ADDRESS)
    if not S3_CERTIFICATE.exists():
        _certificate(S3_CERTIFICATE, S3_KEY, S3_HOST, S3_ADDRESS)


def known_hosts(public_key: str) -> str:
    """One host key serves all hosts: it stays the same when a host is made anew."""
    kind, key = public_key.split()[:2]
    return "".join(f"{host.name},{host.address} {kind} {key}\n" for host in HOSTS.values())


def ssh_config() -> str:
    """So that people can type: ssh -F build/testbed/ssh_config edge1"""
    blocks = [f"Host {host.name}\n    HostName {host.address}\n" for host in HOSTS.values()]
    common = (
        f"Host *\n    User {USER}\n    IdentityFile {SSH_KEY}\n    IdentitiesOnly yes\n"
        f"    UserKnownHostsFile {KNOWN_HOSTS}\n    StrictHostKeyChecking yes\n"
    )
    return "".join(blocks) + common


def _write(path: pathlib.Path, text: str, mode: int) -> None:
    path.touch(mode=mode)
    path.chmod(mode)
    path.write_text(text, encoding="utf-8")


def _authority() -> None:
    key = CA_CERTIFICATE.with_suffix(".key")
    CA_CERTIFICATE.parent.mkdir(parents=True, exist_ok=True)
    _openssl(
        f"req -x509 {_NEW_KEY} -days {_DAYS} -subj /CN=mainstay-bed"
        " -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign",
        {"-keyout": key, "-out": CA_CERTIFICATE},
    )


def _certificate(certificate: pathlib.Path, key: pathlib.Path, name: str, address: str) -> None:
    certificate.parent.mkdir(parents=True, exist_ok=True)
    request, extensions = certificate.with_suffix(".csr"), certificate.with_suffix(".ext")
    extensions.write_text(
        f"subjectAltName=DNS:{name},IP:{address}\n"
        "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n",
        encoding="utf-8",
    )
    _openssl(f"req -new {_NEW_KEY} -subj /CN={name}", {"-keyout": key, "-out": request})
    _openssl(
        f"x509 -req -days {_DAYS} -CAcreateserial",
        {
            "-in": request,
            "-extfile": extensions,
            "-CA": CA_CERTIFICATE,
            "-CAkey": CA_CERTIFICATE.with_suffix(".key"),
            "-out": certificate,
        },
    )


def _openssl(words: str, files: dict[str, pathlib.Path]) -> None:
    named = [word for option, path in files.items() for word in (option, str(path))]
    run(["openssl", *words.split(), *named])
