#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that backups can be restored, before somebody needs them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_verify
short_description: Prove that the backups of PostgreSQL are whole and that WAL really arrives
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Reads every file of the backups and every WAL segment again and compares checksums. pgBackRest's
    own verification ends with return code 0 on corruption and does not see missing segments.
  - Lists the gaps in the WAL of each timeline, and proves that the server archives by a segment
    that has to appear in the repository.
  - Fails when something critical is found. What is verified is remembered for the retention.
options:
  backups:
    description: V(newest), V(all), V(none), or labels.
    type: list
    elements: str
    default: [newest]
  wal:
    description: Read the WAL segments that the chosen backups need and all that came since.
    type: bool
    default: true
  prove_archiving:
    description:
      - Switch to a new WAL segment and wait until the finished one is seen in the repository. Not
        done in check mode.
    type: bool
    default: true
  archive_timeout:
    description: Longest time until it is seen, in seconds.
    type: float
    default: 60.0
  max_age:
    description: Seconds since the newest verified backup ended that are still fine.
    type: float
    default: 93600.0
  size_range:
    description:
      - Smallest and largest size of the newest full backup, as a part of the median of the ones
        before it, that is no anomaly.
    type: list
    elements: float
    default: [0.5, 2.0]
  objective_restore:
    description: Longest restore (recovery time objective), in seconds.
    type: float
    default: 1800.0
  metrics_file:
    description:
      - File for the textfile collector of node_exporter, its name ending in C(.prom). Written also
        when the verification fails.
    type: path
extends_documentation_fragment:
  - mainstay.platform.postgres
attributes:
  check_mode:
    description: Reads everything; switches no WAL segment and writes no record.
    support: full
  diff_mode:
    description: The actions are the difference.
    support: full
seealso:
  - module: mainstay.platform.postgres_drill
"""

EXAMPLES = r"""
- name: Verify the newest backup and the WAL since
  mainstay.platform.postgres_verify:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    metrics_file: /var/lib/prometheus/node-exporter/mainstay_backup_db.prom

- name: Read everything once a month
  mainstay.platform.postgres_verify:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    backups: [all]

- name: Only ask whether WAL arrives
  mainstay.platform.postgres_verify:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    backups: [none]
    wal: false
    archive_timeout: 20
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample: ["read 20261121-020004F again: 964 files, 21.9 MiB"]
duration:
  description: Seconds.
  type: float
  returned: always
  sample: 12.1
verification:
  description: What was found; also returned with a failure.
  type: dict
  returned: always
  contains:
    ok:
      description: Nothing critical was found.
      type: bool
      sample: true
    verified:
      description: Labels of the backups that are whole.
      type: list
      elements: str
      sample: ["20261121-020004F"]
    findings:
      description: What is wrong or strange. C(severity) is V(critical) or V(warning).
      type: list
      elements: dict
      sample:
        - severity: critical
          kind: wal_missing
          subject: "000000010000000000000007"
          found: no such segment in the repository
          expected: every segment between a backup and the newest one
          next_step: take a full backup now; moments behind this gap cannot be restored
    gaps:
      description: Missing WAL segments, as ranges.
      type: list
      elements: str
      sample: []
    archived_segment:
      description: The segment that proved the archiving.
      type: str
      sample: "00000001000000000000004A"
error:
  description: What failed, as data.
  type: dict
  returned: failure
  sample: {"what": "the backups are not fit for a restore", "subject": "db in local"}
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
    "backups": {"type": "list", "elements": "str", "default": ["newest"]},
    "wal": {"type": "bool", "default": True},
    "prove_archiving": {"type": "bool", "default": True},
    "archive_timeout": {"type": "float", "default": 60.0},
    "max_age": {"type": "float", "default": 93600.0},
    "size_range": {"type": "list", "elements": "float", "default": [0.5, 2.0]},
    "objective_restore": {"type": "float", "default": 1800.0},
    "metrics_file": {"type": "path"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result, failure = operate.verify(module.params, check=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    if failure:
        module.fail_json(msg=str(failure), error=failure.as_dict(), **result.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
