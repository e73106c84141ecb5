# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry, tiny images and a clean platform on the Docker Engine of this machine."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from release_host import HERE, Host, run

VERSIONS = ("1.0.0", "1.1.0")
REGISTRY = """version: 0.1
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
DOCKERFILE = """FROM scratch
COPY program /program
ENV VERSION={version}
USER 1001:1001
ENTRYPOINT ["/program"]
{check}
"""


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a registry of our own."""
    program = shutil.which("docker-registry")
    assert program, "install the Debian package docker-registry: these tests pull for real"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = tmp_path_factory.mktemp("registry")
    config = place / "config.yml"
    config.write_text(REGISTRY.format(root=place / "data", port=port))
    with subprocess.Popen(
        [program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        _wait_for(f"http://127.0.0.1:{port}/v2/")
        yield f"127.0.0.1:{port}"
        server.terminate()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def images(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Repository prefix; C(api) in two versions, C(checked) with a health check of its own."""
    place = tmp_path_factory.mktemp("image")
    environment = {**os.environ, "CGO_ENABLED": "0"}
    run(
        "go",
        "build",
        "-trimpath",
        "-o",
        str(place / "program"),
        ".",
        cwd=HERE / "program",
        env=environment,
    )
    made = []
    for name, version, check in [
        *(("api", v, "") for v in VERSIONS),
        ("checked", "1.0.0", 'HEALTHCHECK CMD ["/program", "probe"]'),
    ]:
        tag = f"{registry}/mse/{name}:{version}"
        (place / "Dockerfile").write_text(DOCKERFILE.format(version=version, check=check))
        run(
            "docker",
            "build",
            "-q",
            "-t",
            tag,
            str(place),
            env={**environment, "DOCKER_BUILDKIT": "0"},
        )
        run("docker", "push", "-q", tag)
        made.append(tag)
    yield f"{registry}/mse"
    subprocess.run(["docker", "rmi", "-f", *made], check=False, capture_output=True)


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Iterator[Host]:
    """A clean host before and after."""
    found = Host(tmp_path / "state")
    found.clean()
    yield found
    found.clean()
