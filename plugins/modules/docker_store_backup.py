#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dump a PostgreSQL that runs in Docker, verify its dumps, or expire old ones."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_store_backup
short_description: Dump a PostgreSQL that runs in Docker, verify its dumps, or expire old ones
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Dumps every database in the custom format, and the roles beside them, through the container. No
    password is needed and nothing is written inside the container.
  - A dump gets its name only when all of it is on the disk. It counts as verified once it was read
    again, its checksums are right and its table of contents is the one that was written.
  - What is not verified never lets anything else expire.
options:
  state:
    description:
      - V(taken) takes a dump, verifies it, and copies every verified dump to each of
        O(repositories) that does not have it.
      - V(verified) reads dumps again; a damaged one fails the task and is never restored, and so
        does one without a complete copy in each of O(repositories).
      - V(expired) removes what O(retention) does not keep, and copies by the same rules; the plan
        is RV(retention).
    type: str
    choices: [taken, verified, expired]
    default: taken
  databases:
    description:
      - Databases to dump; when empty, all that allow connections and that no restore put aside.
    type: list
    elements: str
    default: []
  labels:
    description: Dumps to read again with O(state=verified), V(latest) is one; all when empty.
    type: list
    elements: str
    default: []
  verify:
    description: Read the new dump again at once. One that was not is not copied either.
    type: bool
    default: true
  prove_restore:
    description: Restore each database under a name of its own, count its tables, and drop it again.
    type: bool
    default: false
  retention:
    description: How many periods are covered by a verified dump, for O(state=expired).
    type: dict
    default: {}
    suboptions:
      daily:
        description: Days; only days with a verified dump count.
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
        description: Verified dumps that always stay.
        type: int
        default: 2
extends_documentation_fragment:
  - mainstay.platform.docker_store
attributes:
  check_mode:
    description: Returns the same actions and changes nothing.
    support: full
  diff_mode:
    description: The actions are the difference.
    support: full
seealso:
  - module: mainstay.platform.docker_store_restore
  - module: mainstay.platform.postgres_backup
"""

EXAMPLES = r"""
- name: Dump a store and try the dump out
  mainstay.platform.docker_store_backup:
    platform: shop-production
    store: postgres
    username: shop
    directory: /var/backups/mainstay/shop-production/postgres
    prove_restore: true

- name: Read all dumps again
  mainstay.platform.docker_store_backup:
    platform: shop-production
    store: postgres
    directory: /var/backups/mainstay/shop-production/postgres
    state: verified

- name: Show what would expire
  mainstay.platform.docker_store_backup:
    platform: shop-production
    store: postgres
    directory: /var/backups/mainstay/shop-production/postgres
    state: expired
    retention: {daily: 30, weekly: 8, monthly: 12}
  check_mode: true
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample: ["dump the database shop of postgres"]
duration:
  description: Seconds.
  type: float
  returned: always
  sample: 12.52
backup:
  description: The dump, with O(state=taken).
  type: dict
  returned: when O(state=taken)
  sample:
    label: 20261121T020004Z
    kind: logical
    started: "2026-11-21T02:00:04Z"
    stopped: "2026-11-21T02:00:16Z"
    size: 715827882
    version: "17.5"
    databases: {shop: {entries: 214, tables: 31, size: 2147483648, owner: shop, encoding: UTF8}}
    verified: "2026-11-21T02:00:18Z"
verification:
  description: Each dump that was read, with O(state=verified).
  type: list
  elements: dict
  returned: when O(state=verified)
  sample: [{"label": "20261121T020004Z", "findings": []}]
retention:
  description: What stays and why, and what goes, with O(state=expired).
  type: dict
  returned: when O(state=expired)
  sample: {"kept": {"20261121T020004Z": ["last good"]}, "expired": [], "copies": {"frankfurt": []}}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dumping
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_arguments import (
    RETENTION,
    STORE,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_client import CliClient
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

ARGUMENTS = {
    **STORE,
    "state": {"type": "str", "choices": ["taken", "verified", "expired"], "default": "taken"},
    "databases": {"type": "list", "elements": "str", "default": []},
    "labels": {"type": "list", "elements": "str", "default": []},
    "verify": {"type": "bool", "default": True},
    "prove_restore": {"type": "bool", "default": False},
    "retention": {"type": "dict", "default": {}, "options": RETENTION},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = dumping.backup(module.params, CliClient(), check=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
