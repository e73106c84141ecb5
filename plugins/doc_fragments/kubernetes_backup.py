# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules of backup and restore of a cluster share."""

from __future__ import annotations


class ModuleDocFragment:
    """Where backups are, and what opens them."""

    DOCUMENTATION = r"""
options:
  platform:
    description: Id of the platform, V(<name>-<stage>).
    type: str
    required: true
  repository:
    description: The bucket that backups are in, of S3 or a server that speaks like it.
    type: dict
    required: true
    suboptions:
      bucket:
        description: Name of the bucket.
        type: str
        required: true
      prefix:
        description: What the names of all objects begin with.
        type: str
        default: ""
      endpoint:
        description: Host or address of the server; that of AWS without it.
        type: str
      region:
        description: Region of the bucket.
        type: str
        default: us-east-1
      access_key:
        description: Access key; without it what C(boto3) finds (environment, role of the machine).
        type: str
      secret_key:
        description: Secret key.
        type: str
      ca:
        description: File with the certificate authority of the server.
        type: path
      path_style:
        description: Put the bucket into the path instead of the host name.
        type: bool
        default: false
  encryption_key:
    description:
      - Passphrase of at least 16 characters that seals every object before it leaves this machine
        (AES-256-GCM, keys by scrypt). The manifest is signed by it.
      - Without it nothing can be restored from a sealed backup. Keep it elsewhere too.
    type: str
"""

    STORES = r"""
options:
  stores:
    description: Stores of the platform that run in the cluster.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the store.
        type: str
        required: true
      kind:
        description: V(postgres) is dumped by C(pg_dump), V(redis) by the file of one fork.
        type: str
        required: true
        choices: [postgres, redis]
      statefulset:
        description: Its StatefulSet; O(stores[].name) without it. The first pod is asked.
        type: str
      container:
        description: Container in that pod; the first one without it.
        type: str
      username:
        description: Who asks PostgreSQL, over the socket of the container; V(postgres) without it.
        type: str
      database:
        description: The database; the same as the user without it.
        type: str
      port:
        description: Port inside of the container; 5432 or 6379 without it.
        type: int
      password_file:
        description: File in the container that holds the password, if there is one.
        type: str
        default: /run/mainstay/password
"""
