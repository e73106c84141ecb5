# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import StoreSpec
from ansible_collections.mainstay.platform.plugins.module_utils._docker.stores import (
    PORTS,
    Shape,
    shape_of,
    store_recipe,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

PASSWORD = "canary 'of\\the\" store"


def spec(kind: str) -> StoreSpec:
    return StoreSpec("data", kind, "image:1", 7000, username="app", password="secret")


def recipe(kind: str, shape: Shape) -> dict[str, Any]:
    return store_recipe(
        spec(kind),
        shape,
        platform="p",
        origin="20261121T010000Z-aaaaaa",
        secrets="",
        secrets_directory="/s",
        address="10.0.0.1",
    )


@pytest.mark.parametrize("kind", sorted(PORTS))
def test_a_store_listens_on_the_private_address_alone(kind: str) -> None:
    host = recipe(kind, shape_of(spec(kind), "simple"))["HostConfig"]
    assert host["PortBindings"] == {
        f"{PORTS[kind]}/tcp": [{"HostIp": "10.0.0.1", "HostPort": "7000"}]
    }
    assert host["CapDrop"] == ["ALL"] and host["ReadonlyRootfs"] is True
    assert "PublishAllPorts" not in host and host["NetworkMode"] == "mainstay-p"


@pytest.mark.parametrize("kind", ["mongodb", "postgres", "redis"])
def test_the_password_is_a_file_and_nothing_else(kind: str) -> None:
    """Environment, command and labels are shown by docker inspect and in process lists."""
    shape = shape_of(spec(kind), PASSWORD)
    assert "canary" not in json.dumps(recipe(kind, shape))
    assert any("canary" in content for content in shape.files.values())


def test_redis_reads_the_password_that_was_meant() -> None:
    content = shape_of(spec("redis"), 'a"b\\c\nd').files["redis.conf"]
    assert content.splitlines()[-1] == 'requirepass "a\\"b\\\\c\\nd"'


@pytest.mark.parametrize("password", ["canary#b", " canary", "canary ", "canary\nb", "'canary'"])
def test_a_password_that_rabbitmq_would_read_otherwise_is_refused(password: str) -> None:
    with pytest.raises(MainstayError, match="RabbitMQ") as caught:
        shape_of(spec("rabbitmq"), password)
    assert "canary" not in str(caught.value)
    assert (
        "default_pass = plain-0.9!"
        in shape_of(spec("rabbitmq"), "plain-0.9!").files["mainstay.conf"]
    )
