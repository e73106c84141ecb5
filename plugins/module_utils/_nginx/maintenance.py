# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of nginx_maintenance: show the maintenance page, or stop showing it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._nginx.client import EdgeControl
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.status import Status
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.upstream import (
    INTERVAL,
    Clock,
    kept_in,
    require_platform,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    AbsentError,
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.files import (
    write_json,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.result import Result
from ansible_collections.mainstay.platform.plugins.module_utils._release.fence import check_fence


@dataclass(frozen=True)
class Request:
    """What the module was asked for."""

    platform: str
    on: bool
    fence: int
    directory: str
    timeout: float
    check: bool
    accept_stopped: bool = False


def request_from(params: Mapping[str, Any], *, check: bool) -> Request:
    """The module's parameters."""
    return Request(
        platform=params["platform"],
        on=params["state"] == "on",
        fence=int(params["fence"]),
        directory=os.path.join(params["state_root"], params["platform"]),
        timeout=float(params["timeout"]),
        check=check,
        accept_stopped=bool(params.get("accept_stopped")),
    )


def apply(request: Request, control: EdgeControl, clock: Clock = time) -> Result:
    """Switch every worker; the file comes first, so that a restart keeps the switch."""
    started = clock.monotonic()
    check_fence(request.directory, request.fence, remember=not request.check)
    path = os.path.join(request.directory, "maintenance.json")
    kept = bool((kept_in(path) or {}).get("on"))
    try:
        status: Optional[Status] = control.status()
    except AbsentError:
        if not request.accept_stopped:
            raise
        status = None
    changed = kept != request.on
    if status is not None:
        require_platform(status, request.platform)
        changed = changed or status.maintenance != request.on
    if changed and not request.check:
        _switch(request, control, path, kept, status)
        status = status and _await_workers(request, control, clock)
    word = {True: "show the maintenance page", False: "stop showing the maintenance page"}
    later = "" if status else " from the next start of Nginx on"
    return Result(
        changed=changed,
        actions=[word[request.on] + later] if changed else [],
        diff={"before": _line(request.on != changed), "after": _line(request.on)},
        duration=clock.monotonic() - started,
        facts={"maintenance": {"on": request.on, "generation": status.generation if status else 0}},
    )


def _switch(
    request: Request, control: EdgeControl, path: str, kept: bool, status: Optional[Status]
) -> None:
    """A switch that fails must not come true with the next start of Nginx."""
    write_json(path, {"on": request.on})
    if status is None or status.maintenance == request.on:
        return
    try:
        control.put_maintenance(request.on)
    except MainstayError:
        write_json(path, {"on": kept})
        raise


def _line(on: bool) -> str:
    return f"maintenance {'on' if on else 'off'}\n"


def _await_workers(request: Request, control: EdgeControl, clock: Clock) -> Status:
    deadline = clock.monotonic() + request.timeout
    while True:
        status = control.status()
        if status.settled:
            return status
        if clock.monotonic() >= deadline:
            raise MainstayError(
                "not every Nginx worker has taken over the switch",
                subject="nginx",
                found="a worker that is behind",
                expected=f"generation {status.generation} within {request.timeout:g} s",
                next_step="journalctl -u nginx; then run again",
            )
        clock.sleep(INTERVAL)
