#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name; nothing runs on a target."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: platform
short_description: Read and check the description of the platform
version_added: "0.1.0"
author:
  - Mainstay maintainers (@mainstay)
description:
  - Reads all variables whose names begin with C(platform_), resolves their templates, checks them
    against one
    JSON Schema and a set of rules, and returns the platform with defaults filled in and units
    converted.
  - Reports all problems in one message, each with its path, what was found, what is allowed and,
    for a name that is
    almost right, what was probably meant.
  - Checks the variables of the run in the same way, such as C(release_version),
    C(release_versions),
    C(release_strategy), C(release_services), C(release_id), C(restore_target) and C(ops_confirm),
    and lays them over
    the description.
  - Values of secrets (C(platform_secrets)) are checked and never returned or shown.
  - Runs on the controller alone. It needs no connection and reads no facts, so one call with
    C(run_once) serves a play.
  - The reference of all variables is C(docs/reference/platform.md), made from the same schema.
requirements:
  - jsonschema >= 4.17 on the controller
attributes:
  check_mode:
    support: full
    description: Does the same in check mode, because it never changes anything.
  diff_mode:
    support: none
    description: There is nothing to show a difference of.
  platform:
    support: full
    platforms: all
    description: It runs on the controller.
options:
  stage:
    description:
      - Stage to describe instead of the one in the variable C(platform_stage).
    type: str
  check_groups:
    description:
      - Also check that the inventory has hosts in the groups that the description needs.
      - Turn it off to check a description before its hosts exist.
    type: bool
    default: true
seealso:
  - module: mainstay.platform.docker_release
  - module: mainstay.platform.release_info
"""

EXAMPLES = r"""
- name: Describe the platform once for the whole play
  mainstay.platform.platform:
  register: described
  run_once: true

- name: Show how many replicas the api has
  ansible.builtin.debug:
    msg: "{{ (described.platform.services | selectattr('name', 'eq', 'api') | first).replicas }}"
  run_once: true

- name: Check the description of another stage, before it has hosts
  mainstay.platform.platform:
    stage: staging
    check_groups: false
  run_once: true

- name: Refuse to go on while there are warnings
  ansible.builtin.assert:
    that: described.problems | length == 0
    fail_msg: "{{ described.problems | map(attribute='message') | join('; ') }}"
  run_once: true
"""

RETURN = r"""
platform:
  description:
    - The platform of this stage. Durations are seconds, sizes bytes, CPU cores, shares percent.
    - Secrets appear by name only.
  returned: success
  type: dict
  sample:
    name: shop
    stage: production
    domain: shop.example.org
    runtime: docker
    services:
      - name: api
        image: ghcr.io/acme/shop/api
        version: 2.4.1
        replicas: 3
        port: 3000
    secret_names: [jwt_secret]
platform_id:
  description: Name and stage, as used for directories, labels and confirmations.
  returned: success
  type: str
  sample: shop-production
run:
  description: What this run asks for, beside the description; empty values mean as described.
  returned: success
  type: dict
  sample:
    version: 2.4.1
    versions: {}
    services: []
    strategy: canary
    release_id:
    restore_target:
    confirm:
problems:
  description:
    - On success the warnings; on failure everything that was found.
  returned: always
  type: list
  elements: dict
  sample:
    - path: platform_services.api.helth
      message: unknown key
      found: helth
      allowed: image, version, digest, replicas, port, health
      hint: did you mean health?
      severity: error
"""
