# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive command as a file that the owner of the cluster can run."""

from __future__ import annotations

import importlib.util
import os
import sys

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import write_atomic
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import archiver
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.client import (
    OwnedPrograms,
)

PYTHON = "/usr/bin/python3"


def source() -> bytes:
    """The text of the program; also when a module runs from an archive."""
    spec = importlib.util.find_spec(archiver.__name__)
    get = getattr(spec.loader if spec else None, "get_source", None)
    text = get(archiver.__name__) if get else None
    if text is None:
        raise MainstayError("the text of the archive command is not at hand", subject="archiver")
    return str(text).encode()


def archiver_command(directory: str, programs: OwnedPrograms) -> list[str]:
    """The command, with the program written into C(directory)."""
    path = os.path.join(directory, "mainstay-archive.py")
    write_atomic(path, source(), 0o700)
    programs.own(path)
    return [PYTHON if os.path.exists(PYTHON) else sys.executable, path]
