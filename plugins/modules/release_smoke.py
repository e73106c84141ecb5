#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_smoke
short_description: Ask the edge a few questions and check the answers
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Sends one request for each check, several at a time, and holds status, body and time against
    what the check wants.
  - Runs on the edge host against its own address, under the host name visitors use. No request is
    repeated.
  - Reports failed checks in RV(smoke) and does not fail itself; P(mainstay.platform.gate#module)
    does.
options:
  checks:
    description: The checks.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {description: Path and query, type: str, required: true}
      method: {description: HTTP method, type: str, default: GET}
      status: {description: Expected status, type: int, default: 200}
      contains: {description: Text that the body must contain, type: str}
      max_seconds: {description: Longest time for the whole answer, type: float, default: 2.0}
      host: {description: Host name to ask for instead of O(host), type: str}
  address:
    description: Address to connect to.
    type: str
    default: 127.0.0.1
  port:
    description: Port to connect to.
    type: int
    default: 443
  tls:
    description: Whether the port speaks TLS.
    type: bool
    default: true
  ca:
    description: File of the certificate authority; without it the certificate is not verified.
    type: path
  host:
    description: Host name to ask for, also the name in the TLS handshake.
    type: str
    required: true
  headers:
    description: Headers sent with every request.
    type: dict
    default: {}
  timeout:
    description: Seconds until the answer has to be whole.
    type: float
    default: 5.0
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    description: Asks as in a run; a question changes nothing.
  diff_mode:
    support: none
    description: Changes nothing.
  platform:
    platforms: posix
    support: full
    description: Linux hosts.
"""

EXAMPLES = r"""
- name: The front page answers
  mainstay.platform.release_smoke:
    host: shop.example.com
    checks:
      - path: /

- name: The health page says ok within half a second
  mainstay.platform.release_smoke:
    host: shop.example.com
    checks:
      - path: /api/health
        contains: ok
        max_seconds: 0.5

- name: The new version answers behind the preview header
  mainstay.platform.release_smoke:
    host: shop.example.com
    headers: {X-Mainstay-Preview: next}
    checks:
      - path: /api/version
        contains: 2.4.1
"""

RETURN = r"""
smoke:
  description: What each check found.
  returned: always
  type: list
  elements: dict
  sample:
    - path: /
      host: shop.example.com
      status: 200
      seconds: 0.0123
      passed: true
      reason: ""
      body_start: ""
problems:
  description: One sentence for each check that failed.
  returned: always
  type: list
  elements: str
  sample: []
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Smoke
from ansible_collections.mainstay.platform.plugins.module_utils._release.smoke import (
    as_data,
    run_checks,
    sentences,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.web import Target

CHECK = {
    "path": {"type": "str", "required": True},
    "method": {"type": "str", "default": "GET"},
    "status": {"type": "int", "default": 200},
    "contains": {"type": "str"},
    "max_seconds": {"type": "float", "default": 2.0},
    "host": {"type": "str"},
}


def argument_spec() -> dict[str, Any]:
    """Options of the module."""
    return {
        "checks": {"type": "list", "elements": "dict", "required": True, "options": CHECK},
        "address": {"type": "str", "default": "127.0.0.1"},
        "port": {"type": "int", "default": 443},
        "tls": {"type": "bool", "default": True},
        "ca": {"type": "path"},
        "host": {"type": "str", "required": True},
        "headers": {"type": "dict", "default": {}},
        "timeout": {"type": "float", "default": 5.0},
    }


def main() -> None:
    """Ask and report."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    given = module.params
    target = Target(**{k: given[k] for k in ("address", "port", "host", "tls", "ca", "timeout")})
    checks = [Smoke(**check) for check in given["checks"]]
    headers = {str(k): str(v) for k, v in given["headers"].items()}
    verdicts = run_checks(target, checks, headers)
    module.exit_json(changed=False, smoke=as_data(verdicts), problems=sentences(verdicts))


if __name__ == "__main__":
    main()
