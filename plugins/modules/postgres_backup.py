#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take, mark or expire backups of a PostgreSQL cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_backup
short_description: Take a backup of PostgreSQL, mark a restore point, or expire old backups
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - A backup is read again and its checksums are compared before it counts as verified. What is not
    verified never lets anything else expire.
  - Nothing is taken while the repository belongs to another cluster (system identifier).
options:
  state:
    description:
      - V(taken) takes a backup of O(type) and verifies it.
      - V(marked) makes a named restore point and waits until its WAL is seen in the repository.
      - V(revived) makes what a bucket held at O(moment) its content again, after somebody deleted
        or overwrote it. The bucket needs versions, the keys only have to write.
      - V(expired) removes what O(retention) does not keep; the plan is RV(retention).
    type: str
    choices: [taken, marked, expired, revived]
    default: taken
  type:
    description:
      - Kind of backup. V(diff) and V(incr) need O(engine=pgbackrest).
      - V(logical) is a dump of each database in directory format, with the roles and tablespaces of
        the cluster, in O(repository.path), checked by listing it.
    type: str
    choices: [full, diff, incr, logical]
    default: full
  databases:
    description: Databases for O(type=logical); all that allow connections when empty.
    type: list
    elements: str
    default: []
  jobs:
    description: Processes that copy or dump at the same time.
    type: int
    default: 2
  verify:
    description: Read the new backup again at once.
    type: bool
    default: true
  prove_restore:
    description:
      - With O(type=logical), restore each dumped database under a name of its own, count its
        tables, and drop it again.
    type: bool
    default: false
  point:
    description: Name of the restore point, for O(state=marked).
    type: str
  moment:
    description: The moment for O(state=revived), with its time zone.
    type: str
  archive_timeout:
    description: Longest time until a WAL segment is seen in the repository, in seconds.
    type: float
    default: 60.0
  retention:
    description: How many periods are covered by a verified backup, for O(state=expired).
    type: dict
    default: {}
    suboptions:
      daily:
        description: Days; only days with a verified backup count.
        type: int
        default: 30
      weekly:
        description: Weeks.
        type: int
        default: 8
      monthly:
        description: Months.
        type: int
        default: 12
      yearly:
        description: Years.
        type: int
        default: 0
      floor:
        description: Verified full backups that always stay.
        type: int
        default: 2
      wal_days:
        description: Days back to which any moment can be restored.
        type: int
        default: 30
extends_documentation_fragment:
  - mainstay.platform.postgres
attributes:
  check_mode:
    description: Returns the same actions and changes nothing.
    support: full
  diff_mode:
    description: The actions are the difference.
    support: full
seealso:
  - module: mainstay.platform.postgres_verify
  - module: mainstay.platform.postgres_restore
"""

EXAMPLES = r"""
- name: Take the daily full backup
  mainstay.platform.postgres_backup:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    type: full

- name: Mark the moment before a migration
  mainstay.platform.postgres_backup:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    state: marked
    point: before-20261121T061500Z-1a2b3c

- name: Show what would expire
  mainstay.platform.postgres_backup:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    state: expired
    retention: {daily: 30, weekly: 8, monthly: 12}
  check_mode: true

- name: Bring back what was deleted from the bucket
  mainstay.platform.postgres_backup:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    repository: {name: frankfurt, number: 2}
    state: revived
    moment: "2026-11-20 14:03:00+00"

- name: Dump two databases
  mainstay.platform.postgres_backup:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    type: logical
    databases: [orders, customers]
    prove_restore: true
    repository: {name: dumps, path: /var/backups/mainstay}
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample: ["take a full backup of db into local"]
duration:
  description: Seconds.
  type: float
  returned: always
  sample: 41.52
backup:
  description: The backup, with O(state=taken).
  type: dict
  returned: when O(state=taken)
  sample:
    label: 20261121-020004F
    kind: full
    started: "2026-11-21T02:00:04Z"
    stopped: "2026-11-21T02:00:41Z"
    size: 2147483648
    repository_size: 715827882
    wal_start: "000000010000000000000042"
    wal_stop: "000000010000000000000043"
    timeline: 1
    verified: true
restore_point:
  description: The restore point, with O(state=marked), and the segment that is in the repository.
  type: dict
  returned: when O(state=marked)
  sample: {"name": "before-migration", "lsn": "0/5000090", "segment": "000000010000000000000005"}
retention:
  description: What stays and why, and what goes, with O(state=expired).
  type: dict
  returned: when O(state=expired)
  sample:
    kept: {"20261121-020004F": ["last good", "day 2026-11-21"]}
    expired: ["20261001-020003F"]
revived:
  description: What was brought back, with O(state=revived).
  type: dict
  returned: when O(state=revived)
  sample: {"moment": "2026-11-20T14:03:00Z", "files": 1009}
error:
  description: What failed, as data.
  type: dict
  returned: failure
  sample: {"what": "the repository belongs to another cluster", "subject": "local"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import STATE_ROOT
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import operate
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.arguments import CLUSTER

RETENTION = {
    "daily": {"type": "int", "default": 30},
    "weekly": {"type": "int", "default": 8},
    "monthly": {"type": "int", "default": 12},
    "yearly": {"type": "int", "default": 0},
    "floor": {"type": "int", "default": 2},
    "wal_days": {"type": "int", "default": 30},
}
ARGUMENTS = {
    **CLUSTER,
    "state_root": {"type": "path", "default": STATE_ROOT},
    "state": {
        "type": "str",
        "choices": ["taken", "marked", "expired", "revived"],
        "default": "taken",
    },
    "type": {"type": "str", "choices": ["full", "diff", "incr", "logical"], "default": "full"},
    "databases": {"type": "list", "elements": "str", "default": []},
    "jobs": {"type": "int", "default": 2},
    "verify": {"type": "bool", "default": True},
    "prove_restore": {"type": "bool", "default": False},
    "point": {"type": "str"},
    "moment": {"type": "str"},
    "archive_timeout": {"type": "float", "default": 60.0},
    "retention": {"type": "dict", "default": {}, "options": RETENTION},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_if=[("state", "marked", ["point"]), ("state", "revived", ["moment"])],
    )
    try:
        result = operate.backup(module.params, check=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
