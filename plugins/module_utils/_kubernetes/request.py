# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one call of k8s_release asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ready import (
    DEFAULT_KINDS,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.verdict import Rules


@dataclass(frozen=True)
class Request:
    """The module's arguments, decoded. C(manifests) never shows in a repr: they hold Secrets."""

    platform: str
    namespace: str
    release_id: str = ""
    state: str = "present"
    manifests: tuple[Any, ...] = field(default=(), repr=False)
    to: str = ""
    plan: str = ""
    fence: int = 0
    force: bool = False
    adopt: bool = False
    prune: bool = True
    prune_kinds: tuple[str, ...] = ()
    keep_warm: float = 0.0
    wait: bool = True
    wait_kinds: tuple[str, ...] = DEFAULT_KINDS
    wait_conditions: tuple[str, ...] = ()
    timeout: float = 300.0
    rules: Rules = field(default_factory=Rules)
    retain: int = 10


def request_from(params: Mapping[str, Any]) -> Request:
    """The module's parameters as a request."""
    patience = {k: v for k, v in (params.get("verdict") or {}).items() if v is not None}
    return Request(
        platform=params["platform"],
        namespace=params["namespace"],
        release_id=params.get("release_id") or "",
        state=params.get("state") or "present",
        manifests=tuple(params.get("manifests") or ()),
        to=params.get("to") or "",
        plan=params.get("plan") or "",
        fence=int(params.get("fence") or 0),
        force=bool(params.get("force")),
        adopt=bool(params.get("adopt")),
        prune=bool(params.get("prune", True)),
        prune_kinds=tuple(params.get("prune_kinds") or ()),
        keep_warm=float(params.get("keep_warm") or 0.0),
        wait=bool(params.get("wait", True)),
        wait_kinds=tuple(params.get("wait_kinds") or DEFAULT_KINDS),
        wait_conditions=tuple(params.get("wait_conditions") or ()),
        timeout=float(params.get("timeout") or 300.0),
        rules=Rules(**patience),
        retain=int(params.get("retain") or 0),
    )
