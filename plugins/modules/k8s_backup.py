#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back up a platform in a Kubernetes cluster: its objects and the contents of its stores."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_backup
short_description: Back up objects and stores of a platform in a Kubernetes cluster
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Puts what the platform released, what there is of it now, and a dump of each store into a
    bucket, with a manifest of checksums that is written last. Every part is then read back, opened
    and compared; only then the backup counts as verified.
  - A dump is one moment of the store. The rows of PostgreSQL's tables are counted in the same
    snapshot, and a restore compares them.
  - Changes nothing in the cluster. What it needs there is to read, and C(pods/exec) for stores.
  - At the end, backups beyond the retention are removed. Only verified ones count for it, and the
    last good ones always stay.
extends_documentation_fragment:
  - mainstay.platform.kubernetes_auth
  - mainstay.platform.kubernetes_backup
  - mainstay.platform.kubernetes_backup.stores
requirements:
  - kubernetes, boto3 and cryptography (Python packages) where the module runs
attributes:
  check_mode:
    description: Checks everything and says what would be put away and removed.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
options:
  namespace:
    description: Namespace of the platform.
    type: str
    required: true
  state:
    description:
      - V(present) takes a backup, reads it back, and removes what the retention does not keep.
      - V(verified) reads O(backup), or all of them, back once more.
      - V(expired) only removes what the retention does not keep.
    type: str
    choices: [present, verified, expired]
    default: present
  backup:
    description: Label of the backup to verify.
    type: str
  secrets:
    description:
      - V(sealed) puts values of Secrets away, which needs O(encryption_key).
      - V(references) puts only their names away; a restore then finds the Secrets in the namespace,
        or refuses.
    type: str
    choices: [sealed, references]
    default: sealed
  retention:
    description: What stays. Periods are counted over those that have a verified backup.
    type: dict
    default: {}
    suboptions:
      daily:
        description: Days of which one stays.
        type: int
        default: 30
      weekly:
        description: Weeks of which one stays.
        type: int
        default: 8
      monthly:
        description: Months of which one stays.
        type: int
        default: 12
      yearly:
        description: Years of which one stays.
        type: int
        default: 0
      floor:
        description: Verified ones that always stay.
        type: int
        default: 2
  fence:
    description: Counter of the lock. A run with a lower one than the cluster has seen is refused.
    type: int
  timeout:
    description: Longest time for one dump, in seconds.
    type: float
    default: 3600.0
seealso:
  - module: mainstay.platform.k8s_backup_info
  - module: mainstay.platform.k8s_restore
notes:
  - A part lies on this machine on its way, sealed when O(encryption_key) is given.
"""

EXAMPLES = r"""
- name: Back up everything
  mainstay.platform.k8s_backup:
    platform: shop-production
    namespace: shop
    repository: &bucket
      bucket: shop-backups
      endpoint: s3.eu-central-1.amazonaws.com
      region: eu-central-1
      access_key: "{{ platform_secrets.s3_access_key }}"
      secret_key: "{{ platform_secrets.s3_secret_key }}"
    encryption_key: "{{ platform_secrets.backup_key }}"
    stores:
      - {name: orders, kind: postgres, username: shop, database: shop}
      - {name: cache, kind: redis}

- name: Back up objects, with only the names of Secrets
  mainstay.platform.k8s_backup:
    platform: shop-production
    namespace: shop
    repository: *bucket
    secrets: references

- name: Read all backups back
  mainstay.platform.k8s_backup:
    platform: shop-production
    namespace: shop
    state: verified
    repository: *bucket
    encryption_key: "{{ platform_secrets.backup_key }}"
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample:
    - back up 20 objects of namespace shop
    - dump postgres orders from Pod shop/orders-0 (postgres)
backup:
  description: The backup that was taken.
  type: dict
  returned: when O(state=present)
  sample:
    label: 20261121T020000Z-1a2b3c
    verified: true
    size: 1048576
    stores: [orders]
verified:
  description: Labels that were read back and found whole.
  type: list
  elements: str
  returned: when O(state=verified)
  sample: [20261121T020000Z-1a2b3c]
backups:
  description: All backups, as M(mainstay.platform.k8s_backup_info) returns them.
  type: list
  elements: dict
  returned: always
  sample: [{"label": "20261121T020000Z-1a2b3c", "verified": true, "age": 12.4, "size": 1048576}]
duration:
  description: Seconds the task took.
  type: float
  returned: always
  sample: 8.113
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import backup_take
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.arguments import AUTH
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_arguments import (  # noqa: E501
    BACKUP,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.pod_shell import (
    PodShell,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec={**AUTH, **BACKUP}, supports_check_mode=True)
    params, shell = module.params, PodShell(module.params)
    try:
        with connect(params) as cluster:
            result = backup_take.backup(params, cluster, shell, check=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
