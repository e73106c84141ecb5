#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say where the edge sends requests, with no reload."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_upstream
short_description: Say where the edge sends requests, with no reload
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Replaces the members of all services of the edge at once and waits until every Nginx worker
    chooses by them. No connection of a client is closed.
  - Writes the members to a file first, so that a restart of Nginx finds them.
  - Can then wait until no request and no socket is open to members that have left.
requirements:
  - a host made an edge by P(mainstay.platform.nginx#role)
attributes:
  check_mode:
    description: Tells what would change and changes nothing; it does not wait for a drain.
    support: full
  diff_mode:
    description: Shows groups, shares and members before and after.
    support: full
options:
  platform:
    description: Id of the platform, V(<name>-<stage>).
    type: str
    required: true
  fence:
    description: Fencing counter of the lock this run holds; a lower one than seen is refused.
    type: int
    required: true
  upstreams:
    description:
      - All services of the edge, by name; a service that is not named gets no requests any more.
      - Each has RV(ignore:groups), and optionally RV(ignore:sticky) and RV(ignore:preview).
      - A group has C(release), C(share) (relative to the other groups; V(0) is reached by preview
        only) and C(members), each with C(address) (numeric, with port) and C(weight).
      - C(sticky) has C(cookie) and C(max_age) in seconds; clients then stay with a group, and
        when the share of the newer release grows, those who have it keep it.
      - C(preview) has C(header) and C(release); requests whose header is V(next) or the id of a
        release go to that group.
    type: dict
    required: true
  drain:
    description: Wait for the end of what is open to members that are in no group any more.
    type: dict
    suboptions:
      members:
        description: Addresses of the members.
        type: list
        elements: str
        required: true
      timeout:
        description: Longest wait in seconds; RV(edge.drained) then is V(false).
        type: float
        default: 30.0
  timeout:
    description: Longest wait in seconds for all workers to choose by the new members.
    type: float
    default: 10.0
  accept_stopped:
    description:
      - When Nginx does not run, leave the members for its next start instead of failing.
      - For the way back of a release, which an edge that serves nobody must not hold up.
    type: bool
    default: false
  control_socket:
    description: Socket of the edge; another one is for tests.
    type: path
    default: /run/mainstay-edge/control.sock
  state_root:
    description: Directory of the state file; another one is for tests.
    type: path
    default: /var/lib/mainstay
seealso:
  - module: mainstay.platform.nginx_upstream_info
  - module: mainstay.platform.nginx_config
"""

EXAMPLES = r"""
- name: Send all requests to one release
  mainstay.platform.nginx_upstream:
    platform: shop-production
    fence: 7
    upstreams:
      api:
        groups:
          - release: 20261121T061500Z-1a2b3c
            share: 100
            members:
              - address: 10.0.0.11:20001
              - address: 10.0.0.12:20001

- name: Give a tenth of the clients the new release, and keep them there
  mainstay.platform.nginx_upstream:
    platform: shop-production
    fence: 7
    upstreams:
      api:
        groups:
          - release: 20261121T061500Z-1a2b3c
            share: 90
            members: [{address: "10.0.0.11:20001"}]
          - release: 20261121T081500Z-4d5e6f
            share: 10
            members: [{address: "10.0.0.11:20002"}]
        sticky: {cookie: mainstay_api, max_age: 3600}
        preview: {header: X-Mainstay-Preview, release: 20261121T081500Z-4d5e6f}

- name: Finish the switch and wait for open requests of the old release
  mainstay.platform.nginx_upstream:
    platform: shop-production
    fence: 7
    upstreams:
      api:
        groups:
          - release: 20261121T081500Z-4d5e6f
            share: 100
            members: [{address: "10.0.0.11:20002"}]
    drain:
      members: ["10.0.0.11:20001"]
      timeout: 30
  register: switched
"""

RETURN = r"""
edge:
  description: What the edge does now.
  type: dict
  returned: success
  contains:
    generation:
      description: Number of changes since Nginx was started.
      type: int
      sample: 12
    upstreams:
      description: The members, as given, with all keys.
      type: dict
      sample:
        api:
          groups:
            - release: 20261121T081500Z-4d5e6f
              share: 100.0
              members: [{address: "10.0.0.11:20002", weight: 1}]
          sticky: null
          preview: null
    active:
      description: Open requests and sockets by member.
      type: dict
      sample: {"10.0.0.11:20002": 3}
    drained:
      description: Whether nothing is open to the members of O(drain.members).
      type: bool
      sample: true
actions:
  description: What was done, or would be in check mode.
  type: list
  elements: str
  returned: success
  sample: ["start sending requests to api: 100 % to 20261121T081500Z-4d5e6f (1)"]
duration:
  description: Seconds it took.
  type: float
  returned: success
  sample: 0.21
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import upstream
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.client import (
    CONTROL_SOCKET,
    SocketControl,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import STATE_ROOT

ARGUMENTS = {
    "platform": {"type": "str", "required": True},
    "fence": {"type": "int", "required": True},
    "upstreams": {"type": "dict", "required": True},
    "drain": {
        "type": "dict",
        "options": {
            "members": {"type": "list", "elements": "str", "required": True},
            "timeout": {"type": "float", "default": 30.0},
        },
    },
    "timeout": {"type": "float", "default": 10.0},
    "accept_stopped": {"type": "bool", "default": False},
    "control_socket": {"type": "path", "default": CONTROL_SOCKET},
    "state_root": {"type": "path", "default": STATE_ROOT},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        request = upstream.request_from(module.params, check=module.check_mode)
        result = upstream.apply(request, SocketControl(module.params["control_socket"]))
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
