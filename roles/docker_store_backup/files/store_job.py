# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of a timer: dump one store in Docker, try the dump out, expire by what was verified.

    store_job.pyz shop-production postgres        the platform and the name of the store

Reads /etc/mainstay/stores/<platform>.json. Whatever happens, the status file for node_exporter says
how old the newest verified dump is.
"""

from __future__ import annotations

import json
import sys

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dumping
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_client import CliClient
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

CONFIGURATION = "/etc/mainstay/stores/{}.json"


def arguments(platform, store, **more):
    """Arguments of the module for one store of the configuration."""
    common = {key: store[key] for key in ("store", "username", "directory")}
    return {
        **common,
        "platform": platform["platform"],
        "timeout": float(platform["timeout"]),
        "databases": [],
        "labels": [],
        "verify": True,
        "prove_restore": bool(platform["prove_restore"]),
        "retention": store["retention"],
        "repositories": platform["repositories"] if store["repositories"] else "",
        **more,
    }


def run(platform, store):
    """Dump and expire; the failure, or nothing."""
    failure = None
    try:
        client = CliClient()
        for state in ("taken", "expired"):
            # What could not be taken or is not whole lets nothing else expire.
            result = dumping.backup(arguments(platform, store, state=state), client, check=False)
            for action in result.actions:
                sys.stdout.write(f"{action}\n")
    except MainstayError as error:
        failure = str(error)
    given = arguments(platform, store)
    try:
        dumping.write_metrics(given, platform["metrics"], failure is None)
    except MainstayError as error:
        failure = failure or str(error)
    return failure


def main():
    """Entry point."""
    if len(sys.argv) != 3:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    with open(CONFIGURATION.format(sys.argv[1]), encoding="utf-8") as stream:
        platform = json.load(stream)
    store = next((item for item in platform["stores"] if item["store"] == sys.argv[2]), None)
    if store is None:
        sys.stderr.write(f"there is no store {sys.argv[2]} in {sys.argv[1]}\n")
        return 2
    failure = run(platform, store)
    if failure:
        sys.stderr.write(f"{failure}\n")
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
