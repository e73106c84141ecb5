#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_probe
short_description: A prober that watches the edge through a switch
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Starts, marks, reads and stops a small process on the edge host that asks the edge at a fixed
    rate, open loop and without retries.
  - A request fails when it gets no answer or a status of 500 or more. The counts by phase are the
    proof of a release.
  - The process ends by itself after O(max_seconds). One that a killed run left behind is ended when
    the next one starts.
  - V(stopped) may be asked for again and returns the same proof.
options:
  platform:
    description: Name and stage of the platform, as in V(demo-production).
    type: str
    required: true
  release_id:
    description: The release that is watched.
    type: str
    required: true
  state:
    description:
      - V(started) starts it, V(marked) names a new phase, V(read) counts so far, V(stopped) ends it
        and counts.
    type: str
    choices: [started, marked, read, stopped]
    default: read
  phase:
    description:
      - Name of the phase that begins; V(before) when the prober starts.
      - Needed for O(state=marked).
    type: str
  rate:
    description: Requests a second, at most 200.
    type: float
    default: 20.0
  path:
    description: Path that is asked for.
    type: str
    default: /
  host:
    description: Host name that is asked for, also the name in the TLS handshake.
    type: str
    default: localhost
  address:
    description: Address to connect to.
    type: str
    default: 127.0.0.1
  port:
    description: Port to connect to.
    type: int
    default: 443
  tls:
    description: Whether the port speaks TLS; the certificate is not judged.
    type: bool
    default: true
  timeout:
    description: Seconds until the answer has to be whole.
    type: float
    default: 2.0
  slow_seconds:
    description: An answer that takes longer counts as slow.
    type: float
    default: 1.0
  max_seconds:
    description: Longest life of the process.
    type: float
    default: 1800.0
  state_root:
    description: Directory below which the collection keeps its state.
    type: path
    default: /var/lib/mainstay
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    description: Says what would be done.
  diff_mode:
    support: none
    description: There is no content to compare.
  platform:
    platforms: posix
    support: full
    description: Linux hosts.
"""

EXAMPLES = r"""
- name: Watch the front page
  mainstay.platform.release_probe:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    state: started
    host: demo.example.com

- name: The switch begins
  mainstay.platform.release_probe:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    state: marked
    phase: switch

- name: Count
  mainstay.platform.release_probe:
    platform: demo-production
    release_id: 20261121T061500Z-1a2b3c
    state: stopped
  register: probed
"""

RETURN = r"""
proof:
  description:
    - Requests, failed and slow ones, by phase and in all; times in seconds.
    - C(complete) is false when the prober was gone before it was stopped, so that what came later
      was not watched.
  returned: always
  type: dict
  sample:
    requests: 412
    failed: 0
    slow: 0
    complete: true
    first_failures: []
    phases:
      switch: {requests: 60, failed: 0, slow: 0, p50: 0.002, p95: 0.004, max: 0.01}
actions:
  description: What was done, as sentences.
  returned: always
  type: list
  elements: str
  sample: ["stop the prober"]
duration:
  description: Length of the work in seconds.
  returned: always
  type: float
  sample: 0.02
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.probing import change_probe


def argument_spec() -> dict[str, Any]:
    """Options of the module."""
    return {
        "platform": {"type": "str", "required": True},
        "release_id": {"type": "str", "required": True},
        "state": {
            "type": "str",
            "choices": ["started", "marked", "read", "stopped"],
            "default": "read",
        },
        "phase": {"type": "str"},
        "rate": {"type": "float", "default": 20.0},
        "path": {"type": "str", "default": "/"},
        "host": {"type": "str", "default": "localhost"},
        "address": {"type": "str", "default": "127.0.0.1"},
        "port": {"type": "int", "default": 443},
        "tls": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 2.0},
        "slow_seconds": {"type": "float", "default": 1.0},
        "max_seconds": {"type": "float", "default": 1800.0},
        "state_root": {"type": "path", "default": "/var/lib/mainstay"},
    }


def main() -> None:
    """Change the prober and report what it saw."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "marked", ("phase",))],
        supports_check_mode=True,
    )
    try:
        result = change_probe(module.params, check_mode=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
