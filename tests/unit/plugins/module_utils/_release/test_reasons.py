# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a service changes, and what scaling leaves as it is."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Platform,
    Service,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.reasons import (
    keep_versions,
    reasons_of,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.strategies import Placement

PLATFORM = Platform(
    "demo", "production", "demo.test", services=(Service("api", "r/api", "1.0.0", port=3000),)
)
BEFORE = {"api": Placement("r1", {"app1": ("10.0.0.1:20001",), "app2": ("10.0.0.2:20001",)})}
CURRENT = {"services": {"api": {"state": "current", "reason": ""}}}


def container(origin: str, kind: str = "service") -> dict[str, Any]:
    return {"service": "api", "kind": kind, "origin": origin, "replica": 2}


def changed(reason: str) -> dict[str, Any]:
    return {"services": {"api": {"state": "changed", "reason": reason}}}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param({"services": {}, "containers": []}, None, id="never lived there"),
        pytest.param(
            {"services": {}, "containers": [container("r1")]},
            "app2: replicas on this host: 2 -> none",
            id="lives there and is not described there any more",
        ),
        pytest.param(
            {"services": {}, "containers": [container("r0")]},
            None,
            id="an older one, kept warm",
        ),
        pytest.param(
            {"services": {}, "containers": [container("r1", "migration")]},
            None,
            id="a migration that ran",
        ),
        pytest.param(
            {"services": {"api": {"state": "absent", "reason": "no container"}}},
            "app2: no container",
            id="shall live there and does not yet",
        ),
        pytest.param(
            {
                "services": {
                    "api": {"state": "changed", "reason": "replicas on this host: 2 -> 2,4"}
                }
            },
            "app2: replicas on this host: 2 -> 2,4",
            id="one more on the same host",
        ),
    ],
)
def test_a_changed_number_of_replicas_is_a_reason(
    facts: dict[str, Any], reason: Optional[str]
) -> None:
    found = reasons_of(PLATFORM, {"app1": CURRENT, "app2": facts}, BEFORE, ())
    assert found == ({"api": reason} if reason else {})


def serving(**entry: Any) -> dict[str, Any]:
    return {"services": {"api": entry}}


@pytest.mark.parametrize(
    ("current", "run", "version", "digest"),
    [
        pytest.param(None, {"replicas": {"api": 3}}, "1.0.0", None, id="nothing serves yet"),
        pytest.param(
            serving(version="1.1.0", digest="sha256:1"),
            {"replicas": {"api": 3}},
            "1.1.0",
            None,
            id="an earlier run gave another version",
        ),
        pytest.param(
            serving(version="", digest="sha256:1"),
            {"replicas": {"api": 3}},
            "",
            "sha256:1",
            id="an earlier run gave a digest",
        ),
        pytest.param(
            serving(version="1.1.0"),
            {"replicas": {"api": 3}, "versions": {"api": "1.0.0"}},
            "1.0.0",
            None,
            id="a version in the same run wins",
        ),
        pytest.param(
            serving(version="1.1.0"),
            {"replicas": {"api": 3}, "version": "1.0.0"},
            "1.0.0",
            None,
            id="a version for all in the same run wins",
        ),
        pytest.param(
            serving(version="1.1.0"), {"replicas": {"web": 3}}, "1.0.0", None, id="another service"
        ),
    ],
)
def test_what_is_only_scaled_keeps_its_version(
    current: Optional[dict[str, Any]], run: dict[str, Any], version: str, digest: Optional[str]
) -> None:
    service = keep_versions(PLATFORM, current, run).service("api")
    assert (service.version, service.digest) == (version, digest)
