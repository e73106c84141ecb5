#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove images that no release of a platform needs any more."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_prune
short_description: Remove images that no release of a platform needs any more
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Removes images of the platform's repositories that no retained release names and no container
    uses.
  - Images of the releases one can go back to stay. Volumes and containers are never touched.
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
  dangling:
    description: Also remove images without any name that no container uses.
    type: bool
    default: true
  build_cache:
    description: Also remove build cache that is not in use.
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
- name: Remove what no release needs
  mainstay.platform.docker_prune:
    platform: shop-production

- name: Remove build cache as well
  mainstay.platform.docker_prune:
    platform: shop-production
    build_cache: true

- name: Only the platform's own images
  mainstay.platform.docker_prune:
    platform: shop-production
    dangling: false
"""

RETURN = r"""
actions:
  description: What was removed, or would be in check mode.
  type: list
  elements: str
  returned: always
  sample: ["remove image registry.example.com/api:1.0.0 (182.4 MiB)"]
pruned:
  description: Names and figures.
  type: dict
  returned: always
  contains:
    images:
      description: Removed images.
      type: list
      elements: str
      sample: ["registry.example.com/api:1.0.0"]
    freed_bytes:
      description: Sum of their sizes; layers that other images share are freed later.
      type: int
      sample: 191260262
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import SdkClient
from ansible_collections.mainstay.platform.plugins.module_utils._docker.journal import directory_of
from ansible_collections.mainstay.platform.plugins.module_utils._docker.prune import prune
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import STATE_ROOT

ARGUMENTS = {
    "platform": {"type": "str", "required": True},
    "dangling": {"type": "bool", "default": True},
    "build_cache": {"type": "bool", "default": False},
    "state_root": {"type": "path", "default": STATE_ROOT},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    wanted = module.params
    try:
        result = prune(
            SdkClient(),
            directory_of(wanted["state_root"], wanted["platform"]),
            dangling=wanted["dangling"],
            build_cache=wanted["build_cache"],
            check=module.check_mode,
        )
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
