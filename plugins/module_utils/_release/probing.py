# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of the module release_probe."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._release.http import Target
from ansible_collections.mainstay.platform.plugins.module_utils._release.prober import (
    ProbeFiles,
    Probing,
    end,
    launch,
)


def change_probe(params: Mapping[str, Any], *, check_mode: bool) -> Result:
    """Start, mark, read or stop the prober of one release."""
    started = time.monotonic()
    directory = os.path.join(params["state_root"], params["platform"], "probe")
    files = ProbeFiles(os.path.join(directory, params["release_id"]))
    action = ""
    if params["state"] == "started" and files.running() is None:
        place = f"{params['host']}{params['path']}"
        action = f"start the prober: {params['rate']:g} requests a second to {place}"
        if not check_mode:
            files.mark(params["phase"] or "before")
            launch(_probing(params), files)
    elif params["state"] == "marked":
        action = f"the phase is now {params['phase']}"
        if not check_mode:
            files.mark(params["phase"])
    elif params["state"] == "stopped" and os.path.isdir(files.directory):
        action = _stop(files, params, check_mode=check_mode)
    return Result(
        changed=bool(action) and params["state"] != "marked",
        actions=[action] if action else [],
        duration=time.monotonic() - started,
        facts={"proof": files.counted(params["slow_seconds"])},
    )


def _stop(files: ProbeFiles, params: Mapping[str, Any], *, check_mode: bool) -> str:
    pid = files.running()
    if not check_mode:
        if pid is not None:
            end(pid, params["timeout"] + 3.0)
        if os.path.exists(files.results):
            files.keep(files.counted(params["slow_seconds"]))
    return "stop the prober" if pid is not None else ""


def _probing(params: Mapping[str, Any]) -> Probing:
    target = Target(
        params["address"], params["port"], params["host"], params["tls"], None, params["timeout"]
    )
    return Probing(target, params["path"], params["rate"], params["max_seconds"])
