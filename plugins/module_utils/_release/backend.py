# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where lock and ledger are: files on a host, or objects in a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Union

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Ledger

if TYPE_CHECKING:
    from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ledger import (
        ClusterLedger,
    )

FILES, KUBERNETES = "files", "kubernetes"


def open_ledger(params: Mapping[str, Any]) -> Union[Ledger, ClusterLedger]:
    """The ledger that the arguments C(backend), C(namespace) and C(state_root) name."""
    if params.get("backend") != KUBERNETES:
        return Ledger(params["platform"], params["state_root"])
    if not params.get("namespace"):
        raise MainstayError(
            "the ledger in a cluster needs a namespace",
            subject="namespace",
            expected="the namespace of the platform",
        )
    # Only now: what speaks to a cluster takes several times as long to load as everything else, and
    # hosts of a platform without one load this file as well, at every task.
    from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import (
        connect,
        ledger,
    )

    return ledger.ClusterLedger(connect.connect(params), params["platform"], params["namespace"])
