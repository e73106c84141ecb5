#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage, switch, finish and take back a release on one Docker host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_release
short_description: Stage, switch, finish or take back a release on a Docker host
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - One task does one step of a release for all services and replicas of a host at once.
  - Every step is written to a journal on the host before it is done. After a kill at any instant,
    any state brings the host back to a known release.
  - Containers are made beside the ones that serve and get a host port for life, bound to
    O(address) only. Moving traffic is the work of M(mainstay.platform.nginx_upstream).
  - Volumes are never removed, stores are never recreated unless O(recreate_stores) names them.
  - Containers run as the described user, without capabilities, with a read-only root file system,
    limits, an init process and rotated logs.
requirements:
  - python3-docker (the C(docker) SDK, 5.0 or newer) on the host
attributes:
  check_mode:
    description: Returns the same actions and changes nothing.
    support: full
  diff_mode:
    description: The actions are the difference.
    support: full
options:
  platform:
    description: Id of the platform, V(<name>-<stage>).
    type: str
    required: true
  release_id:
    description: Id of the release this step belongs to.
    type: str
    required: true
  fence:
    description:
      - Counter of the lock. A run with a lower counter than this host has seen is refused.
    type: int
    required: true
  state:
    description:
      - V(staged) pulls images by digest, makes and starts containers beside the old ones and waits
        until they are healthy. Workers are made and not started. Absent stores are created.
      - V(migrated) runs the migration of each service that has one, once for a release.
      - V(switched) replaces workers one by one.
      - V(finished) keeps what O(keep) does not name warm, then stops it, and removes what is older
        than O(retain) releases.
      - V(reverted) removes what the release made, and everything that interrupted releases left.
    type: str
    required: true
    choices: [staged, migrated, switched, finished, reverted]
  services:
    description: What this host runs, from P(mainstay.platform.docker_services#filter).
    type: list
    elements: dict
    default: []
  from_releases:
    description:
      - Service to the release whose containers are started again instead of making new ones.
      - Removed containers are made again from the journal and the local image, with no registry.
    type: dict
    default: {}
  stores:
    description: Stores on this host, from P(mainstay.platform.docker_stores#filter).
    type: list
    elements: dict
    default: []
  secrets:
    description:
      - Values by name. They are given to containers as files, or as variables where asked.
    type: dict
    default: {}
  registries:
    description: Registries with a login; their C(password) is the name of a secret.
    type: list
    elements: dict
    default: []
  address:
    description: The only address of this host on which ports are published.
    type: str
    default: 127.0.0.1
  port_range:
    description: First and last host port for containers.
    type: str
    default: 20000-29999
  timeout:
    description: Longest time for the whole step, in seconds.
    type: float
    default: 300.0
  keep:
    description: Service to the release that must go on serving.
    type: dict
    default: {}
  keep_warm:
    description:
      - With O(state=finished), seconds that replaced containers keep running. V(0) stops them at
        once.
      - A timer of systemd stops them. Without systemd they run until the next release.
    type: float
    default: 600.0
  retain:
    description: With O(state=finished), earlier releases of each service whose containers stay.
    type: int
    default: 3
  recreate_stores:
    description:
      - Stores that may be made again, with the same volume, because their description changed.
    type: list
    elements: str
    default: []
  state_root:
    description: Directory of the journal; another one is for tests.
    type: path
    default: /var/lib/mainstay
seealso:
  - module: mainstay.platform.docker_release_info
  - module: mainstay.platform.nginx_upstream
"""

EXAMPLES = r"""
- name: Stage the new version beside the old one
  mainstay.platform.docker_release:
    platform: shop-production
    release_id: 20261121T061500Z-1a2b3c
    fence: 7
    state: staged
    services: "{{ specs }}"
    secrets: "{{ platform_secrets }}"
    address: "{{ platform_address }}"
    keep: {api: 20261120T090000Z-aa11bb}
  register: staged

- name: Keep the old version for ten minutes, then let it go
  mainstay.platform.docker_release:
    platform: shop-production
    release_id: 20261121T061500Z-1a2b3c
    fence: 7
    state: finished
    keep: {api: 20261121T061500Z-1a2b3c}
    keep_warm: 600

- name: Go back to containers of an earlier release, without a registry
  mainstay.platform.docker_release:
    platform: shop-production
    release_id: 20261121T070000Z-9d8e7f
    fence: 8
    state: staged
    from_releases: {api: 20261120T090000Z-aa11bb}
    address: "{{ platform_address }}"
    keep: {api: 20261121T061500Z-1a2b3c}

- name: Take a release back
  mainstay.platform.docker_release:
    platform: shop-production
    release_id: 20261121T061500Z-1a2b3c
    fence: 7
    state: reverted
    keep: {api: 20261120T090000Z-aa11bb}
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample: ["create and start shop-production-api-1-1a2b3c (example.com/api@sha256:5f1c...)"]
duration:
  description: Seconds the step took on the host.
  type: float
  returned: always
  sample: 1.284
release:
  description: What the host runs for this release now.
  type: dict
  returned: always
  contains:
    release_id:
      description: The release.
      type: str
      sample: 20261121T061500Z-1a2b3c
    phase:
      description: Its phase in the journal of this host.
      type: str
      sample: staged
    endpoints:
      description: Addresses by service.
      type: dict
      sample: {"api": ["10.0.0.11:20001"]}
    containers:
      description: All containers of the platform on this host.
      type: list
      elements: dict
      sample: [{"name": "shop-production-api-1-1a2b3c", "service": "api", "state": "running"}]
    images:
      description: Image by digest of each service.
      type: dict
      sample: {"api": "registry.example.com/api@sha256:5f1c..."}
    migration:
      description: Exit status and last lines of each migration.
      type: dict
      sample: {"api": {"exit_code": 0, "log": ["2 migrations applied"]}}
error:
  description: What failed, as data.
  type: dict
  returned: failure
  sample: {"what": "exited", "subject": "shop-production-api-1-1a2b3c", "found": "exit code 3"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._docker import engine
from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import SdkClient
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import STATE_ROOT

ARGUMENTS = {
    "platform": {"type": "str", "required": True},
    "release_id": {"type": "str", "required": True},
    "fence": {"type": "int", "required": True},
    "state": {"type": "str", "required": True, "choices": list(engine.STATES)},
    "services": {"type": "list", "elements": "dict", "default": []},
    "from_releases": {"type": "dict", "default": {}},
    "stores": {"type": "list", "elements": "dict", "default": []},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "registries": {"type": "list", "elements": "dict", "default": []},
    "address": {"type": "str", "default": "127.0.0.1"},
    "port_range": {"type": "str", "default": "20000-29999"},
    "timeout": {"type": "float", "default": 300.0},
    "keep": {"type": "dict", "default": {}},
    "keep_warm": {"type": "float", "default": 600.0},
    "retain": {"type": "int", "default": 3},
    "recreate_stores": {"type": "list", "elements": "str", "default": []},
    "state_root": {"type": "path", "default": STATE_ROOT},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = engine.release(module.params, SdkClient(), check=module.check_mode)
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
