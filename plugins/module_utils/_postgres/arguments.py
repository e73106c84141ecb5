# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that all modules about one cluster share; documented in the fragment C(postgres)."""

from __future__ import annotations

from typing import Any

REPOSITORY: dict[str, Any] = {
    "name": {"type": "str", "default": "local"},
    "number": {"type": "int", "default": 1},
    "path": {"type": "path"},
    "protected": {"type": "bool", "default": False},
    "kept_days": {"type": "int", "default": 0},
}
CLUSTER: dict[str, Any] = {
    "platform": {"type": "str", "required": True},
    "store": {"type": "str", "default": "db"},
    "engine": {"type": "str", "choices": ["pgbackrest", "native"], "default": "pgbackrest"},
    "stanza": {"type": "str"},
    "repository": {"type": "dict", "default": {}, "options": REPOSITORY},
    "pgbackrest_config": {"type": "path", "default": "/etc/pgbackrest.conf"},
    "data_directory": {"type": "path", "required": True},
    "config_file": {"type": "path"},
    "bin_directory": {"type": "path"},
    "socket_directory": {"type": "path", "default": "/var/run/postgresql"},
    "port": {"type": "int", "default": 5432},
    "username": {"type": "str", "default": "postgres"},
    "os_user": {"type": "str", "default": "postgres"},
    "service": {"type": "str"},
    "timeout": {"type": "float", "default": 14400.0},
}
