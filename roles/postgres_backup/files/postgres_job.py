# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the timers: back up, verify and expire, or drill, in every repository of a store.

    postgres_job.pyz full orders        full, incr, verify or drill, and the name of the store

Reads /etc/mainstay/postgres/<store>.json. A replica has nothing to do. Every repository is worked
on, also after another failed; the status is 1 when one did.
"""

from __future__ import annotations

import datetime
import json
import sys

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import command

CONFIGURATION = "/etc/mainstay/postgres/{}.json"


def steps(work, store, repository):
    """(module, arguments) of one kind of work in one repository, in order."""
    common = {**store["cluster"], "repository": repository}
    metrics = f"{store['metrics']}/mainstay_{common['store']}_{repository['name']}.prom"
    verify = {**common, "metrics_file": metrics, "objective_restore": store["objective_restore"]}
    if work == "drill":
        return [
            (
                "drill",
                {
                    **common,
                    "scratch_directory": store["scratch"],
                    "target": target(),
                    "checks": store["checks"],
                    "objective_restore": store["objective_restore"],
                },
            ),
            ("verify", verify),
        ]
    found = [("verify", verify)]
    if work in ("full", "incr"):
        found.insert(0, ("backup", {**common, "type": work, "jobs": store["jobs"]}))
        expired = {"state": "expired", "retention": store["retention"]}
        found.append(("backup", {**common, **expired}))
    return found


def target():
    """The newest moment and a random second of the last day in turn, by the number of the week."""
    return ("latest", "random")[datetime.date.today().isocalendar()[1] % 2]


def chosen(work, repositories):
    """All repositories; of a drill one, each in its turn."""
    if work != "drill":
        return repositories
    return [repositories[datetime.date.today().isocalendar()[1] % len(repositories)]]


def run(work, store):
    """Do the work in every repository; the failures."""
    failures = []
    for repository in chosen(work, store["repositories"]):
        for module, given in steps(work, store, repository):
            try:
                result = command.WORK[module](command.complete(module, given))
            except MainstayError as error:
                failures.append(f"{repository['name']}, {module}: {error}")
                # What is not verified must not let anything else expire.
                break
            for action in result.actions:
                sys.stdout.write(f"{repository['name']}: {action}\n")
    return failures


def main():
    """Entry point."""
    if len(sys.argv) != 3 or sys.argv[1] not in ("full", "incr", "verify", "drill"):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    with open(CONFIGURATION.format(sys.argv[2]), encoding="utf-8") as stream:
        store = json.load(stream)
    try:
        with open(f"{store['cluster']['data_directory']}/standby.signal", encoding="utf-8"):
            sys.stdout.write("this is a replica: its primary takes the backups\n")
            return 0
    except FileNotFoundError:
        pass
    failures = run(sys.argv[1], store)
    for failure in failures:
        sys.stderr.write(f"{failure}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
