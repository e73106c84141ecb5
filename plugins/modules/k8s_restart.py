#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart services of a platform in a Kubernetes cluster without a gap."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_restart
short_description: Restart services of a platform in a Kubernetes cluster
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Gives the named services new pods, one service after the other, as their own strategy says
    (O(mainstay.platform.k8s_release#module:manifests)), and watches until they are ready.
  - When new pods fail, the verdict is told with its evidence, and the service is put back. Its pods
    of before never stopped serving.
extends_documentation_fragment:
  - mainstay.platform.kubernetes_auth
requirements:
  - kubernetes (Python package, 24.2 or newer) where the module runs
attributes:
  check_mode:
    description: Checks everything and says what would be restarted.
    support: full
  diff_mode:
    description: Nothing that is described changes.
    support: none
options:
  platform:
    description: Id of the platform, V(<name>-<stage>).
    type: str
    required: true
  namespace:
    description: Namespace of the platform.
    type: str
    required: true
  services:
    description: What is restarted, in this order. Without it all services, and no store.
    type: list
    elements: str
    default: []
  restart_id:
    description: Id of this restart, as C(20261121T061500Z-1a2b3c).
    type: str
    required: true
  fence:
    description: Counter of the lock that this run holds.
    type: int
    default: 0
  timeout:
    description: Longest time for each service, in seconds.
    type: float
    default: 300.0
"""

EXAMPLES = r"""
- name: Restart all services
  mainstay.platform.k8s_restart:
    platform: shop-production
    namespace: shop
    restart_id: 20261121T061500Z-1a2b3c
    fence: 12

- name: Restart one
  mainstay.platform.k8s_restart:
    platform: shop-production
    namespace: shop
    restart_id: 20261121T061500Z-1a2b3c
    services: [api]
    fence: 12

- name: See what would be restarted
  mainstay.platform.k8s_restart:
    platform: shop-production
    namespace: shop
    restart_id: 20261121T061500Z-1a2b3c
    fence: 12
  check_mode: true
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample: ["restart Deployment shop/api (api)"]
restart:
  description: C(ready) holds the seconds that each workload took.
  type: dict
  returned: always
  sample: {"id": "20261121T061500Z-1a2b3c", "ready": {"Deployment shop/api": 4.2}}
duration:
  description: Seconds the task took.
  type: float
  returned: always
  sample: 4.311
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import restart
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.arguments import AUTH
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_arguments import (  # noqa: E501
    RESTART,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec={**AUTH, **RESTART}, supports_check_mode=True)
    try:
        with connect(module.params) as cluster:
            result = restart.restart(module.params, cluster, check=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
