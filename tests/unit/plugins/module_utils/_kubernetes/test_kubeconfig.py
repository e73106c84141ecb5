# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain kubeconfigs mean what the package kubernetes reads in them; all others are left to it."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
from typing import Any, Callable

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
    connect,
    kubeconfig,
)

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A certificate that is its own authority, and its key."""
    place = tmp_path_factory.mktemp("pems")
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    words += ["-days", "2", "-subj", "/CN=bed", "-keyout", "key.pem", "-out", "ca.pem"]
    subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True)
    return {name: (place / name).read_text() for name in ("ca.pem", "key.pem")}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def document(pems: dict[str, str]) -> dict[str, Any]:
    """With a token, and an authority in a file beside."""
    cluster = {"server": "https://192.0.2.1:6443/k8s/", "certificate-authority": "ca.pem"}
    return {
        "current-context": "one",
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u"}},
            {"name": "two", "context": {"cluster": "c", "user": "v"}},
        ],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [
            {"name": "u", "user": {"token": "first"}},
            {"name": "v", "user": {"token": "second"}},
        ],
    }


def written(place: pathlib.Path, pems: dict[str, str], found: dict[str, Any]) -> str:
    for name, text in pems.items():
        (place / name).write_text(text)
    path = place / "config"
    path.write_text(json.dumps(found))
    return str(path)


def user(found: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = found["users"][0]["user"]
    return chosen


def cluster(found: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = found["clusters"][0]["cluster"]
    return chosen


def test_it_means_what_the_package_reads(tmp_path: pathlib.Path, pems: dict[str, str]) -> None:
    library = pytest.importorskip("kubernetes")
    __import__("kubernetes.client"), __import__("kubernetes.config")
    path = written(tmp_path, pems, document(pems))
    for context in (None, "two"):
        access = kubeconfig.plain({"kubeconfig": path, "context": context}, {})
        assert access is not None
        theirs = connect._configuration(library, {"kubeconfig": path, "context": context})
        assert access.host == theirs.host
        [setting] = theirs.auth_settings().values()
        assert kubeconfig.headers(access) == {"Authorization": setting["value"]}
        assert access.authority == pathlib.Path(theirs.ssl_ca_cert).read_text()


def test_nothing_is_imported_for_it(tmp_path: pathlib.Path, pems: dict[str, str]) -> None:
    """The point of it all: a process with a plain file never loads the package."""
    path = written(tmp_path, pems, document(pems))
    program = (
        "import sys; from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes"
        ".connect import connect; c = connect({'kubeconfig': sys.argv[1]}); c._http._connection();"
        "sys.exit('kubernetes' in sys.modules)"
    )
    paths = os.pathsep.join(p for p in sys.path if p)
    environment = {**os.environ, "PYTHONPATH": paths}
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        environment.pop(name, None)
        environment.pop(name.lower(), None)
    done = subprocess.run([sys.executable, "-c", program, path], env=environment, check=False)
    assert done.returncode == 0


def test_a_certificate_within_the_file(tmp_path: pathlib.Path, pems: dict[str, str]) -> None:
    found = document(pems)
    cluster(found).pop("certificate-authority")
    cluster(found)["certificate-authority-data"] = encoded(pems["ca.pem"])
    found["users"][0]["user"] = {
        "client-certificate-data": encoded(pems["ca.pem"]),
        "client-key-data": encoded(pems["key.pem"]),
    }
    before = set(os.listdir(tempfile.gettempdir()))
    access = kubeconfig.plain({"kubeconfig": written(tmp_path, {}, found)}, {})
    assert access is not None and kubeconfig.headers(access) == {}
    assert (access.authority, access.key) == (pems["ca.pem"], pems["key.pem"])
    context = kubeconfig.pool(access, 4).connection_pool_kw["ssl_context"]
    assert context.verify_mode == ssl.CERT_REQUIRED and len(context.get_ca_certs()) == 1
    left = set(os.listdir(tempfile.gettempdir())) - before
    assert not [
        name for name in left if "PRIVATE" in _text(pathlib.Path(tempfile.gettempdir(), name))
    ]


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text(errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def test_a_server_that_shall_not_be_checked(tmp_path: pathlib.Path, pems: dict[str, str]) -> None:
    found = document(pems)
    cluster(found).update({"insecure-skip-tls-verify": True})
    access = kubeconfig.plain({"kubeconfig": written(tmp_path, pems, found)}, {})
    assert access is not None
    context = kubeconfig.pool(access, 4).connection_pool_kw["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: user(d).update(exec={"command": "x"}), id="exec program"),
        pytest.param(lambda d: user(d).update({"auth-provider": {}}), id="provider"),
        pytest.param(lambda d: user(d).update({"as": "somebody"}), id="somebody else"),
        pytest.param(lambda d: user(d).update(username="a", password="b"), id="password"),
        pytest.param(lambda d: user(d).update({"client-certificate": "ca.pem"}), id="no key"),
        pytest.param(lambda d: cluster(d).update({"proxy-url": "http://x"}), id="proxy"),
        pytest.param(
            lambda d: cluster(d).update({"tls-server-name": "x"}), id="name of the server"
        ),
        pytest.param(
            lambda d: cluster(d).pop("certificate-authority"), id="authorities of the system"
        ),
        pytest.param(
            lambda d: cluster(d).update({"certificate-authority": "none.pem"}), id="file not there"
        ),
        pytest.param(
            lambda d: cluster(d).update({"certificate-authority-data": "%"}), id="not encoded"
        ),
        pytest.param(lambda d: d.update({"current-context": "three"}), id="no such context"),
        pytest.param(lambda d: d["users"].append(d["users"][0]), id="one name twice"),
        pytest.param(lambda d: d.update(clusters=None), id="no clusters"),
    ],
)
def test_what_is_not_plain_is_left_to_the_package(
    tmp_path: pathlib.Path, pems: dict[str, str], change: Change
) -> None:
    found = document(pems)
    change(found)
    assert kubeconfig.plain({"kubeconfig": written(tmp_path, pems, found)}, {}) is None


def test_what_the_surroundings_say_is_left_to_the_package(
    tmp_path: pathlib.Path, pems: dict[str, str]
) -> None:
    path = written(tmp_path, pems, document(pems))
    assert kubeconfig.plain({}, {"KUBECONFIG": path}) is not None
    assert kubeconfig.plain({}, {"KUBECONFIG": f"{path}:{path}"}) is None
    assert kubeconfig.plain({"kubeconfig": path}, {"https_proxy": "http://x"}) is None
    assert kubeconfig.plain({"kubeconfig": path, "api_url": "https://x"}, {}) is None
    assert kubeconfig.plain({"kubeconfig": str(tmp_path)}, {}) is None
