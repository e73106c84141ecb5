#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the edge sends requests, and how each release answers them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_upstream_info
short_description: Tell where the edge sends requests and how each release answers
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Reads members, open requests and the edge's own figures by service and release.
  - The figures need no monitoring system, so a canary can be judged on any platform.
requirements:
  - a host made an edge by P(mainstay.platform.nginx#role)
attributes:
  check_mode:
    description: Changes nothing in any case.
    support: full
options:
  platform:
    description: Id of the platform, V(<name>-<stage>).
    type: str
    required: true
  since:
    description:
      - Count RV(edge.statistics) from the change of members with this generation on, one of the
        latest 16; V(0) counts from the start of Nginx.
      - The default is the latest change.
    type: int
  before_setup:
    description:
      - Answer as an edge without members when the host is no edge yet, instead of failing.
      - For check mode, where the role P(mainstay.platform.nginx#role) would have made it one.
    type: bool
    default: false
  control_socket:
    description: Socket of the edge; another one is for tests.
    type: path
    default: /run/mainstay-edge/control.sock
seealso:
  - module: mainstay.platform.nginx_upstream
"""

EXAMPLES = r"""
- name: Look at the edge
  mainstay.platform.nginx_upstream_info:
    platform: shop-production
  register: observed

- name: Fail when the new release answers with errors
  ansible.builtin.assert:
    that: observed.edge.statistics.api['20261121T081500Z-4d5e6f'].failed == 0

- name: Look at the figures since the edge was started
  mainstay.platform.nginx_upstream_info:
    platform: shop-production
    since: 0
"""

RETURN = r"""
edge:
  description: What the edge does.
  type: dict
  returned: success
  contains:
    generation:
      description: Number of changes since Nginx was started.
      type: int
      sample: 12
    mark:
      description: Generation of the latest change of members; give it as O(since) later on.
      type: int
      sample: 11
    upstreams:
      description: The members by service, as P(mainstay.platform.nginx_upstream#module) takes them.
      type: dict
      sample: {"api": {"groups": [], "sticky": null, "preview": null}}
    active:
      description: Open requests and sockets by member.
      type: dict
      sample: {"10.0.0.11:20002": 3}
    statistics:
      description:
        - Figures by service and release. RV(ignore:failed) counts answers of 500 and above and
          requests that got no answer; quantiles are in seconds, at most a quarter too high, and
          V(null) without requests.
      type: dict
      sample:
        api:
          20261121T081500Z-4d5e6f: {requests: 240, failed: 0, p50: 0.003, p95: 0.018, p99: 0.03}
    maintenance:
      description: Whether the maintenance page is shown.
      type: bool
      sample: false
    nginx:
      description: Version of Nginx.
      type: str
      sample: 1.26.3
    settled:
      description: Whether every worker chooses by the latest members.
      type: bool
      sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import upstream
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.client import (
    CONTROL_SOCKET,
    SocketControl,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    AbsentError,
    MainstayError,
)

ARGUMENTS = {
    "platform": {"type": "str", "required": True},
    "since": {"type": "int"},
    "before_setup": {"type": "bool", "default": False},
    "control_socket": {"type": "path", "default": CONTROL_SOCKET},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    control = SocketControl(module.params["control_socket"])
    try:
        edge = upstream.info(module.params["platform"], control, module.params["since"])
    except AbsentError as error:
        if not module.params["before_setup"]:
            module.fail_json(msg=str(error), error=error.as_dict())
        edge = upstream.info_before_setup()
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(changed=False, edge=edge)


if __name__ == "__main__":
    main()
