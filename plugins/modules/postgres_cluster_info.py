#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has of a PostgreSQL cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_cluster_info
short_description: Tell what a host has of a PostgreSQL cluster
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Says whether the programs are installed, the cluster is made, the server runs, whether it is the
    primary or a replica, how far it is, and what is wrong in its files.
  - Asks the server through its socket, as O(os_user), and reads the control file of a server that
    does not run. Changes nothing.
attributes:
  check_mode:
    description: Changes nothing in any case.
    support: full
options:
  data_directory:
    description: The data directory.
    type: path
    required: true
  config_directory:
    description: Directory of C(postgresql.conf) and C(pg_hba.conf).
    type: path
    required: true
  bin_directory:
    description: Directory of the server's programs.
    type: path
    required: true
  socket_directory:
    description: Directory of the server's socket.
    type: path
    default: /var/run/postgresql
  port:
    description: Port of the server, a part of the socket's name.
    type: int
    default: 5432
  os_user:
    description: User that owns the data directory.
    type: str
    default: postgres
  timeout:
    description: Longest time for one question, in seconds.
    type: float
    default: 20.0
seealso:
  - module: mainstay.platform.postgres_backup_info
"""

EXAMPLES = r"""
- name: Look at the cluster
  mainstay.platform.postgres_cluster_info:
    data_directory: /var/lib/postgresql/17/main
    config_directory: /etc/postgresql/17/main
    bin_directory: /usr/lib/postgresql/17/bin
  register: observed

- name: Say who the primary is
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }} is the primary"
  when: observed.cluster.running and not observed.cluster.in_recovery

- name: Say which settings wait for a restart
  ansible.builtin.debug:
    msg: "{{ observed.cluster.settings | selectattr('pending_restart') | map(attribute='name') }}"
"""

RETURN = r"""
cluster:
  description: What the host has.
  type: dict
  returned: success
  contains:
    installed:
      description: The server's programs are there.
      type: bool
      sample: true
    configured:
      description: C(postgresql.conf) is there.
      type: bool
      sample: true
    exists:
      description: The data directory holds a cluster.
      type: bool
      sample: true
    standby:
      description: It is set up as a replica.
      type: bool
      sample: false
    running:
      description: The server answers.
      type: bool
      sample: true
    in_recovery:
      description: It is a replica, or still in recovery.
      type: bool
      sample: false
    system_identifier:
      description: Identifier of the cluster; the same on the primary and its replicas.
      type: str
      sample: "7710559220978378449"
    timeline:
      description: The timeline it is on.
      type: int
      sample: 1
    lsn:
      description: How far a primary has written, or its last checkpoint when it does not run.
      type: str
      sample: 0/5000090
    received:
      description: How far a replica has received.
      type: str
      sample: 0/5000090
    replayed_at:
      description: When the last transaction that a replica has replayed was committed.
      type: str
      sample: "2026-11-21T06:15:00.250Z"
    settings:
      description: Rows of C(pg_settings).
      type: list
      elements: dict
      sample: [{"name": "port", "setting": "5432", "unit": null, "context": "postmaster"}]
    hba:
      description: Text of C(pg_hba.conf).
      type: str
      sample: "local all postgres peer"
    hba_errors:
      description: What the server does not understand in C(pg_hba.conf).
      type: list
      elements: str
      sample: []
    file_errors:
      description: What the server does not understand in its configuration.
      type: list
      elements: str
      sample: []
    replication:
      description: Replicas that stream from it.
      type: list
      elements: dict
      sample: [{"application_name": "db2", "state": "streaming", "sync_state": "async"}]
    slots:
      description: Its physical replication slots.
      type: list
      elements: dict
      sample: [{"name": "db2", "active": true, "wal_status": "reserved"}]
error:
  description: What failed, as data.
  type: dict
  returned: failure
  sample: {"what": "no answer in time", "subject": "psql"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import cluster

ARGUMENTS = {
    "data_directory": {"type": "path", "required": True},
    "config_directory": {"type": "path", "required": True},
    "bin_directory": {"type": "path", "required": True},
    "socket_directory": {"type": "path", "default": "/var/run/postgresql"},
    "port": {"type": "int", "default": 5432},
    "os_user": {"type": "str", "default": "postgres"},
    "timeout": {"type": "float", "default": 20.0},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        found = cluster.observe(module.params, cluster.LocalHost(module.params))
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(changed=False, cluster=found)


if __name__ == "__main__":
    main()
