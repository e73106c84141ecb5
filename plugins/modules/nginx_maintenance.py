#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the maintenance page of a platform, or stop showing it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_maintenance
short_description: Show the maintenance page of a platform, or stop showing it
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Every request to a service is answered with 503, C(Retry-After) and the maintenance page, until
    it is switched off. Requests under way are finished, no connection is closed.
  - Clients with the bypass header or from a bypass address pass, see C(platform_edge.maintenance).
  - The switch is kept over restarts of Nginx.
requirements:
  - a host made an edge by P(mainstay.platform.nginx#role)
attributes:
  check_mode:
    description: Tells what would change and changes nothing.
    support: full
  diff_mode:
    description: Shows the switch before and after.
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
  state:
    description: Whether the page is shown.
    type: str
    choices: ["on", "off"]
    required: true
  timeout:
    description: Longest wait in seconds for all workers.
    type: float
    default: 10.0
  accept_stopped:
    description:
      - When Nginx does not run, leave the switch for its next start instead of failing.
      - For the way back, which an edge that serves nobody must not hold up.
    type: bool
    default: false
  control_socket:
    description: Socket of the edge; another one is for tests.
    type: path
    default: /run/mainstay-edge/control.sock
  state_root:
    description: Directory in which the switch is kept; another one is for tests.
    type: path
    default: /var/lib/mainstay
seealso:
  - module: mainstay.platform.nginx_upstream
"""

EXAMPLES = r"""
- name: Take the platform out of service
  mainstay.platform.nginx_maintenance:
    platform: shop-production
    fence: 7
    state: "on"

- name: Put it back into service
  mainstay.platform.nginx_maintenance:
    platform: shop-production
    fence: 7
    state: "off"

- name: See whether the page is shown
  mainstay.platform.nginx_maintenance:
    platform: shop-production
    fence: 7
    state: "off"
  check_mode: true
  register: page
"""

RETURN = r"""
maintenance:
  description: The switch.
  type: dict
  returned: success
  contains:
    "on":
      description: Whether the page is shown.
      type: bool
      sample: true
    generation:
      description: Number of changes of the edge since Nginx was started.
      type: int
      sample: 13
actions:
  description: What was done, or would be in check mode.
  type: list
  elements: str
  returned: success
  sample: [show the maintenance page]
duration:
  description: Seconds it took.
  type: float
  returned: success
  sample: 0.15
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import maintenance
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
    "state": {"type": "str", "choices": ["on", "off"], "required": True},
    "timeout": {"type": "float", "default": 10.0},
    "accept_stopped": {"type": "bool", "default": False},
    "control_socket": {"type": "path", "default": CONTROL_SOCKET},
    "state_root": {"type": "path", "default": STATE_ROOT},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        request = maintenance.request_from(module.params, check=module.check_mode)
        result = maintenance.apply(request, SocketControl(module.params["control_socket"]))
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
