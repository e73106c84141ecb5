# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of k8s_release or k8s_release_info, as the module makes it: parameters on stdin."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import engine, info
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def call(asked: dict[str, Any]) -> dict[str, Any]:
    """The answer, or the error, as data."""
    check, diff = asked.pop("check", False), asked.pop("diff", True)
    try:
        with connect(asked) as client:
            if asked.get("state"):
                return engine.release(asked, client, check=check, diff=diff).as_dict()
            return info.look(asked, client).as_dict()
    except MainstayError as error:
        return {"failed": str(error), "error": error.as_dict()}


def main() -> None:
    """Run it."""
    print(json.dumps(call(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
