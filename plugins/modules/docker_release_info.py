#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one Docker host runs, and how it differs from the description."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_release_info
short_description: Tell what a Docker host runs and how it differs from the description
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Lists the containers of a platform, the journal of the host, and for each described service and
    store whether it is absent, current or changed, with the reason.
  - The reason names fields; it never shows a value of the environment or of a secret.
requirements:
  - python3-docker (the C(docker) SDK, 5.0 or newer) on the host
attributes:
  check_mode:
    description: Changes nothing in any case.
    support: full
options:
  platform:
    description: Id of the platform, V(<name>-<stage>).
    type: str
    required: true
  services:
    description: What this host shall run, from P(mainstay.platform.docker_services#filter).
    type: list
    elements: dict
    default: []
  stores:
    description: Stores this host shall run, from P(mainstay.platform.docker_stores#filter).
    type: list
    elements: dict
    default: []
  secrets:
    description: Values by name, to tell whether one of them changed.
    type: dict
    default: {}
  address:
    description: Private address of the host; the one in the journal when it is not given.
    type: str
  expected:
    description:
      - >-
        The release each service should be served by, as in
        V({"api": "20261121T061500Z-1a2b3c"}); RV(host.unhealthy) is about these.
      - By default what the journal of the host says.
    type: dict
    default: {}
  before_setup:
    description:
      - Answer as a host that runs nothing when there is no Docker Engine yet, instead of failing.
      - For check mode, where P(mainstay.platform.docker_host#role) would have installed it.
    type: bool
    default: false
  state_root:
    description: Directory of the journal; another one is for tests.
    type: path
    default: /var/lib/mainstay
seealso:
  - module: mainstay.platform.docker_release
"""

EXAMPLES = r"""
- name: Look at the containers
  mainstay.platform.docker_release_info:
    platform: shop-production
  register: observed

- name: Compare with the description
  mainstay.platform.docker_release_info:
    platform: shop-production
    services: "{{ platform | mainstay.platform.docker_services('app1', ['app1', 'app2']) }}"
    secrets: "{{ platform_secrets }}"
  register: observed

- name: Say what would be replaced
  ansible.builtin.debug:
    msg: "{{ observed.host.services | dict2items | rejectattr('value.state', 'eq', 'current') }}"
"""

RETURN = r"""
host:
  description: What the host runs.
  type: dict
  returned: always
  contains:
    address:
      description: Private address of the host.
      type: str
      sample: 10.0.0.11
    containers:
      description: All containers of the platform.
      type: list
      elements: dict
      sample: [{"name": "shop-production-api-1-1a2b3c", "service": "api", "state": "running"}]
    journal:
      description: The latest release on this host, and whether a run was interrupted.
      type: dict
      sample: {"release_id": "20261121T061500Z-1a2b3c", "phase": "finished", "unfinished": false}
    services:
      description: State of each described service, V(absent), V(current) or V(changed).
      type: dict
      sample: {"api": {"state": "changed", "reason": "env LOG_LEVEL"}}
    stores:
      description: State of each described store.
      type: dict
      sample: {"cache": {"state": "current", "reason": ""}}
    unhealthy:
      description: Containers that should serve and do not.
      type: list
      elements: str
      sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._docker import engine
from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import SdkClient
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    AbsentError,
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import STATE_ROOT

ARGUMENTS = {
    "platform": {"type": "str", "required": True},
    "services": {"type": "list", "elements": "dict", "default": []},
    "stores": {"type": "list", "elements": "dict", "default": []},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "address": {"type": "str"},
    "expected": {"type": "dict", "default": {}},
    "before_setup": {"type": "bool", "default": False},
    "state_root": {"type": "path", "default": STATE_ROOT},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        host = engine.info(module.params, SdkClient())
    except AbsentError as error:
        if not module.params["before_setup"]:
            module.fail_json(msg=str(error), error=error.as_dict())
        host = engine.info_before_setup(module.params)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(changed=False, host=host)


if __name__ == "__main__":
    main()
