# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain kubeconfigs, read without the Python package C(kubernetes).

To import that package takes most of a second of processor time (measured), in each task. A
certificate, a token and an authority need nothing of it. Whatever is not plain here, also a file
that is wrong, is left to the package: nothing is what says so.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

try:
    import urllib3
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError:
    urllib3 = None  # type: ignore[assignment]
try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment]

_CLUSTER = frozenset(
    {
        "server",
        "certificate-authority",
        "certificate-authority-data",
        "insecure-skip-tls-verify",
        "extensions",
    }
)
_USER = frozenset(
    {
        "token",
        "client-certificate",
        "client-certificate-data",
        "client-key",
        "client-key-data",
        "extensions",
    }
)
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


@dataclass(frozen=True)
class Access:
    """How to reach one API server: certificates are PEM texts."""

    host: str
    token: str = ""
    authority: str = ""
    certificate: str = ""
    key: str = ""
    insecure: bool = False


def plain(params: Mapping[str, Any], environment: Mapping[str, str]) -> Optional[Access]:
    """The access that the arguments name, or nothing when only the package can tell."""
    if yaml is None or urllib3 is None:
        return None
    if any(environment.get(name) or environment.get(name.lower()) for name in _PROXIES):
        return None
    if params.get("api_url"):
        return None
    named = params.get("kubeconfig") or environment.get("KUBECONFIG") or "~/.kube/config"
    path = os.path.expanduser(str(named))
    if os.pathsep in path:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return _access(document, params.get("context"), os.path.dirname(os.path.abspath(path)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError):
        return None


def _access(document: Any, context: Optional[str], place: str) -> Optional[Access]:
    chosen = _named(document["contexts"], context or document["current-context"])["context"]
    cluster = _named(document["clusters"], chosen["cluster"])["cluster"]
    user = _named(document["users"], chosen["user"])["user"] or {}
    if set(cluster) - _CLUSTER or set(user) - _USER:
        return None
    host = str(cluster["server"]).rstrip("/")
    found = Access(
        host,
        token=str(user.get("token") or ""),
        authority=_pem(cluster, "certificate-authority", place),
        certificate=_pem(user, "client-certificate", place),
        key=_pem(user, "client-key", place),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
    )
    if bool(found.certificate) != bool(found.key):
        return None
    # Without an authority those of the system are meant.
    known = host.startswith("https://") and (found.authority or found.insecure)
    return found if known or host.startswith("http://") else None


def _named(entries: Any, name: str) -> Any:
    [found] = [entry for entry in entries if entry["name"] == name]
    return found


def _pem(entry: Mapping[str, Any], field: str, place: str) -> str:
    if entry.get(f"{field}-data"):
        try:
            return base64.b64decode(entry[f"{field}-data"]).decode("ascii")
        except binascii.Error as error:
            raise ValueError(field) from error
    if not entry.get(field):
        return ""
    with open(os.path.join(place, entry[field]), encoding="ascii") as file:
        return file.read()


def pool(access: Access, size: int) -> Any:
    """A pool of connections to it."""
    context = create_urllib3_context()
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif access.authority:
        context.load_verify_locations(cadata=access.authority)
    if access.certificate:
        with _file(access.certificate) as certificate, _file(access.key) as key:
            context.load_cert_chain(certificate, key)
    reqs = "CERT_NONE" if access.insecure else "CERT_REQUIRED"
    return urllib3.PoolManager(num_pools=4, maxsize=size, ssl_context=context, cert_reqs=reqs)


@contextlib.contextmanager
def _file(text: str) -> Iterator[str]:
    """OpenSSL reads keys from files only: one that nobody else may read, for that moment."""
    handle, name = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
        yield name
    finally:
        os.unlink(name)


def headers(access: Access) -> dict[str, str]:
    """What tells the API server who asks."""
    return {"Authorization": f"Bearer {access.token}"} if access.token else {}
