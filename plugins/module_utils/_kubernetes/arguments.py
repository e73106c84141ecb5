# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments of the modules that talk to the API of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.kinds import (
    IRREPLACEABLE,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ready import (
    DEFAULT_KINDS,
    KINDS,
)

AUTH: dict[str, Any] = {
    "kubeconfig": {"type": "path"},
    "context": {"type": "str"},
    "api_url": {"type": "str"},
    "api_token": {"type": "str", "no_log": True},
    "api_ca": {"type": "path"},
    "request_timeout": {"type": "float", "default": 30.0},
}
LEDGER: dict[str, Any] = {
    "backend": {"type": "str", "choices": ["files", "kubernetes"], "default": "files"},
    "namespace": {"type": "str"},
    "state_root": {"type": "path", "default": "/var/lib/mainstay"},
}
VERDICT: dict[str, Any] = {
    "crashes": {"type": "int", "default": 3},
    "image_grace": {"type": "float", "default": 15.0},
    "config_grace": {"type": "float", "default": 5.0},
    "schedule_grace": {"type": "float", "default": 30.0},
    "admission_grace": {"type": "float", "default": 5.0},
    "probe_grace": {"type": "float", "default": 60.0},
}
RELEASE: dict[str, Any] = {
    "platform": {"type": "str", "required": True},
    "release_id": {"type": "str"},
    "namespace": {"type": "str", "required": True},
    "state": {
        "type": "str",
        "choices": ["present", "rolled_back", "planned"],
        "default": "present",
    },
    "manifests": {"type": "list", "elements": "dict", "default": []},
    "to": {"type": "str"},
    "plan": {"type": "str"},
    "fence": {"type": "int", "default": 0},
    "force": {"type": "bool", "default": False},
    "adopt": {"type": "bool", "default": False},
    "prune": {"type": "bool", "default": True},
    "prune_kinds": {
        "type": "list",
        "elements": "str",
        "default": [],
        "choices": list(IRREPLACEABLE),
    },
    "keep_warm": {"type": "float", "default": 0.0},
    "wait": {"type": "bool", "default": True},
    "wait_kinds": {
        "type": "list",
        "elements": "str",
        "default": list(DEFAULT_KINDS),
        "choices": list(KINDS),
    },
    "wait_conditions": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 300.0},
    "verdict": {"type": "dict", "default": {}, "options": VERDICT},
    "retain": {"type": "int", "default": 10},
    "parallel": {"type": "int", "default": 16},
}


def invocation(params: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as results show them at C(-vvv): manifests hold Secrets, so only their number.

    Marking the argument C(no_log) would mask every word that stands in a manifest, wherever it
    stands in a result.
    """
    count = len(params.get("manifests") or ())
    return {"module_args": {**params, "manifests": f"{count} objects (not shown)"}}
