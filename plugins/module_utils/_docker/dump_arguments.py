# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that the modules about dumps of a store in Docker share."""

from __future__ import annotations

from typing import Any

STORE: dict[str, dict[str, Any]] = {
    "platform": {"type": "str", "required": True},
    "store": {"type": "str", "required": True},
    "username": {"type": "str", "default": "postgres"},
    "directory": {"type": "path", "required": True},
    "timeout": {"type": "float", "default": 14400.0},
    "repositories": {"type": "path", "default": ""},
}
RETENTION: dict[str, dict[str, Any]] = {
    "daily": {"type": "int", "default": 30},
    "weekly": {"type": "int", "default": 8},
    "monthly": {"type": "int", "default": 12},
    "yearly": {"type": "int", "default": 0},
    "floor": {"type": "int", "default": 2},
}
