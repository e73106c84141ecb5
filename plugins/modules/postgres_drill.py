#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore into a scratch place on purpose, and measure it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_drill
short_description: Restore PostgreSQL into a scratch place, check it, measure it, remove it
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Restores a backup beside the live cluster, recovers it to the target, runs the checks, and
    removes it again. The times are what later predictions of a restore are made of.
  - The scratch server listens on no network address, archives nothing, starts no replication, loads
    no preloaded library, and its checks run without any network where the kernel allows it.
options:
  scratch_directory:
    description: Directory for the drill. It must not exist, be in, or hold the live data directory.
    type: path
    required: true
  target:
    description:
      - As O(mainstay.platform.postgres_restore#module:target), or V(random) for a random second of
        the last day that can be restored.
    type: str
    default: latest
  backup:
    description: Start from this backup instead of the one that is chosen.
    type: str
  jobs:
    description: Processes that copy at the same time.
    type: int
    default: 2
  checks:
    description: Queries, each with C(database), C(query) and the C(expect)ed text.
    type: list
    elements: dict
    default: []
  amcheck:
    description: Check indexes and tables with C(pg_amcheck).
    type: bool
    default: true
  checksums:
    description: Check the data checksums of all pages when the cluster has them.
    type: bool
    default: true
  objective_restore:
    description: Longest restore (recovery time objective), in seconds.
    type: float
    default: 1800.0
  keep:
    description: Leave the scratch place, stopped, to look at.
    type: bool
    default: false
extends_documentation_fragment:
  - mainstay.platform.postgres
attributes:
  check_mode:
    description: Returns the plan and changes nothing.
    support: full
  diff_mode:
    description: The actions are the difference.
    support: full
seealso:
  - module: mainstay.platform.postgres_restore
"""

EXAMPLES = r"""
- name: Restore the newest backup up to now
  mainstay.platform.postgres_drill:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    scratch_directory: /var/lib/postgresql/drill

- name: Restore to a random second of the last day, and look at the data
  mainstay.platform.postgres_drill:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    scratch_directory: /var/lib/postgresql/drill
    target: random
    checks:
      - {database: shop, query: "select count(*) > 0 from orders", expect: t}

- name: Drill the second region
  mainstay.platform.postgres_drill:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    scratch_directory: /var/lib/postgresql/drill
    repository: {name: frankfurt, number: 2}
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample: ["restore backup 20261121-020004F into /var/lib/postgresql/drill"]
duration:
  description: Seconds.
  type: float
  returned: always
  sample: 58.2
drill:
  description: What was restored and how long it took.
  type: dict
  returned: always
  contains:
    ok:
      description: Everything held.
      type: bool
      sample: true
    target:
      description: The target as it was understood.
      type: str
      sample: latest
    backup:
      description: Label of the backup.
      type: str
      sample: 20261121-020004F
    size:
      description: Bytes that were restored.
      type: int
      sample: 2147483648
    phases:
      description: Seconds by step.
      type: dict
      sample: {"copy": 40.1, "recover": 12.8, "check": 5.3}
    seconds:
      description: Seconds of copying and recovering, what a restore takes.
      type: float
      sample: 52.9
    recovered_to:
      description: Time of the last transaction, last LSN and the heartbeat row, when there is one.
      type: dict
      sample: {"time": "2026-11-21T06:14:59.8Z", "lsn": "0/5000090", "heartbeat": null}
    checks:
      description: What each check found.
      type: list
      elements: dict
      sample: [{"check": "amcheck", "ok": true, "found": ""}]
    isolated:
      description: Whether the checks ran without any network.
      type: bool
      sample: true
error:
  description: What failed, as data.
  type: dict
  returned: failure
  sample: {"what": "the drill failed", "subject": "20261121-020004F"}
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
    "scratch_directory": {"type": "path", "required": True},
    "target": {"type": "str", "default": "latest"},
    "backup": {"type": "str"},
    "jobs": {"type": "int", "default": 2},
    "checks": {"type": "list", "elements": "dict", "default": []},
    "amcheck": {"type": "bool", "default": True},
    "checksums": {"type": "bool", "default": True},
    "objective_restore": {"type": "float", "default": 1800.0},
    "keep": {"type": "bool", "default": False},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = operate.drill(module.params, check=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
