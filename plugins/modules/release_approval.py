#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_approval
short_description: Wait for the approval of a release, or give it
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - The question and its answer stand in the ledger's entry of the release, so whoever reaches the
    platform can answer, from any controller. Nobody is asked on the terminal of the run.
  - With O(state=awaited) the task asks, prints every few seconds how long it still waits and what
    to type, and ends with a verdict like M(mainstay.platform.gate). A yes passes, a no fails,
    silence until O(timeout) could not decide.
  - With O(state=answered) the answer is written. It is refused when that release does not wait,
    when its run shows no sign of life, and when O(by) may not answer.
  - Runs as an action plugin on the controller, which knows who answers. That is the user of AWX, or
    the one of the operating system; whoever can log in to the host of the ledger as root can write
    anything.
options:
  platform:
    description: Name and stage of the platform, as in V(demo-production).
    type: str
    required: true
  release_id:
    description: Id of the release.
    type: str
    required: true
  state:
    description:
      - V(awaited) asks and waits, V(answered) answers. V(asked) and V(withdrawn) are the parts of
        the wait that the action plugin uses.
    type: str
    choices: [asked, awaited, withdrawn, answered]
    default: awaited
  name:
    description: Name of the approval. May be left out with O(state=answered).
    type: str
    default: ""
  after:
    description: Step after which it is asked.
    type: str
    default: staged
  timeout:
    description: Seconds until silence ends the wait.
    type: float
    default: 1800
  approvers:
    description: Names of users who may answer, and C(@group) for groups of the operating system;
      empty means anybody.
    type: list
    elements: str
    default: []
  other_person:
    description: Whether who started the release may not approve it.
    type: bool
    default: false
  text:
    description: What whoever answers should look at.
    type: str
    default: ""
  fence:
    description: Counter of the lock that the run that asks holds.
    type: int
    default: 0
  look:
    description: Seconds for which one look stays at the ledger; the action plugin fills it in.
    type: float
    default: 0
  answer:
    description: With O(state=answered), whether the release goes on.
    type: bool
  reason:
    description: With O(state=answered), why.
    type: str
    default: ""
  by:
    description: Who answers; the action plugin fills it in.
    type: str
    default: ""
  groups:
    description: Groups of the operating system that O(by) is in; the action plugin fills it in.
    type: list
    elements: str
    default: []
  command:
    description: With O(state=awaited), what is printed as the command to type.
    type: str
    default: ""
extends_documentation_fragment:
  - mainstay.platform.kubernetes_auth
  - mainstay.platform.ledger_backend
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    description: Says whether the answer would be taken; a wait is skipped.
  diff_mode:
    support: none
    description: The question itself is returned.
  platform:
    platforms: posix
    support: full
    description: Linux hosts.
"""

EXAMPLES = r"""
- name: Wait for the release manager
  mainstay.platform.release_approval:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    fence: 12
    name: go-live
    approvers: [ada, "@release-managers"]
    timeout: 3600

- name: Let the release go on
  mainstay.platform.release_approval:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    state: answered
    answer: true
    reason: the numbers of the canary are good

- name: Send it back
  mainstay.platform.release_approval:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    state: answered
    answer: false
    reason: the search is empty
"""

RETURN = r"""
approval:
  description: The question as it stands now.
  returned: always
  type: dict
  sample:
    name: go-live
    after: staged
    state: approved
    by: ada
    reason: the numbers of the canary are good
gate:
  description: The verdict, as M(mainstay.platform.gate) returns it.
  returned: with O(state=awaited)
  type: dict
  sample: {"name": "go-live", "kind": "approval", "outcome": "passed"}
release:
  description: Id of the release.
  returned: always
  type: str
  sample: 20261121T061500Z-1a2b3c
actions:
  description: What was done, as sentences.
  returned: always
  type: list
  elements: str
  sample: ["approval go-live of release 20261121T061500Z-1a2b3c: approved by ada"]
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
from ansible_collections.mainstay.platform.plugins.module_utils._release.approving import (
    change_approval,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.backend import open_ledger


def argument_spec() -> dict[str, Any]:
    """Options of the module."""
    return {
        "platform": {"type": "str", "required": True},
        "release_id": {"type": "str", "required": True},
        "state": {
            "type": "str",
            "choices": ["asked", "awaited", "withdrawn", "answered"],
            "default": "awaited",
        },
        "name": {"type": "str", "default": ""},
        "after": {"type": "str", "default": "staged"},
        "timeout": {"type": "float", "default": 1800},
        "approvers": {"type": "list", "elements": "str", "default": []},
        "other_person": {"type": "bool", "default": False},
        "text": {"type": "str", "default": ""},
        "fence": {"type": "int", "default": 0},
        "look": {"type": "float", "default": 0},
        "answer": {"type": "bool"},
        "reason": {"type": "str", "default": ""},
        "by": {"type": "str", "default": ""},
        "groups": {"type": "list", "elements": "str", "default": []},
        "command": {"type": "str", "default": ""},
        **AUTH,
        **LEDGER,
    }


def main() -> None:
    """Ask, look, or answer."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "answered", ("answer",))],
        supports_check_mode=True,
    )
    try:
        ledger = open_ledger(module.params)
        result = change_approval(ledger, module.params, check_mode=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
