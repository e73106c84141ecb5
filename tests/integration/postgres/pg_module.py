# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module of the collection with the arguments on stdin."""

from __future__ import annotations

import importlib
import sys

from ansible.module_utils import basic


def main() -> None:
    """Run it."""
    basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
    basic._ANSIBLE_PROFILE = "legacy"
    name = f"ansible_collections.mainstay.platform.plugins.modules.{sys.argv[1]}"
    sys.argv = sys.argv[:1]
    importlib.import_module(name).main()


if __name__ == "__main__":
    main()
