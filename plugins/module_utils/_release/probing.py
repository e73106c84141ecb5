# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of the module release_probe."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._release import daemon
from ansible_collections.mainstay.platform.plugins.module_utils._release.ledger import Ledger
from ansible_collections.mainstay.platform.plugins.module_utils._release.probe_files import (
    ProbeFiles,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.prober import (
    GRACE,
    Probing,
    probe,
)
from ansible_collections.mainstay.platform.plugins.module_utils._release.web import Target

#: Largest rate: a prober is a witness, not a load.
LARGEST_RATE = 200.0
#: Seconds that a prober on a busy machine gets to end by itself after that.
BUSY = 5.0


def change_probe(params: Mapping[str, Any], *, check_mode: bool) -> Result:
    """Start, mark, read or stop the prober of one release."""
    started = time.monotonic()
    ledger = Ledger(params["platform"], params["state_root"])
    ledger.path(params["release_id"])  # refuses an id that is no file name
    root = os.path.join(ledger.directory, "probe")
    files = ProbeFiles(os.path.join(root, params["release_id"]))
    actions: list[str] = []
    proof = None
    if params["state"] == "started":
        actions = _start(root, files, params, check_mode=check_mode)
    elif params["state"] == "marked":
        actions = [f"the phase is now {params['phase']}"]
        if not check_mode:
            files.mark(params["phase"])
    elif params["state"] == "stopped":
        actions, proof = _stop(files, params, check_mode=check_mode)
    return Result(
        changed=bool(actions) and params["state"] != "marked",
        actions=actions,
        duration=time.monotonic() - started,
        facts={"proof": proof or files.counted(params["slow_seconds"])},
    )


def _start(
    root: str, files: ProbeFiles, params: Mapping[str, Any], *, check_mode: bool
) -> list[str]:
    if not 0 < params["rate"] <= LARGEST_RATE:
        raise MainstayError(
            "the prober cannot ask at this rate",
            subject="rate",
            found=f"{params['rate']:g}",
            expected=f"more than 0, at most {LARGEST_RATE:g} requests a second",
        )
    if files.running():
        return []
    actions = _end_others(root, files, check_mode=check_mode)
    place = f"{params['host']}{params['path']}"
    actions.append(f"start the prober: {params['rate']:g} requests a second to {place}")
    if not check_mode:
        probing = _probing(params)
        files.begin(params["phase"] or "before")
        daemon.launch(
            lambda: probe(probing, files.results, daemon.wait_for_stop),
            lambda pid: files.note_process(pid, probing.target.timeout),
            "prober",
        )
    return actions


def _end_others(root: str, files: ProbeFiles, *, check_mode: bool) -> list[str]:
    """End what a killed run left running, and remove the files of releases that are over."""
    actions = []
    for name in sorted(os.listdir(root)) if os.path.isdir(root) else []:
        other = ProbeFiles(os.path.join(root, name))
        if other.directory == files.directory:
            continue
        process = other.running()
        if process:
            actions.append(f"stop the prober that {name} left behind")
        if not check_mode:
            if process:
                daemon.end(process.pid, process.started, GRACE)
            other.remove()
    return actions


def _stop(
    files: ProbeFiles, params: Mapping[str, Any], *, check_mode: bool
) -> tuple[list[str], dict[str, Any]]:
    """The proof is complete when the prober was there until it was told to stop."""
    process = files.running()
    if process and not check_mode:
        # It waits for what is in the air itself.
        daemon.end(process.pid, process.started, process.timeout + GRACE + BUSY)
    proof = {**files.counted(params["slow_seconds"])}
    if process:
        proof["complete"] = True
    if not check_mode and os.path.exists(files.process):
        files.keep(proof)
    return ["stop the prober"] if process else [], proof


def _probing(params: Mapping[str, Any]) -> Probing:
    target = Target(
        params["address"], params["port"], params["host"], params["tls"], None, params["timeout"]
    )
    return Probing(target, params["path"], params["rate"], params["max_seconds"])
