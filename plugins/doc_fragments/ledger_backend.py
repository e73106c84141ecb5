# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that read and write the lock and the ledger."""

from __future__ import annotations


class ModuleDocFragment:
    """Where they are kept."""

    DOCUMENTATION = r"""
options:
  backend:
    description:
      - V(files) keeps lock and ledger below O(state_root) on the host.
      - V(kubernetes) keeps them in the cluster, as a Lease and ConfigMaps in O(namespace). It needs
        the Python package kubernetes where the module runs. The other options say which cluster.
    type: str
    choices: [files, kubernetes]
    default: files
  namespace:
    description: With O(backend=kubernetes), the namespace of the platform.
    type: str
  state_root:
    description: With O(backend=files), directory below which the collection keeps its state.
    type: path
    default: /var/lib/mainstay
"""
