# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._docker.host import (
    ingress_rules,
    logins,
    plan_daemon,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


@pytest.mark.parametrize(
    ("existing", "wanted", "changed", "needs"),
    [
        pytest.param({}, {}, [], "nothing", id="empty"),
        pytest.param({"debug": True}, {"debug": True}, [], "nothing", id="same"),
        pytest.param({}, {"live-restore": True}, ["live-restore"], "reload", id="reloadable"),
        pytest.param({}, {"userland-proxy": False}, ["userland-proxy"], "restart", id="restart"),
        pytest.param(
            {}, {"debug": True, "ipv6": True}, ["debug", "ipv6"], "restart", id="one-of-two"
        ),
    ],
)
def test_daemon(
    existing: dict[str, Any], wanted: dict[str, Any], changed: list[str], needs: str
) -> None:
    plan = plan_daemon(json.dumps(existing), wanted)
    assert (plan["changed"], plan["needs"]) == (changed, needs)


def test_foreign_keys_of_the_daemon_stay() -> None:
    plan = plan_daemon('{"data-root": "/srv/docker"}', {"debug": True})
    assert plan["document"] == {"data-root": "/srv/docker", "debug": True}


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_file_is_not_overwritten(text: str) -> None:
    with pytest.raises(MainstayError):
        plan_daemon(text, {"debug": True})


def test_logins_keep_others_and_know_docker_hub() -> None:
    registries = [
        {"server": "docker.io", "kind": "dockerhub", "username": "u", "password": "p"},
        {"server": "ghcr.io", "username": None, "password": None},
    ]
    document = logins('{"auths": {"other": {"auth": "x"}}}', registries, {"p": "value"})
    hub = document["auths"]["https://index.docker.io/v1/"]["auth"]
    assert base64.b64decode(hub) == b"u:value"
    assert set(document["auths"]) == {"other", "https://index.docker.io/v1/"}


def test_every_port_ends_with_a_drop_behind_all_returns() -> None:
    rules = ingress_rules(
        [
            {"ports": "20000:29999", "addresses": ["10.0.0.2"]},
            {"ports": "6379,5432", "addresses": ["10.0.0.3"]},
            {"ports": "", "addresses": ["10.0.0.4"]},
        ]
    )
    drops = [i for i, rule in enumerate(rules) if rule.endswith("-j DROP")]
    returns = [i for i, rule in enumerate(rules) if rule.endswith("-j RETURN")]
    assert len(drops) == 3
    assert max(returns) < min(drops)
    assert "10.0.0.4" not in "".join(rules)


@pytest.mark.parametrize("ports", ["x", "10:5", "1:2:3"])
def test_bad_ports_are_refused(ports: str) -> None:
    with pytest.raises(MainstayError, match="not a port"):
        ingress_rules([{"ports": ports, "addresses": []}])
