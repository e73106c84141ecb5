# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same work without Ansible, for timers of a host:

    python3 -m ansible_collections.mainstay.platform.plugins.module_utils._postgres.command \\
        backup /etc/mainstay/postgres/db-full.json

The file holds the arguments of the module as JSON; what it leaves out has the module's default. The
result is printed as JSON; the status is 0, or 1 with the reason on standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import STATE_ROOT
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import operate
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.arguments import CLUSTER

DEFAULTS: dict[str, dict[str, Any]] = {
    "backup": {
        "state": "taken",
        "type": "full",
        "databases": [],
        "jobs": 2,
        "verify": True,
        "prove_restore": False,
        "archive_timeout": 60.0,
        "retention": {},
        "moment": None,
    },
    "info": {"objective_restore": 1800.0},
    "verify": {
        "backups": ["newest"],
        "wal": True,
        "prove_archiving": True,
        "archive_timeout": 60.0,
        "max_age": 93600.0,
        "size_range": [0.5, 2.0],
        "objective_restore": 1800.0,
        "metrics_file": None,
    },
    "drill": {
        "target": "latest",
        "backup": None,
        "jobs": 2,
        "checks": [],
        "amcheck": True,
        "checksums": True,
        "objective_restore": 1800.0,
        "keep": False,
    },
}


def complete(work: str, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the defaults of the module; unknown ones are refused."""
    known = {name: spec.get("default") for name, spec in CLUSTER.items()}
    known.update({"state_root": STATE_ROOT, **DEFAULTS[work]})
    if work == "drill":
        known["scratch_directory"] = None
    wrong = sorted(set(given) - set(known))
    required = ["platform", "data_directory"] + ["scratch_directory"] * (work == "drill")
    missing = [name for name in required if not given.get(name)]
    if wrong or missing:
        raise MainstayError(
            "the arguments are not valid",
            found=f"unknown: {', '.join(wrong) or 'none'}; missing: {', '.join(missing) or 'none'}",
            expected=f"arguments of postgres_{work}",
        )
    return {**known, **given}


def _verify(params: dict[str, Any]) -> Any:
    result, failure = operate.verify(params, check=False)
    if failure:
        sys.stdout.write(json.dumps(result.as_dict(), sort_keys=True) + "\n")
        raise failure
    return result


WORK: dict[str, Callable[[dict[str, Any]], Any]] = {
    "backup": lambda params: operate.backup(params, check=False),
    "info": lambda params: operate.info(params, check=False),
    "verify": _verify,
    "drill": lambda params: operate.drill(params, check=False),
}


def main(arguments: Optional[list[str]] = None) -> int:
    """Entry point."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 2 or given[0] not in WORK:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        with open(given[1], encoding="utf-8") as handle:
            params = complete(given[0], json.load(handle))
        result = WORK[given[0]](params)
    except (MainstayError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(result.as_dict(), sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
