#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a PostgreSQL cluster back to a moment, and prove it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_restore
short_description: Bring a PostgreSQL cluster back to a moment, and prove it
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Everything is checked before anything changes, and all problems are told at once. In check mode
    the plan is returned, with what would be lost and the predicted time.
  - The old data directory is renamed, never overwritten or removed. WAL that was not archived yet
    is saved and used.
  - It succeeds only when the target was reached, the server is out of recovery, writable, on a new
    timeline, and a segment of that timeline was seen in the repository.
  - Every step is written to a journal before it is done. After a kill at any instant the same task
    goes on, and O(state=undone) goes back to the old data directory.
options:
  state:
    description:
      - V(restored) restores.
      - V(undone) goes back to the data directory that the latest restore renamed.
      - V(settled) removes what that restore kept, so that it cannot be undone any more.
    type: str
    choices: [restored, undone, settled]
    default: restored
  target:
    description:
      - V(latest), or a time with its zone such as V(2026-11-20 14:03:00+00).
      - V(lsn:0/5000090), V(xid:1234), V(name:before-migration) for a restore point, or
        V(backup:20261121-020004F) for the end of one backup.
    type: str
    default: latest
  inclusive:
    description: Whether what happened exactly at the target is recovered.
    type: bool
    default: true
  backup:
    description: Start from this backup instead of the one that is chosen.
    type: str
  timeline:
    description: V(latest), V(current) or a number, to reach other histories of the cluster.
    type: str
    default: latest
  confirm:
    description:
      - The words V(restore-<platform>), V(undo-<platform>) or V(settle-<platform>) by O(state). Not
        asked for in check mode.
    type: str
  stop_running:
    description: A running server is refused unless this is true; it is stopped then.
    type: bool
    default: false
  new_host:
    description: Needed on a host that has never held this cluster.
    type: bool
    default: false
  save_tail:
    description: Save WAL that is not in the repository from the old data directory.
    type: bool
    default: true
  tablespace_map:
    description: New, empty directory of each tablespace, by name or number.
    type: dict
    default: {}
  jobs:
    description: Processes that copy at the same time.
    type: int
    default: 2
  checks:
    description: Queries afterwards, each with C(database), C(query) and the C(expect)ed text.
    type: list
    elements: dict
    default: []
  amcheck:
    description: Check the indexes and tables with C(pg_amcheck) after the restore.
    type: bool
    default: false
  archive_timeout:
    description: Longest time until the first new segment is seen in the repository, in seconds.
    type: float
    default: 60.0
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
  - module: mainstay.platform.postgres_backup
  - module: mainstay.platform.postgres_drill
"""

EXAMPLES = r"""
- name: Show what a restore would do and lose
  mainstay.platform.postgres_restore:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    target: "2026-11-20 14:03:00+00"
  check_mode: true
  register: planned

- name: Restore to the moment before a mistake
  mainstay.platform.postgres_restore:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    config_file: /etc/postgresql/17/main/postgresql.conf
    service: postgresql@17-main
    target: "2026-11-20 14:03:00+00"
    stop_running: true
    confirm: restore-shop-production

- name: Go back to what was there before
  mainstay.platform.postgres_restore:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    state: undone
    confirm: undo-shop-production

- name: Build the cluster on new infrastructure
  mainstay.platform.postgres_restore:
    platform: shop-production
    data_directory: /var/lib/postgresql/17/main
    new_host: true
    confirm: restore-shop-production
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample: ["restore backup 20261121-020004F to 2026-11-20T14:03:00+00:00"]
duration:
  description: Seconds.
  type: float
  returned: always
  sample: 63.9
restore:
  description: The plan, and after a run what is true; after a failure what is half done.
  type: dict
  returned: success, or failure once the journal was written
  contains:
    id:
      description: Id of the restore, a part of the names of what it keeps.
      type: str
      sample: 20261121T141530Z
    target:
      description: The target as it was understood.
      type: str
      sample: time 2026-11-20T14:03:00+00:00
    backup:
      description: Label of the backup.
      type: str
      sample: 20261120-020004F
    timeline:
      description: Timeline of the cluster now; in check mode the one that is followed.
      type: int
      sample: 2
    confirmation:
      description: The text that O(confirm) must have.
      type: str
      sample: restore-shop-production
    size:
      description: Bytes of the data directory that is made.
      type: int
      sample: 2147483648
    predicted:
      description: Predicted seconds by the latest drills; V(-1) when unknown.
      type: float
      sample: 312.0
    lost:
      description:
        - What is not there any more, up to the last sign of life of the old server, in words and
          numbers; C(-1) is unknown. In check mode what would be lost, without C(transactions).
      type: dict
      sample: {"text": "750.0 s; 81 transactions", "seconds": 750.0, "transactions": 81}
    not_kept:
      description: Settings and files of the old data directory that the restored one has otherwise.
      type: list
      elements: str
      sample: []
    where:
      description: In which directories the data is, after a failure.
      type: str
      sample: the data before is whole in /var/lib/postgresql/17/main.before-20261121T141530Z
    recovered_to:
      description: Time of the last transaction, last LSN and the heartbeat row, when there is one.
      type: dict
      sample: {"time": "2026-11-20T14:02:59.8Z", "lsn": "0/5000090", "heartbeat": null}
    archived_segment:
      description: The segment of the new timeline that was seen in the repository.
      type: str
      sample: "000000020000000000000005"
    old_directory:
      description: The renamed data directory; empty when there was none.
      type: str
      sample: /var/lib/postgresql/17/main.before-20261121T141530Z
    tail_directory:
      description: The saved WAL; empty when there was none.
      type: str
      sample: ""
    undone_directory:
      description: Where an undo has put what was restored; empty without one.
      type: str
      sample: ""
    phases:
      description: Seconds by step.
      type: dict
      sample: {"copy": 40.1, "recover": 12.8}
    needs_full:
      description: A new full backup has to be taken now.
      type: bool
      sample: true
error:
  description: What failed, as data.
  type: dict
  returned: failure
  sample: {"what": "the restore was refused", "subject": "db"}
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
    "state": {"type": "str", "choices": ["restored", "undone", "settled"], "default": "restored"},
    "target": {"type": "str", "default": "latest"},
    "inclusive": {"type": "bool", "default": True},
    "backup": {"type": "str"},
    "timeline": {"type": "str", "default": "latest"},
    "confirm": {"type": "str"},
    "stop_running": {"type": "bool", "default": False},
    "new_host": {"type": "bool", "default": False},
    "save_tail": {"type": "bool", "default": True},
    "tablespace_map": {"type": "dict", "default": {}},
    "jobs": {"type": "int", "default": 2},
    "checks": {"type": "list", "elements": "dict", "default": []},
    "amcheck": {"type": "bool", "default": False},
    "archive_timeout": {"type": "float", "default": 60.0},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = operate.restore(module.params, check=module.check_mode)
    except MainstayError as error:
        left = operate.unfinished(module.params)
        module.fail_json(msg=str(error), error=error.as_dict(), **left)
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
