# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates, tokens and kubeconfigs of the cluster."""

from __future__ import annotations

import json
import pathlib
import secrets

from bed.shell import run

from .settings import (
    ADDRESS,
    CERTIFICATES,
    KUBECONFIG,
    NODE,
    SERVICE_API,
    STATE,
    TOKENS,
    URL,
    USERS,
)

AUTHORITY = CERTIFICATES / "ca.crt"
_DAYS = 3650
_NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
)


def ensure() -> None:
    """Make whatever is not there yet."""
    CERTIFICATES.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not AUTHORITY.exists():
        _openssl(
            f"req -x509 {_NEW_KEY} -days {_DAYS} -subj /CN=mainstay-bed-kubernetes"
            " -addext basicConstraints=critical,CA:TRUE"
            " -addext keyUsage=critical,keyCertSign,cRLSign",
            {"-keyout": AUTHORITY.with_suffix(".key"), "-out": AUTHORITY},
        )
    addresses = ",".join(f"IP:{a}" for a in (ADDRESS, SERVICE_API, "127.0.0.1"))
    names = ",".join(f"DNS:{name}" for name in _NAMES)
    _certificate("server", "/CN=kube-apiserver", "serverAuth", f"{names},{addresses}")
    _certificate("kubelet", f"/CN={NODE}", "serverAuth", f"DNS:{NODE},IP:{ADDRESS}")
    _certificate("kubelet-client", "/O=system:masters/CN=kube-apiserver", "clientAuth")
    _certificate("front-proxy", "/CN=front-proxy-client", "clientAuth")
    accounts = CERTIFICATES / "accounts.key"
    if not accounts.exists():
        run(["openssl", "genrsa", "-out", str(accounts), "2048"])
    if not TOKENS.exists():
        _write(TOKENS, _tokens())
    for line in TOKENS.read_text(encoding="utf-8").splitlines():
        token, user = line.split(",")[:2]
        _write(kubeconfig(user), _kubeconfig(user, token))


def kubeconfig(user: str) -> pathlib.Path:
    """The file with which one of the programs talks to the API server."""
    return KUBECONFIG if user == "admin" else STATE / f"{user.replace(':', '-')}.kubeconfig"


def _tokens() -> str:
    lines = [f'{secrets.token_hex(24)},{user},{user},"{groups}"' for user, groups in USERS.items()]
    return "\n".join(lines) + "\n"


def _kubeconfig(user: str, token: str) -> str:
    # JSON is YAML as well.
    cluster = {"server": URL, "certificate-authority": str(AUTHORITY)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bed", "cluster": cluster}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": user}}],
        "current-context": "bed",
    }
    return json.dumps(document, indent=2) + "\n"


def _write(path: pathlib.Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")


def _certificate(name: str, subject: str, usage: str, names: str = "") -> None:
    certificate = CERTIFICATES / f"{name}.crt"
    if certificate.exists():
        return
    request, extensions = certificate.with_suffix(".csr"), certificate.with_suffix(".ext")
    lines = ["basicConstraints=CA:FALSE", f"extendedKeyUsage={usage}"]
    lines += [f"subjectAltName={names}"] if names else []
    extensions.write_text("\n".join(lines) + "\n", encoding="utf-8")
    key = certificate.with_suffix(".key")
    _openssl(f"req -new {_NEW_KEY} -subj {subject}", {"-keyout": key, "-out": request})
    _openssl(
        f"x509 -req -days {_DAYS} -CAcreateserial",
        {
            "-in": request,
            "-extfile": extensions,
            "-CA": AUTHORITY,
            "-CAkey": AUTHORITY.with_suffix(".key"),
            "-out": certificate,
        },
    )


def _openssl(words: str, files: dict[str, pathlib.Path]) -> None:
    named = [word for option, path in files.items() for word in (option, str(path))]
    run(["openssl", *words.split(), *named])
