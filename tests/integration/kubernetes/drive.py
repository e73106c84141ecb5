# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of k8s_release or k8s_release_info, as the module makes it: parameters on stdin."""

from __future__ import annotations

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import engine, info
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def main() -> None:
    """Run it."""
    asked = json.load(sys.stdin)
    check = asked.pop("check", False)
    try:
        with connect(asked) as client:
            if asked.get("state"):
                answer = engine.release(asked, client, check=check).as_dict()
            else:
                answer = info.look(asked, client).as_dict()
    except MainstayError as error:
        answer = {"failed": str(error), "error": error.as_dict()}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
