# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that all modules share which talk to the API of Kubernetes."""

from __future__ import annotations


class ModuleDocFragment:
    """Which cluster, and as whom."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - File that says which cluster and as whom, as C(kubectl) reads it, with certificates, tokens,
        C(exec) programs and proxies.
      - Without it the environment variable E(KUBECONFIG), then C(~/.kube/config), then the service
        account of the pod this runs in.
    type: path
  context:
    description: Context of the file; without it the current one.
    type: str
  api_url:
    description: Address of the API server; with it no file is read.
    type: str
  api_token:
    description: Token for O(api_url).
    type: str
  api_ca:
    description: File with the certificate authority of O(api_url).
    type: path
  request_timeout:
    description: Longest time for one request, in seconds.
    type: float
    default: 30.0
"""
