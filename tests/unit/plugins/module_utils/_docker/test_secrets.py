# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import pathlib
import stat

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._docker import secrets
from ansible_collections.mainstay.platform.plugins.module_utils._docker.recipe import service_recipe
from ansible_collections.mainstay.platform.plugins.module_utils._docker.secrets import SecretFiles
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import ServiceSpec
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import SecretUse

SPEC = ServiceSpec(
    name="api",
    kind="service",
    image="api:1",
    port=80,
    env={"URL": "db://u:${secret:db}@h", "PLAIN": "x"},
    secrets=(SecretUse("token", file="token"), SecretUse("token", env="TOKEN")),
)
VALUES = {"db": "canary-db", "token": "canary-token", "unused": "canary-unused"}


def test_only_used_secrets_count() -> None:
    assert secrets.names_used(SPEC) == ["db", "token"]
    assert secrets.files_of(SPEC, VALUES) == {"token": "canary-token"}
    assert secrets.environment_of(SPEC, VALUES) == {
        "TOKEN": "canary-token",
        "URL": "db://u:canary-db@h",
    }


def test_the_fingerprint_is_keyed_with_this_host(tmp_path: pathlib.Path) -> None:
    one, two = SecretFiles(str(tmp_path / "one")), SecretFiles(str(tmp_path / "two"))
    first = one.fingerprint(["db"], VALUES, True)
    assert first == one.fingerprint(["db"], VALUES, True)
    assert first != two.fingerprint(["db"], VALUES, True)
    assert first != one.fingerprint(["db"], {"db": "other"}, True)


def test_check_mode_writes_no_key(tmp_path: pathlib.Path) -> None:
    assert SecretFiles(str(tmp_path)).fingerprint(["db"], VALUES, False) == "new"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_value_is_named_before_anything_changes(tmp_path: pathlib.Path) -> None:
    with pytest.raises(MainstayError, match="no value") as caught:
        SecretFiles(str(tmp_path)).fingerprint(["db", "gone"], VALUES, True)
    assert caught.value.found == "no gone"


@pytest.mark.parametrize(("user", "mode"), [(None, 0o444), ((os.getuid(), os.getgid()), 0o400)])
def test_files_are_closed(tmp_path: pathlib.Path, user: tuple[int, int] | None, mode: int) -> None:
    found = SecretFiles(str(tmp_path))
    found.write("place", {"token": "canary"}, {"A": "canary"}, user)
    token = tmp_path / "secrets" / "place" / "token"
    assert stat.S_IMODE(token.stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert found.environment("place") == {"A": "canary"}
    assert found.prune({"other"}) == ["place"]


def test_a_container_is_hardened() -> None:
    made = service_recipe(
        SPEC,
        platform="p",
        origin="20261121T010000Z-aaaaaa",
        replica=1,
        image="api@sha256:1",
        environment={},
        secrets="",
        secrets_directory="/s",
        publish=("10.0.0.1", 20000),
    )
    host = made["HostConfig"]
    assert made["User"] == "1001:1001"
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["ReadonlyRootfs"] is True
    assert set(host["Tmpfs"]) == {"/tmp"}
    assert host["PidsLimit"] == 512
    assert host["Init"] is True
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "5"}
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "10.0.0.1", "HostPort": "20000"}]}
    assert all(mount["ReadOnly"] for mount in host["Mounts"])
