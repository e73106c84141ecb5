# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edges with the Nginx of both distributions, one container each."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from edge_host import OLD, PREFIX, EdgeHost, only

IMAGES = ("mainstay-bed:debian12", "mainstay-bed:debian13")


def image_that_exists(image: str) -> str:
    """Fails with what to do when it does not."""
    assert shutil.which("docker"), "docker is needed: these tests run a real Nginx in a container"
    found = subprocess.run(
        ["docker", "image", "inspect", image], check=False, capture_output=True, text=True
    )
    assert found.returncode == 0, (
        f"the image {image} is needed; tests/testbed/up makes it ({found.stderr.strip()})"
    )
    return image


@pytest.fixture(scope="session", params=IMAGES, ids=["debian12", "debian13"])
def edge_of_session(request: pytest.FixtureRequest) -> Iterator[EdgeHost]:
    """One edge for all tests of this run."""
    image = image_that_exists(request.param)
    host = EdgeHost.start(image, f"{PREFIX}-{image.rsplit(':', 1)[1]}-{os.getpid()}")
    yield host
    host.remove()


@pytest.fixture
def edge(edge_of_session: EdgeHost) -> EdgeHost:
    """It serves the old release, with no member put aside."""
    edge_of_session.fence = 1
    edge_of_session.restart(clean=True)
    done = edge_of_session.upstreams(only(OLD))
    assert not done.get("failed"), done["msg"]
    return edge_of_session


@pytest.fixture(scope="session")
def second_edge() -> Iterator[EdgeHost]:
    """Another one, of the newer distribution."""
    image = image_that_exists(IMAGES[1])
    host = EdgeHost.start(image, f"{PREFIX}-second-{os.getpid()}")
    yield host
    host.remove()
