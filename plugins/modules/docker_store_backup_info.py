#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the dumps of a PostgreSQL that runs in Docker."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_store_backup_info
short_description: List the dumps of a PostgreSQL that runs in Docker
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Lists dumps with their size and when each was last read again, and what restores have put aside.
extends_documentation_fragment:
  - mainstay.platform.docker_store
attributes:
  check_mode:
    description: It changes nothing.
    support: full
  diff_mode:
    description: It changes nothing.
    support: full
seealso:
  - module: mainstay.platform.docker_store_backup
"""

EXAMPLES = r"""
- name: Look at the dumps
  mainstay.platform.docker_store_backup_info:
    platform: shop-production
    store: postgres
    directory: /var/backups/mainstay/shop-production/postgres

- name: With another superuser
  mainstay.platform.docker_store_backup_info:
    platform: shop-production
    store: postgres
    username: shop
    directory: /var/backups/mainstay/shop-production/postgres

- name: Fail when the newest verified dump is older than a day and an hour
  mainstay.platform.docker_store_backup_info:
    platform: shop-production
    store: postgres
    directory: /var/backups/mainstay/shop-production/postgres
  register: dumps
  failed_when: not 0 <= dumps.backups.age_verified <= 90000
"""

RETURN = r"""
actions:
  description: Nothing is done.
  type: list
  elements: str
  returned: always
  sample: []
duration:
  description: Seconds.
  type: float
  returned: always
  sample: 12.52
backups:
  description: The dumps and what goes with them.
  type: dict
  returned: always
  contains:
    list:
      description:
        - The dumps, the oldest first, as RV(mainstay.platform.docker_store_backup#module:backup).
      type: list
      elements: dict
    age_verified:
      description: Seconds since the newest verified dump began; -1 when there is none.
      type: float
      sample: 43210.5
    databases:
      description: Databases of the server.
      type: list
      elements: str
      sample: [postgres, shop]
    copies:
      description: Labels of the complete copies, by repository.
      type: dict
      sample: {"frankfurt": ["20261121T020004Z"]}
    silent:
      description: Why the copies of a repository are not known; empty for one that answers.
      type: dict
      sample: {"frankfurt": ""}
    restores:
      description: Restores, the newest last, each with the name that the data before it has now.
      type: list
      elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dumping
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_arguments import (
    STORE,
)
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_client import CliClient
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

ARGUMENTS = {
    **STORE,
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = dumping.info(module.params, CliClient())
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
