#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_record
short_description: Write the record of a release
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Opens, extends or closes one entry of the ledger, a file on the first edge host.
  - An entry has a fixed set of keys, so that nothing arbitrary can land in it; see the guide of the
    ledger.
options:
  platform:
    description: Name and stage of the platform, as in V(demo-production).
    type: str
    required: true
  release_id:
    description: Id of the release.
    type: str
    required: true
  fence:
    description: Counter of the lock this run holds.
    type: int
    required: true
  state:
    description: V(started) opens the entry, V(running) adds to it, V(finished) closes it.
    type: str
    choices: [started, running, finished]
    default: running
  entry:
    description:
      - Parts of the entry. C(services) and C(proof) are merged key by key; C(steps), C(gates) and
        C(notes) are appended to;
        everything else is replaced.
    type: dict
    default: {}
  keep:
    description: How many entries stay. One that still serves or is referred to always stays.
    type: int
    default: 200
  unlock:
    description: With O(state=finished), also give the lock back, once the entry is closed.
    type: bool
    default: false
extends_documentation_fragment:
  - mainstay.platform.kubernetes_auth
  - mainstay.platform.ledger_backend
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    description: Returns the entry as it would be; writes nothing.
  diff_mode:
    support: none
    description: The entry itself is returned.
  platform:
    platforms: posix
    support: full
    description: Linux hosts.
"""

EXAMPLES = r"""
- name: Open the record
  mainstay.platform.release_record:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    fence: 12
    state: started
    entry: {kind: deploy, who: ada, strategy: rolling}

- name: Note that the new version serves
  mainstay.platform.release_record:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    fence: 12
    entry: {committed: true}

- name: Close the record, and let the next run begin
  mainstay.platform.release_record:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    fence: 12
    state: finished
    entry: {outcome: deployed}
    unlock: true
"""

RETURN = r"""
entry:
  description: The entry as it is now.
  returned: always
  type: dict
  sample:
    id: 20261121T061500Z-1a2b3c
    kind: deploy
    outcome: deployed
    committed: true
actions:
  description: What was done, as sentences.
  returned: always
  type: list
  elements: str
  sample: ["close the record of 20261121T061500Z-1a2b3c: deployed"]
duration:
  description: Length of the work in seconds.
  returned: always
  type: float
  sample: 0.004
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.arguments import (
    AUTH,
    LEDGER,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.backend import open_ledger
from ansible_collections.mainstay.platform.plugins.module_utils._release.recording import record


def argument_spec() -> dict[str, Any]:
    """Options of the module."""
    return {
        "platform": {"type": "str", "required": True},
        "release_id": {"type": "str", "required": True},
        "fence": {"type": "int", "required": True},
        "state": {
            "type": "str",
            "choices": ["started", "running", "finished"],
            "default": "running",
        },
        "entry": {"type": "dict", "default": {}},
        "keep": {"type": "int", "default": 200},
        "unlock": {"type": "bool", "default": False},
        **AUTH,
        **LEDGER,
    }


def main() -> None:
    """Write one entry."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        ledger = open_ledger(module.params)
        result = record(ledger, module.params, check_mode=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
