# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What results show of the arguments."""

from __future__ import annotations

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.arguments import (
    invocation,
)


def test_manifests_are_never_shown() -> None:
    """Not even at -vvv: they hold Secrets."""
    params = {"platform": "shop", "manifests": [{"kind": "Secret", "data": {"a": "Y2FuYXJ5"}}]}
    shown = invocation(params)
    assert "Y2FuYXJ5" not in str(shown)
    assert shown == {"module_args": {"platform": "shop", "manifests": "1 objects (not shown)"}}
