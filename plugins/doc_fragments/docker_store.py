# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that all modules about the dumps of a store in Docker share."""

from __future__ import annotations


class ModuleDocFragment:
    """The part C(mainstay.platform.docker_store)."""

    DOCUMENTATION = r"""
requirements:
  - python3-docker (the C(docker) SDK, 5.0 or newer) and the C(docker) program on the host
  - PostgreSQL 14 or newer in the container, with its client programs
options:
  platform:
    description: Id of the platform, V(<name>-<stage>).
    type: str
    required: true
  store:
    description: Name of the store in the description of the platform.
    type: str
    required: true
  username:
    description:
      - Superuser of the store; the container must let it in by its socket, as the official image
        does.
    type: str
    default: postgres
  directory:
    description:
      - Directory of the dumps of this store on the host; no other store may use it.
      - It is open to root only, because a dump holds all data and the hashes of passwords.
    type: path
    required: true
  timeout:
    description: Seconds until the task gives up; what was not finished is no dump.
    type: float
    default: 14400.0
  repositories:
    description:
      - File on the host with the object storages that every verified dump is copied to, as the role
        P(mainstay.platform.docker_store_backup#role) writes it; only root may read it, it holds
        their keys. Empty for none.
      - A restore fetches a dump that is not on the host from the first of them that has it.
    type: path
    default: ""
"""
