#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Read the ledger of releases
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Lists the releases of a platform, newest first, with what serves now, what was interrupted and
    who holds the lock.
  - A ledger file that cannot be read is named in RV(ledger_warnings) and passed over.
  - Runs as an action plugin on the controller, which evaluates O(query) and knows whether the
    holder of the lock is gone.
options:
  platform:
    description: Name and stage of the platform, as in V(demo-production).
    type: str
    required: true
  release_id:
    description: Only this release.
    type: str
  outcome:
    description: Only releases with one of these outcomes.
    type: list
    elements: str
    choices:
      - running
      - deployed
      - rolled_back
      - held
      - refused
      - restored
      - undone
      - switched
      - rejoined
      - backed_up
      - drilled
      - incomplete
      - failed
  kind:
    description: Only releases of one of these kinds.
    type: list
    elements: str
    choices: [deploy, rollback, maintenance, restore, undo, failover, rejoin, backup, drill]
  since:
    description:
      - Only releases started at or after this time, ISO 8601 with a zone, as in
        V(2026-11-21T06:00:00+01:00); without one it is UTC.
    type: str
  until:
    description: Only releases started at or before this time, written like O(since).
    type: str
  limit:
    description: At most so many of the newest.
    type: int
  query:
    description: A JMESPath expression evaluated over RV(releases); its value is RV(answer).
    type: str
requirements:
  - jmespath on the controller, for O(query)
extends_documentation_fragment:
  - mainstay.platform.kubernetes_auth
  - mainstay.platform.ledger_backend
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    description: Changes nothing.
  diff_mode:
    support: none
    description: Changes nothing.
  platform:
    platforms: posix
    support: full
    description: Linux hosts.
"""

EXAMPLES = r"""
- name: What serves now
  mainstay.platform.release_info:
    platform: demo-production
    limit: 5
  register: ledger

- name: What was rolled back this week
  mainstay.platform.release_info:
    platform: demo-production
    outcome: [rolled_back]
    since: "2026-11-16T00:00:00+01:00"

- name: Who deployed which version of the api
  mainstay.platform.release_info:
    platform: demo-production
    query: "[?kind=='deploy'].{who: who, version: services.api.version}"
"""

RETURN = r"""
releases:
  description: Matching entries, newest first.
  returned: always
  type: list
  elements: dict
  sample: [{"id": "20261121T061500Z-1a2b3c", "kind": "deploy", "outcome": "deployed"}]
current:
  description: The entry that describes what serves now, or nothing.
  returned: always
  type: dict
  sample: {"id": "20261121T061500Z-1a2b3c", "services": {"api": {"version": "2.4.1"}}}
interrupted:
  description: The newest entry still open although no live lock belongs to it, or nothing.
  returned: always
  type: dict
  sample: null
lock:
  description: The lock; C(live) says whether somebody holds it.
  returned: always
  type: dict
  sample: {"fence": 12, "live": false}
ledger_warnings:
  description: Files of the ledger that could not be read.
  returned: always
  type: list
  elements: str
  sample: []
answer:
  description: Value of O(query).
  returned: when O(query) is given
  type: raw
  sample: [{"who": "ada", "version": "2.4.1"}]
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
from ansible_collections.mainstay.platform.plugins.module_utils._release.entry import (
    KINDS,
    OUTCOMES,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.recording import ask


def argument_spec() -> dict[str, Any]:
    """Options of the module."""
    return {
        "platform": {"type": "str", "required": True},
        "release_id": {"type": "str"},
        "outcome": {"type": "list", "elements": "str", "choices": list(OUTCOMES)},
        "kind": {"type": "list", "elements": "str", "choices": list(KINDS)},
        "since": {"type": "str"},
        "until": {"type": "str"},
        "limit": {"type": "int"},
        "query": {"type": "str"},
        **AUTH,
        **LEDGER,
    }


def main() -> None:
    """Read the ledger."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        ledger = open_ledger(module.params)
        facts = ask(ledger, module.params)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    for warning in facts["ledger_warnings"]:
        module.warn(warning)
    module.exit_json(changed=False, **facts)


if __name__ == "__main__":
    main()
