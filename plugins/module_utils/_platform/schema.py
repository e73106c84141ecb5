# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one JSON Schema: validation, editor completion and the reference page all read this file."""

from __future__ import annotations

import functools
import json
import os
from typing import Any

#: Beside this module, so that it is found in a checkout and in an installed collection alike.
SCHEMA_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema.json")


@functools.lru_cache(maxsize=1)
def load_schema() -> dict[str, Any]:
    """The schema as data; not to be changed by the caller."""
    with open(SCHEMA_PATH, encoding="utf-8") as handle:
        document: dict[str, Any] = json.load(handle)
    return document


def platform_variables() -> list[str]:
    """The names of all C(platform_*) variables."""
    return list(load_schema()["properties"])


def run_variables() -> list[str]:
    """The names of all variables of one run."""
    return list(load_schema()["$defs"]["run"]["properties"])
