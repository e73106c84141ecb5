# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventories of the collection, each described once for all tests of a run."""

from __future__ import annotations

import functools
import pathlib
import re
import secrets
import shutil
import tempfile
from typing import Any

from unit.support_description import ROOT, result_of, run

NAMES = sorted(path.name for path in (ROOT / "inventories").iterdir() if path.is_dir())
STAGES = ("production", "staging", "development")


@functools.cache
def described(name: str, stage: str) -> dict[str, Any]:
    """The result of describing a copy of the inventory, with secrets made for this test alone."""
    with tempfile.TemporaryDirectory(prefix="mainstay-inventory-") as directory:
        home = pathlib.Path(directory)
        inventory = home / "inventories" / name
        shutil.copytree(ROOT / "inventories" / name, inventory)
        bed = home / "build/testbed"
        bed.mkdir(parents=True)
        for secret in ("registry_password", "s3_writer_access_key", "s3_writer_secret_key"):
            (bed / secret).write_text(secrets.token_hex(16))
        text = "".join(p.read_text() for p in sorted(inventory.rglob("*.yml")))
        needed = set(re.findall(r"builtin\.env', '([A-Z_0-9]+)'", text))
        env = {variable: secrets.token_hex(40) for variable in needed}
        return result_of(run(inventory, home, "-e", f"platform_stage={stage}", env=env))
