# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that all modules about one PostgreSQL cluster and its backups share."""

from __future__ import annotations


class ModuleDocFragment:
    """The part C(mainstay.platform.postgres)."""

    DOCUMENTATION = r"""
options:
  platform:
    description: Id of the platform, V(<name>-<stage>).
    type: str
    required: true
  store:
    description: Name of the store in the description of the platform.
    type: str
    default: db
  engine:
    description:
      - V(pgbackrest) uses pgBackRest 2.45 or newer and its configuration file.
      - V(native) uses PostgreSQL's own tools, with a directory as the repository.
    type: str
    choices: [pgbackrest, native]
    default: pgbackrest
  stanza:
    description: Name of the cluster in the repository; O(store) when it is not given.
    type: str
  repository:
    description: Which repository is meant.
    type: dict
    default: {}
    suboptions:
      name:
        description: Its name in records and metrics.
        type: str
        default: local
      number:
        description: Its number in the configuration of pgBackRest.
        type: int
        default: 1
      path:
        description: Its directory, for O(engine=native) and for logical dumps.
        type: path
      protected:
        description:
          - The bucket has to keep what is deleted. M(mainstay.platform.postgres_verify) then fails
            for one without versions, for keys that delete a version (tried on an object of its
            own), and for a life-cycle rule that is shorter than O(repository.kept_days).
        type: bool
        default: false
      kept_days:
        description: Days that the retention keeps a backup at most.
        type: int
        default: 0
  pgbackrest_config:
    description: Configuration of pgBackRest. Credentials stay in it and are never arguments.
    type: path
    default: /etc/pgbackrest.conf
  data_directory:
    description: The data directory of the cluster, as a real path (no symbolic link).
    type: path
    required: true
  config_file:
    description: C(postgresql.conf); the one in O(data_directory) when it is not given.
    type: path
  bin_directory:
    description:
      - Directory of the server's programs. By default the one of the cluster's version below
        C(/usr/lib/postgresql).
    type: path
  socket_directory:
    description: Directory of the server's socket. No connection uses the network.
    type: path
    default: /var/run/postgresql
  port:
    description: Port of the server, a part of the socket's name.
    type: int
    default: 5432
  username:
    description: Superuser of the database, let in through the socket without a password.
    type: str
    default: postgres
  os_user:
    description: User that owns the data directory. Root runs every program as this user.
    type: str
    default: postgres
  service:
    description:
      - Unit of systemd that starts and stops the server, such as V(postgresql@17-main).
      - Without it C(pg_ctl) is used.
    type: str
  timeout:
    description: Longest time for the whole task, in seconds. Every program has one below it.
    type: float
    default: 14400.0
  state_root:
    description: Directory of records and journals; another one is for tests.
    type: path
    default: /var/lib/mainstay
"""
