#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a platform has in a Kubernetes cluster, and which releases can be brought back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_release_info
short_description: What a platform has in a Kubernetes cluster, and its releases on record
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Returns the release that is there, an interrupted one, the objects of the platform with what
    each lacks to be ready, and all releases on record.
  - Changes nothing. Values of Secrets are never returned.
extends_documentation_fragment:
  - mainstay.platform.kubernetes_auth
requirements:
  - kubernetes (Python package, 24.2 or newer) where the module runs
attributes:
  check_mode:
    description: Changes nothing.
    support: full
options:
  platform:
    description: Id of the platform, V(<name>-<stage>).
    type: str
    required: true
  namespace:
    description: Namespace of the records.
    type: str
    required: true
  objects:
    description: Also look at each object of the platform.
    type: bool
    default: true
  release_id:
    description: A release on record whose manifests are returned too, with Secrets masked.
    type: str
seealso:
  - module: mainstay.platform.k8s_release
"""

EXAMPLES = r"""
- name: See what is there
  mainstay.platform.k8s_release_info:
    platform: shop-production
    namespace: shop
  register: shop

- name: List the releases that can be brought back
  mainstay.platform.k8s_release_info:
    platform: shop-production
    namespace: shop
    objects: false
  register: shop

- name: Look at what an earlier release was
  mainstay.platform.k8s_release_info:
    platform: shop-production
    namespace: shop
    release_id: 20261121T061500Z-1a2b3c
  register: earlier
"""

RETURN = r"""
platform:
  description: What the cluster says about the platform.
  returned: always
  type: dict
  contains:
    current:
      description: The release that is there; empty when there is none.
      type: str
      sample: 20261121T061500Z-1a2b3c
    phase:
      description:
        - V(deployed), V(applied), V(failed), or V(applying) while a release is at work and after
          one was interrupted.
      type: str
      sample: deployed
    working:
      description: The release that is at work or was interrupted.
      type: str
      sample: ""
    fence:
      description: Highest counter of the lock that the cluster has seen.
      type: int
      sample: 7
    objects:
      description: Objects of the platform.
      type: list
      elements: dict
      sample:
        - {"kind": "Deployment", "namespace": "shop", "name": "api", "ready": true, "missing": ""}
    unready:
      description: Sentences about what is not ready or not there.
      type: list
      elements: str
      sample: ["Deployment shop/api: availableReplicas 1 of 3"]
    releases:
      description: Releases on record, newest first.
      type: list
      elements: dict
      sample:
        - {"release_id": "20261121T061500Z-1a2b3c", "outcome": "deployed", "objects": 20}
    manifests:
      description: Those of O(release_id), with Secrets masked.
      type: list
      elements: dict
      sample: []
duration:
  description: Seconds the task took.
  returned: always
  type: float
  sample: 0.041
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import info
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.arguments import AUTH
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

ARGUMENTS = {
    "platform": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "objects": {"type": "bool", "default": True},
    "release_id": {"type": "str"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec={**AUTH, **ARGUMENTS}, supports_check_mode=True)
    try:
        with connect(module.params) as client:
            result = info.look(module.params, client)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
