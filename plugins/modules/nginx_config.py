#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace the configuration of Nginx as a whole, and put it back when it does not serve."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_config
short_description: Replace the configuration of Nginx as a whole, or not at all
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Applies all files to a copy of the configuration directory, lets Nginx test the copy, and then
    exchanges the two directories in one step. Where the file system cannot do that, the changed
    files are replaced one by one.
  - Starts or reloads Nginx, waits until new workers serve and, with O(probe), until they answer.
    When they do not, the directory of before is put back and loaded.
  - Files that an earlier run wrote and this one does not name are removed; others stay.
  - A reload closes idle connections of clients in Nginx before 1.27.4, so there is none when
    nothing changed.
requirements:
  - Nginx, and systemd to start it
attributes:
  check_mode:
    description: Tells what would change; it does not run the test of Nginx.
    support: full
  diff_mode:
    description: Shows all changed files; of those in O(secrets) only the names.
    support: full
options:
  files:
    description: Content by path relative to O(root).
    type: dict
    required: true
  secrets:
    description: The same for files that only root may read; never shown.
    type: dict
    default: {}
  watched:
    description: Files elsewhere, such as certificates, whose change needs a reload.
    type: list
    elements: path
    default: []
  probe:
    description: A request to this host that must be answered after the change.
    type: dict
    suboptions:
      port:
        description: Port on 127.0.0.1.
        type: int
        required: true
      path:
        description: Path of the request.
        type: str
        default: /
      tls:
        description: Whether the port speaks TLS; the certificate is not verified.
        type: bool
        default: false
      host:
        description: Host name of the request.
        type: str
        default: localhost
      status:
        description: Status of the answer.
        type: int
        default: 200
  timeout:
    description: Longest wait in seconds for new workers, and again for the answer.
    type: float
    default: 20.0
  root:
    description: The configuration directory; another one is for tests.
    type: path
    default: /etc/nginx
seealso:
  - module: mainstay.platform.nginx_upstream
  - plugin: mainstay.platform.nginx_site
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Configure the edge of a platform
  mainstay.platform.nginx_config:
    files: "{{ platform | mainstay.platform.nginx_site('1.26.3') }}"
    secrets: "{{ platform | mainstay.platform.nginx_secret_files(platform_secrets) }}"
    watched:
      - /etc/ssl/mainstay/shop-production/fullchain.pem

- name: Configure Nginx and see that it answers
  mainstay.platform.nginx_config:
    files:
      nginx.conf: "{{ lookup('ansible.builtin.file', 'nginx.conf') }}"
    probe:
      port: 80
      path: /-/health

- name: Show what would change
  mainstay.platform.nginx_config:
    files: "{{ platform | mainstay.platform.nginx_site('1.26.3') }}"
  check_mode: true
  diff: true
"""

RETURN = r"""
nginx:
  description: Nginx after the change.
  type: dict
  returned: success
  contains:
    version:
      description: Its version; empty when it is not installed (check mode).
      type: str
      sample: 1.26.3
    running:
      description: Whether it runs.
      type: bool
      sample: true
actions:
  description: What was done, or would be in check mode.
  type: list
  elements: str
  returned: success
  sample: [write mainstay/servers.conf, reload nginx]
duration:
  description: Seconds it took.
  type: float
  returned: success
  sample: 0.4
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import config
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.process import HostNginx
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

PROBE = {
    "port": {"type": "int", "required": True},
    "path": {"type": "str", "default": "/"},
    "tls": {"type": "bool", "default": False},
    "host": {"type": "str", "default": "localhost"},
    "status": {"type": "int", "default": 200},
}
ARGUMENTS = {
    "files": {"type": "dict", "required": True},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "watched": {"type": "list", "elements": "path", "default": []},
    "probe": {"type": "dict", "options": PROBE},
    "timeout": {"type": "float", "default": 20.0},
    "root": {"type": "path", "default": "/etc/nginx"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        request = config.request_from(module.params, check=module.check_mode)
        result = config.apply(request, HostNginx())
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
