#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore a database of a PostgreSQL that runs in Docker, or go back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_store_restore
short_description: Restore a database of a PostgreSQL that runs in Docker, or go back
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Restores one database of a dump under a new name, compares it with the dump, and only then lets
    it take the name of the present one, in one transaction. The data of before stays under another
    name.
  - The dump is read and compared before anything is made. A run that was killed is put right by the
    next one; the database that serves is never half restored.
options:
  state:
    description:
      - V(restored) restores O(database) of O(label).
      - V(undone) lets the data of before serve again; what was restored stays under another name.
      - V(settled) drops what restores have put aside.
    type: str
    choices: [restored, undone, settled]
    default: restored
  label:
    description:
      - The dump, or V(latest) for the newest verified one. One that is not on the host is fetched
        from O(repositories).
    type: str
    default: latest
  database:
    description: The database; the first of the dump when it is not given.
    type: str
    default: ""
  confirm:
    description:
      - V(restore-<platform>), V(undo-<platform>) or V(settle-<platform>); not asked in check mode.
    type: str
    default: ""
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
  - module: mainstay.platform.docker_store_backup
"""

EXAMPLES = r"""
- name: Show how the newest dump would come back
  mainstay.platform.docker_store_restore:
    platform: shop-production
    store: postgres
    username: shop
    directory: /var/backups/mainstay/shop-production/postgres
    database: shop
  check_mode: true

- name: Restore it
  mainstay.platform.docker_store_restore:
    platform: shop-production
    store: postgres
    username: shop
    directory: /var/backups/mainstay/shop-production/postgres
    database: shop
    confirm: restore-shop-production

- name: Go back to the data of before
  mainstay.platform.docker_store_restore:
    platform: shop-production
    store: postgres
    username: shop
    directory: /var/backups/mainstay/shop-production/postgres
    state: undone
    confirm: undo-shop-production
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample: ["restore shop of 20261121T020004Z as shop__new_20261121t091500, beside the present one"]
duration:
  description: Seconds.
  type: float
  returned: always
  sample: 12.52
restore:
  description: What was restored, or would be.
  type: dict
  returned: always
  contains:
    label:
      description: The dump.
      type: str
      sample: 20261121T020004Z
    database:
      description: The database.
      type: str
      sample: shop
    old_database:
      description: Where the data of before is; empty when there was none.
      type: str
      sample: shop__old_20261121t091500
    recovered_to:
      description: The moment whose data it is.
      type: str
      sample: "2026-11-21T02:00:04Z"
    lost:
      description: What was written after that, in seconds and as a sentence.
      type: dict
    tables:
      description: Tables that were restored and counted.
      type: int
      sample: 31
    confirmation:
      description: The words to type.
      type: str
      sample: restore-shop-production
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dump_restoring
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_arguments import (
    STORE,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_client import CliClient
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

ARGUMENTS = {
    **STORE,
    "state": {"type": "str", "choices": ["restored", "undone", "settled"], "default": "restored"},
    "label": {"type": "str", "default": "latest"},
    "database": {"type": "str", "default": ""},
    "confirm": {"type": "str", "default": ""},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = dump_restoring.restore(module.params, CliClient(), check=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
