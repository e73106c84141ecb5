# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts on a cluster in memory: order, verdict, the way back."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from backup_fakes import PLATFORM, RESTORE, StoresCluster, deployed

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import restart
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def _restart(cluster: StoresCluster, *, check: bool = False, **more: Any) -> dict[str, Any]:
    params = {
        "platform": PLATFORM,
        "namespace": "shop",
        "services": [],
        "restart_id": RESTORE,
        "fence": 0,
        "timeout": 0.3,
        **more,
    }
    return restart.restart(params, cluster, check=check).as_dict()


def _mark(cluster: StoresCluster, name: str) -> Any:
    found = cluster.objects["deployments", "shop", name]["spec"]["template"]["metadata"]
    return (found.get("annotations") or {}).get(restart.RESTARTED)


def test_all_services_get_new_pods_and_no_store() -> None:
    cluster = deployed()
    result = _restart(cluster)
    assert cluster.calls == ["mark Deployment api", "mark Deployment web"]
    assert (_mark(cluster, "api"), _mark(cluster, "web")) == (RESTORE, RESTORE)
    assert sorted(result["restart"]["ready"]) == ["Deployment shop/api", "Deployment shop/web"]


def test_the_order_is_that_of_the_names() -> None:
    cluster = deployed()
    _restart(cluster, services=["web", "api"])
    assert cluster.calls == ["mark Deployment web", "mark Deployment api"]


def test_check_mode_changes_nothing() -> None:
    cluster = deployed()
    result = _restart(cluster, check=True, services=["api"])
    assert result["actions"] == ["restart Deployment shop/api (api)"]
    assert not cluster.calls


def test_one_that_fails_is_put_back_and_the_next_is_not_touched() -> None:
    cluster = deployed()
    _restart(cluster, services=["api"], restart_id="20261121T070000Z-000001")
    cluster.calls.clear()
    cluster.held.add("api")
    with pytest.raises(MainstayError) as caught:
        _restart(cluster)
    assert "it was put back" in caught.value.evidence[-1]
    assert cluster.calls == ["mark Deployment api", "mark Deployment api"]
    assert _mark(cluster, "api") == "20261121T070000Z-000001"
    assert _mark(cluster, "web") is None


def _stopped(cluster: StoresCluster) -> None:
    cluster.objects["deployments", "shop", "api"]["spec"]["replicas"] = 0


def test_what_has_no_pods_is_left_alone() -> None:
    cluster = deployed()
    _stopped(cluster)
    assert _restart(cluster)["actions"] == ["restart Deployment shop/web (web)"]


def _foreign(cluster: StoresCluster) -> None:
    found = cluster.objects["deployments", "shop", "api"]
    found["metadata"]["name"] = "theirs"
    cluster.objects["deployments", "shop", "theirs"] = found


def _fenced(cluster: StoresCluster) -> None:
    cluster.objects["configmaps", "shop", f"mainstay-{PLATFORM}"]["data"]["fence"] = "4"


def _denied(cluster: StoresCluster) -> None:
    cluster.denied.add(("patch", "deployments"))


@pytest.mark.parametrize(
    ("spoil", "more", "says"),
    [
        pytest.param(None, {"services": ["nope"]}, "no such services", id="unknown"),
        pytest.param(_foreign, {"services": ["theirs"]}, "no such services", id="foreign"),
        pytest.param(_fenced, {"fence": 3}, "does not hold the lock", id="lost lock"),
        pytest.param(_denied, {}, "patch deployments.apps in namespace shop", id="right"),
        pytest.param(None, {"services": ["Api"]}, "services: found 'Api'", id="name"),
        pytest.param(None, {"restart_id": "x"}, "restart_id: found 'x'", id="id"),
        pytest.param(None, {"namespace": "S"}, "namespace: found 'S'", id="namespace"),
        pytest.param(None, {"timeout": 0}, "timeout: found 0", id="timeout"),
    ],
)
def test_what_cannot_be_restarted_is_refused_before_any_change(
    spoil: Any, more: dict[str, Any], says: str
) -> None:
    cluster = deployed()
    if spoil:
        spoil(cluster)
    with pytest.raises(MainstayError) as caught:
        _restart(cluster, **more)
    assert says in str(caught.value)
    assert not cluster.calls
