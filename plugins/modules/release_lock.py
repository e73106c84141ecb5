#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_lock
short_description: The lease that lets one run at a time change a platform
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Takes, renews and gives back the lock of a platform, a file on the first edge host.
  - A live lock of somebody else is refused with the holder, since when, and what it does.
  - An expired lock is taken over. So is one whose process on this same controller is gone, at once.
  - Every acquisition hands out a higher fencing counter; hosts refuse a run with a lower one.
  - Runs as an action plugin on the controller, which knows the process that holds the lock.
options:
  platform:
    description: Name and stage of the platform, as in V(demo-production).
    type: str
    required: true
  state:
    description: What to do with the lock.
    type: str
    choices: [acquired, renewed, released]
    default: acquired
  release_id:
    description: The release the lock is for.
    type: str
    required: true
  purpose:
    description: What the run does, for whoever is refused.
    type: str
    default: ""
  step:
    description: With O(state=renewed), what the run does now.
    type: str
    default: ""
  ttl:
    description: Seconds until the lease ends unless it is renewed.
    type: float
    default: 900
  fence:
    description: The counter of one's own lock, for O(state=renewed) and O(state=released).
    type: int
    default: 0
  holder:
    description: Who holds the lock; the action plugin fills it in.
    type: str
    default: ""
  controller:
    description: The process that holds the lock; the action plugin fills it in.
    type: dict
    default: {}
  takeover_of:
    description: Counter of a lock whose process is known to be gone; the action plugin fills it in.
    type: int
extends_documentation_fragment:
  - mainstay.platform.kubernetes_auth
  - mainstay.platform.ledger_backend
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    description: Says whether the lock could be taken; takes nothing.
  diff_mode:
    support: none
    description: A lock has no content to compare.
  platform:
    platforms: posix
    support: full
    description: Linux hosts.
"""

EXAMPLES = r"""
- name: Take the lock
  mainstay.platform.release_lock:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    purpose: deploy 2.4.1
  register: locked

- name: Say what goes on, and keep the lock
  mainstay.platform.release_lock:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    state: renewed
    step: switching edge1
    fence: "{{ locked.lock.fence }}"

- name: Give the lock back
  mainstay.platform.release_lock:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    state: released
    fence: "{{ locked.lock.fence }}"
"""

RETURN = r"""
lock:
  description: The lock as it is now.
  returned: always
  type: dict
  sample:
    holder: ada
    purpose: deploy 2.4.1
    fence: 12
    live: true
    taken_over_from: null
run:
  description: Who started the run, where, from which AWX job and which revision.
  returned: always
  type: dict
  sample: {"who": "ada", "controller": "laptop", "awx_job_id": null, "git_revision": "1a2b3c4d5e6f"}
actions:
  description: What was done, as sentences.
  returned: always
  type: list
  elements: str
  sample: ["take the lock for deploy 2.4.1 (counter 12)"]
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
from ansible_collections.mainstay.platform.plugins.module_utils._release.lock import LockHeld
from ansible_collections.mainstay.platform.plugins.module_utils._release.locking import change_lock


def argument_spec() -> dict[str, Any]:
    """Options of the module."""
    return {
        "platform": {"type": "str", "required": True},
        "state": {
            "type": "str",
            "choices": ["acquired", "renewed", "released"],
            "default": "acquired",
        },
        "release_id": {"type": "str", "required": True},
        "purpose": {"type": "str", "default": ""},
        "step": {"type": "str", "default": ""},
        "ttl": {"type": "float", "default": 900},
        "fence": {"type": "int", "default": 0},
        "holder": {"type": "str", "default": ""},
        "controller": {"type": "dict", "default": {}},
        "takeover_of": {"type": "int"},
        **AUTH,
        **LEDGER,
    }


def main() -> None:
    """Change the lock, or say who has it."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        ledger = open_ledger(module.params)
        result = change_lock(ledger, module.params, check_mode=module.check_mode)
    except LockHeld as held:
        module.fail_json(
            msg=str(held),
            error=held.as_dict(),
            held_fence=held.lease.fence,
            held_controller=vars(held.lease.controller),
        )
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
