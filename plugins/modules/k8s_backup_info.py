#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the backups of a platform in a Kubernetes cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_backup_info
short_description: List the backups of a platform in a Kubernetes cluster
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Returns every backup with age, size, and whether it was read back and found whole; also those
    that cannot be used, with what is wrong.
  - Asks the bucket only, so it works when the cluster is gone. Changes nothing.
extends_documentation_fragment:
  - mainstay.platform.kubernetes_backup
requirements:
  - boto3 (Python package) where the module runs
attributes:
  check_mode:
    description: Changes nothing.
    support: full
options:
  max_age:
    description: Seconds; RV(too_old) says whether the newest verified backup is older.
    type: float
  request_timeout:
    description: Longest time for one request, in seconds.
    type: float
    default: 30.0
seealso:
  - module: mainstay.platform.k8s_backup
"""

EXAMPLES = r"""
- name: See what there is
  mainstay.platform.k8s_backup_info:
    platform: shop-production
    repository: &bucket
      bucket: shop-backups
      region: eu-central-1
  register: shop

- name: Alarm when the newest verified backup is older than 26 hours
  mainstay.platform.k8s_backup_info:
    platform: shop-production
    repository: *bucket
    max_age: 93600
  register: shop
  failed_when: shop is failed or shop.too_old

- name: Look into a server of one's own
  mainstay.platform.k8s_backup_info:
    platform: shop-production
    repository:
      bucket: backups
      endpoint: s3.example.com
      path_style: true
      ca: /etc/ssl/private-ca.pem
"""

RETURN = r"""
backups:
  description: Newest first. Ages are seconds, sizes bytes in the bucket.
  type: list
  elements: dict
  returned: always
  sample:
    - label: 20261121T020000Z-1a2b3c
      verified: true
      verified_at: "2026-11-21T02:00:09Z"
      finished: "2026-11-21T02:00:07Z"
      age: 3600.0
      size: 1048576
      sealed: true
      secrets: sealed
      namespace: shop
      release_id: 20261120T060000Z-0000aa
      stores: [orders]
      left_out: []
      problem: ""
newest_age:
  description: Seconds since the newest verified one; nothing when there is none.
  type: float
  returned: always
  sample: 3600.0
too_old:
  description: With O(max_age), whether that is too long ago.
  type: bool
  returned: always
  sample: false
duration:
  description: Seconds the task took.
  type: float
  returned: always
  sample: 0.121
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import backup_take
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_arguments import (  # noqa: E501
    INFO,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=INFO, supports_check_mode=True)
    try:
        result = backup_take.look(module.params)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
