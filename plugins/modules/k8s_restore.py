#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore objects and stores of a platform into a Kubernetes cluster, and go back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_restore
short_description: Restore objects and stores of a platform into a Kubernetes cluster
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Fetches all that is needed, checks and opens it, and looks at the stores, before anything is
    changed. Then the platform's Deployments go to zero and its CronJobs are suspended, each store
    is filled beside its present data, swapped and compared, and the programs come back.
  - The present data is never removed. PostgreSQL keeps it as a database
    V(<database>_before_<restore>), Redis as a directory V(mainstay-before-<restore>) beside it.
    O(state=undone) swaps back.
  - With O(objects) the objects come back as a release of their own, and
    O(mainstay.platform.k8s_release#module:state=rolled_back) brings those of before back. It works
    into an empty cluster, and into another namespace.
  - A run that was interrupted is taken up by the next one, or undone.
extends_documentation_fragment:
  - mainstay.platform.kubernetes_auth
  - mainstay.platform.kubernetes_backup
  - mainstay.platform.kubernetes_backup.stores
requirements:
  - kubernetes, boto3 and cryptography (Python packages) where the module runs
attributes:
  check_mode:
    description: Fetches and checks everything, and returns the plan.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
options:
  namespace:
    description: Where it is restored; another one than that of the backup is fine.
    type: str
    required: true
  state:
    description: V(undone) goes back to the data before the latest restore.
    type: str
    choices: [present, undone]
    default: present
  backup:
    description: Label of the backup; the newest verified one without it.
    type: str
  restore_id:
    description: Id of this restore, as C(20261121T061500Z-1a2b3c).
    type: str
    required: true
  objects:
    description: Also restore the objects.
    type: bool
    default: false
  checks:
    description:
      - Queries that must answer true in a restored database.
      - The data before serves again otherwise.
    type: list
    elements: dict
    default: []
    suboptions:
      store:
        description: Name of the store.
        type: str
        required: true
      sql:
        description: The query.
        type: str
        required: true
  confirm:
    description: Must be V(restore-<platform>), or V(undo-<platform>). Not asked in check mode.
    type: str
  fence:
    description: Counter of the lock that this run holds.
    type: int
    default: 0
  timeout:
    description: Longest time for each long step, in seconds.
    type: float
    default: 3600.0
seealso:
  - module: mainstay.platform.k8s_backup
  - module: mainstay.platform.k8s_backup_info
notes:
  - What is fetched lies on this machine while it is restored, sealed when the backup is.
  - Roles of PostgreSQL that are not there are made; those that are keep their passwords.
"""

EXAMPLES = r"""
- name: See the plan
  mainstay.platform.k8s_restore: &restore
    platform: shop-production
    namespace: shop
    restore_id: 20261121T061500Z-1a2b3c
    repository:
      bucket: shop-backups
      region: eu-central-1
    encryption_key: "{{ platform_secrets.backup_key }}"
    stores:
      - {name: orders, kind: postgres, username: shop, database: shop}
  check_mode: true
  register: planned

- name: Restore the newest verified backup
  mainstay.platform.k8s_restore:
    <<: *restore
    fence: 12
    confirm: restore-shop-production
    checks:
      - {store: orders, sql: "select count(*) > 1000 from orders"}

- name: Go back to the data before
  mainstay.platform.k8s_restore:
    <<: *restore
    state: undone
    fence: 13
    confirm: undo-shop-production
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample:
    - let Deployment api rest
    - restore the database shop of orders; the present one is kept as shop_before_x
restore:
  description: What was restored.
  type: dict
  returned: always
  contains:
    id:
      description: The restore.
      type: str
      sample: 20261121T061500Z-1a2b3c
    backup:
      description: The backup it came from.
      type: str
      sample: 20261121T020000Z-1a2b3c
    taken:
      description: When that was taken; everything written since is not in it.
      type: str
      sample: "2026-11-21T02:00:07Z"
    phase:
      description: V(planned), V(restored) or V(undone).
      type: str
      sample: restored
    confirmation:
      description: What O(confirm) must be.
      type: str
      sample: restore-shop-production
    checks:
      description: What was compared afterwards.
      type: list
      elements: str
      sample: ["orders: 120000 rows of 14 tables as in the backup"]
    kept:
      description: Where the data before is, by store.
      type: dict
      sample: {"orders": "shop_before_20261121t061500z_1a2b3c"}
    release_before:
      description: The release that was there before.
      type: str
      sample: 20261120T060000Z-0000aa
duration:
  description: Seconds the task took.
  type: float
  returned: always
  sample: 21.402
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import restore_run
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.arguments import AUTH
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_arguments import (  # noqa: E501
    RESTORE,
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
    module = AnsibleModule(argument_spec={**AUTH, **RESTORE}, supports_check_mode=True)
    params, shell = module.params, PodShell(module.params)
    try:
        with connect(params) as cluster:
            result = restore_run.restore(params, cluster, shell, check=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
