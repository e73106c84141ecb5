#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be restored, and how long it would take."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_backup_info
short_description: Tell what can be restored, up to when, and how long it would take
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Lists backups with what is known of their verification, the WAL of each timeline with its gaps,
    and the time a restore would take by the latest drills.
options:
  objective_restore:
    description: Longest restore (recovery time objective), in seconds, to compare with.
    type: float
    default: 1800.0
extends_documentation_fragment:
  - mainstay.platform.postgres
attributes:
  check_mode:
    description: Changes nothing in any case.
    support: full
seealso:
  - module: mainstay.platform.postgres_verify
"""

EXAMPLES = r"""
- name: Look at the backups
  mainstay.platform.postgres_backup_info:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
  register: observed

- name: Fail when nothing verified is younger than 26 hours
  ansible.builtin.assert:
    that: observed.backups.age_verified < 93600

- name: Look at the second region
  mainstay.platform.postgres_backup_info:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    repository: {name: frankfurt, number: 2}
"""

RETURN = r"""
backups:
  description: What the repository holds.
  type: dict
  returned: success
  contains:
    system_identifier:
      description: Identifier of the cluster, empty for an empty repository.
      type: str
      sample: "7710559220978378449"
    version:
      description: Major version of PostgreSQL.
      type: str
      sample: "17"
    list:
      description: The backups, oldest first.
      type: list
      elements: dict
      sample: [{"label": "20261121-020004F", "kind": "full", "verified": true}]
    gaps:
      description: WAL segments that are missing, as ranges.
      type: list
      elements: str
      sample: ["000000010000000000000007"]
    covered:
      description: Whether the newest full backup leads to the newest WAL; else one is due.
      type: bool
      sample: true
    newest_segment:
      description: The newest WAL segment.
      type: str
      sample: "00000001000000000000004A"
    age_verified:
      description: Seconds since the newest verified backup ended; V(-1) without one.
      type: float
      sample: 30123.4
    age_wal:
      description: Seconds since the newest WAL segment came; V(-1) without one.
      type: float
      sample: 21.0
    predicted_restore:
      description: Seconds a restore to the latest moment would take; V(-1) when it cannot be told.
      type: float
      sample: 312.0
    within_objective:
      description: Whether that is below 80 % of O(objective_restore); V(null) when unknown.
      type: bool
      sample: true
error:
  description: What failed, as data.
  type: dict
  returned: failure
  sample: {"what": "the engine did not answer", "subject": "pgbackrest"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import STATE_ROOT
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import operate
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.arguments import CLUSTER

ARGUMENTS = {
    **CLUSTER,
    "state_root": {"type": "path", "default": STATE_ROOT},
    "objective_restore": {"type": "float", "default": 1800.0},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = operate.info(module.params, check=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
